//! The files of one import: the document, and those beside it that it refers to.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::document::{Document, Span};

/// The largest file.
const MAX_FILE: u64 = 64 << 20;
/// The most bytes of all files of one import.
const MAX_BYTES: u64 = 128 << 20;
/// The most files of one import.
const MAX_FILES: usize = 4_096;
/// The most references from one place to the next.
const MAX_STEPS: usize = 32;

/// The number of a file within its import.
pub(super) type FileId = usize;

/// A part of a file.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) file: FileId,
    pub(super) span: Span,
}

/// A decoded part of a file; references inside it are relative to that file.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) file: FileId,
    pub(super) value: Rc<Value>,
}

/// The files of one import, each read when something refers to it.
pub(super) struct Library {
    /// The folder that no reference leaves.
    folder: PathBuf,
    files: RefCell<Vec<(PathBuf, Rc<Document>)>>,
    bytes: Cell<u64>,
    /// What references lead to, each decoded once.
    known: RefCell<HashMap<(FileId, String), Node>>,
}

impl Library {
    /// Reads the document at `path`.
    ///
    /// # Errors
    /// It cannot be read, or is neither JSON nor YAML.
    pub(super) fn open(path: &Path) -> Result<Library, String> {
        let path = path.canonicalize();
        let path = path.map_err(|error| format!("it cannot be read: {error}"))?;
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        let library = Library::empty(folder);
        library.add(path)?;
        Ok(library)
    }

    /// Takes the text of a document that stands in no folder.
    ///
    /// # Errors
    /// It is neither JSON nor YAML.
    pub(super) fn of_text(text: &str) -> Result<Library, String> {
        let library = Library::empty(PathBuf::new());
        let document = Rc::new(Document::read(text.to_owned())?);
        library.files.borrow_mut().push((PathBuf::new(), document));
        Ok(library)
    }

    fn empty(folder: PathBuf) -> Library {
        Library {
            folder,
            files: RefCell::default(),
            bytes: Cell::new(0),
            known: RefCell::default(),
        }
    }

    fn add(&self, path: PathBuf) -> Result<FileId, String> {
        let id = self.files.borrow().len();
        if id == MAX_FILES {
            return Err(format!("it refers to more than {MAX_FILES} files"));
        }
        let failed = |error: std::io::Error| format!("it cannot be read: {error}");
        let length = std::fs::metadata(&path).map_err(failed)?.len();
        self.bytes.set(self.bytes.get() + length);
        if length > MAX_FILE || self.bytes.get() > MAX_BYTES {
            return Err(format!(
                "it has more than {MAX_FILE} bytes, or its files have more than {MAX_BYTES} together"
            ));
        }
        let text = std::fs::read_to_string(&path).map_err(failed)?;
        let document = Rc::new(Document::read(text)?);
        self.files.borrow_mut().push((path, document));
        Ok(id)
    }

    /// A file.
    pub(super) fn file(&self, id: FileId) -> Rc<Document> {
        self.files.borrow()[id].1.clone()
    }

    /// The document itself.
    pub(super) fn main(&self) -> Rc<Document> {
        self.file(0)
    }

    /// The field of the document itself, decoded; `Null` where there is none.
    pub(super) fn top(&self, name: &str) -> Value {
        self.part(&format!("/{name}"))
    }

    /// The part of the document itself at a pointer, decoded; `Null` where there is none.
    pub(super) fn part(&self, pointer: &str) -> Value {
        let main = self.main();
        let span = main.at(pointer);
        span.and_then(|it| main.value(it).ok()).unwrap_or_default()
    }

    /// Decodes a part.
    ///
    /// # Errors
    /// It is nested too deeply.
    pub(super) fn node(&self, place: Place) -> Result<Node, String> {
        let value = self.file(place.file).value(place.span)?;
        Ok(Node {
            file: place.file,
            value: Rc::new(value),
        })
    }

    /// What a reference in `file` leads to.
    ///
    /// # Errors
    /// It leads nowhere, out of the folder, or to the network.
    pub(super) fn place(&self, file: FileId, reference: &str) -> Result<Place, String> {
        let (path, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let file = match path.is_empty() {
            true => file,
            false => self.beside(file, path)?,
        };
        let pointer = percent_decode_str(pointer).decode_utf8_lossy();
        let document = self.file(file);
        let span = match pointer.is_empty() || pointer.starts_with('/') {
            true => document.at(&pointer),
            false => None,
        };
        let span =
            span.ok_or_else(|| format!("the reference `{}` leads nowhere", cut(reference)))?;
        Ok(Place { file, span })
    }

    /// A file that is named relative to another one.
    fn beside(&self, file: FileId, path: &str) -> Result<FileId, String> {
        let refused = |why: &str| format!("the reference `{}` {why}", cut(path));
        if path.contains("://") || path.starts_with("//") {
            return Err(refused(
                "leads to the network, which is never asked for documents",
            ));
        }
        let path = percent_decode_str(path).decode_utf8_lossy();
        let path = Path::new(&*path);
        let is_relative = |it: Component<'_>| {
            matches!(
                it,
                Component::Normal(_) | Component::CurDir | Component::ParentDir
            )
        };
        let from = self.files.borrow()[file].0.clone();
        if from.as_os_str().is_empty() || !path.components().all(is_relative) {
            return Err(refused("leads out of the folder of the document"));
        }
        let target = from.parent().unwrap_or(&self.folder).join(path);
        let target = target.canonicalize();
        let target = target.map_err(|_| refused("leads to a file that does not exist"))?;
        // Links are followed before this is decided.
        if !target.starts_with(&self.folder) {
            return Err(refused("leads out of the folder of the document"));
        }
        let known = self.files.borrow().iter().position(|it| it.0 == target);
        match known {
            Some(id) => Ok(id),
            None => self
                .add(target)
                .map_err(|problem| format!("`{}`: {problem}", cut(&path.to_string_lossy()))),
        }
    }

    /// What a reference in `file` leads to, decoded.
    ///
    /// # Errors
    /// As [`Library::place`].
    pub(super) fn target(&self, file: FileId, reference: &str) -> Result<Node, String> {
        let key = (file, reference.to_owned());
        if let Some(node) = self.known.borrow().get(&key) {
            return Ok(node.clone());
        }
        let node = self.node(self.place(file, reference)?)?;
        self.known.borrow_mut().insert(key, node.clone());
        Ok(node)
    }

    /// The node itself, or what it refers to. The fields beside a reference win.
    ///
    /// # Errors
    /// As [`Library::place`], and for a reference that leads to itself.
    pub(super) fn follow(&self, node: Node) -> Result<Node, String> {
        let mut node = node;
        let mut own = Map::new();
        for _ in 0..MAX_STEPS {
            let Some(reference) = reference(&node.value) else {
                return Ok(over(node, own));
            };
            for (name, value) in node.value.as_object().into_iter().flatten() {
                if name != "$ref" && !own.contains_key(name) {
                    own.insert(name.clone(), value.clone());
                }
            }
            node = self.target(node.file, reference)?;
        }
        Err("a reference leads to itself".to_owned())
    }

    /// The field of a node, followed.
    ///
    /// # Errors
    /// As [`Library::follow`].
    pub(super) fn get(&self, node: &Node, name: &str) -> Result<Option<Node>, String> {
        let inner = node.value.get(name).cloned();
        let inner = inner.map(|value| {
            self.follow(Node {
                file: node.file,
                value: Rc::new(value),
            })
        });
        inner.transpose()
    }
}

/// The reference of a node, if it is one.
pub(super) fn reference(value: &Value) -> Option<&str> {
    value.get("$ref")?.as_str()
}

fn over(node: Node, own: Map<String, Value>) -> Node {
    if own.is_empty() {
        return node;
    }
    let mut value = (*node.value).clone();
    if let Some(fields) = value.as_object_mut() {
        fields.extend(own);
    }
    Node {
        file: node.file,
        value: Rc::new(value),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(120).collect()
}
