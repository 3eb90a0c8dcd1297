//! What a document declares: its version, and its operations, of which only what names them is decoded.

use http::Method;
use serde_json::Value;

use super::library::{Library, Place};
use super::names::{self, Names};

/// The most operations of one document.
const MAX_OPERATIONS: usize = 20_000;

/// The methods of operations, in the order in which a path lists them.
const METHODS: [(&str, Method); 8] = [
    ("get", Method::GET),
    ("put", Method::PUT),
    ("post", Method::POST),
    ("delete", Method::DELETE),
    ("options", Method::OPTIONS),
    ("head", Method::HEAD),
    ("patch", Method::PATCH),
    ("trace", Method::TRACE),
];

/// The version of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// Swagger 2.0.
    Two,
    /// OpenAPI 3.
    Three,
}

/// One operation of a document.
pub(super) struct Entry {
    pub(super) method: Method,
    pub(super) path: String,
    /// Its `operationId`.
    pub(super) id: Option<String>,
    /// The name of its tool, without the prefix of the import.
    pub(super) name: String,
    /// Where it stands, and where its path item stands; or why that is not known.
    pub(super) place: Result<(Place, Place), String>,
}

/// The operations of a document.
pub(super) struct Outline {
    pub(super) version: Version,
    pub(super) entries: Vec<Entry>,
}

impl Entry {
    /// How lists and messages name it.
    pub(super) fn label(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

impl Outline {
    /// Reads the outline of the document of a library.
    ///
    /// # Errors
    /// It is not an OpenAPI document, or has too many operations.
    pub(super) fn of(library: &Library, prefix: &str) -> Result<Outline, String> {
        let version = version(library)?;
        let main = library.main();
        let paths = main.field(main.root(), "paths");
        let paths = paths.and_then(|it| main.fields(it));
        let mut entries = Vec::new();
        let mut names = Names::new(prefix);
        for (path, span) in paths.iter().flat_map(|it| it.iter()) {
            if path.starts_with("x-") {
                continue;
            }
            let item = Place {
                file: 0,
                span: *span,
            };
            let item = followed(library, item);
            for (key, method) in METHODS {
                let found = match &item {
                    Ok(item) => library.file(item.file).field(item.span, key).map(|span| {
                        let place = Place {
                            file: item.file,
                            span,
                        };
                        followed(library, place).map(|place| (place, *item))
                    }),
                    // An item that cannot be read is named once.
                    Err(problem) => (key == "get").then(|| Err(problem.clone())),
                };
                let Some(place) = found else { continue };
                if entries.len() == MAX_OPERATIONS {
                    return Err(format!("it has more than {MAX_OPERATIONS} operations"));
                }
                let id = place.as_ref().ok().and_then(|it| id_of(library, it.0));
                let name = match id.as_deref().map(names::snake).filter(|it| !it.is_empty()) {
                    Some(name) => name,
                    None => names::of_path(&method, path),
                };
                entries.push(Entry {
                    name: names.take(&name),
                    path: path.clone(),
                    method,
                    id,
                    place,
                });
            }
        }
        Ok(Outline { version, entries })
    }
}

fn version(library: &Library) -> Result<Version, String> {
    let text = |it: Value| match it {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let (openapi, swagger) = (text(library.top("openapi")), text(library.top("swagger")));
    match (openapi.as_deref(), swagger.as_deref()) {
        (Some(version), _) if version.starts_with('3') => Ok(Version::Three),
        (None, Some("2" | "2.0")) => Ok(Version::Two),
        (Some(version), _) | (None, Some(version)) => Err(format!(
            "it is a document of version `{}`; versions 2.0, 3.0 and 3.1 can be imported",
            version.chars().take(20).collect::<String>()
        )),
        (None, None) => {
            Err("it has neither `openapi` nor `swagger`, which say its version".to_owned())
        }
    }
}

/// The place itself, or the place that it refers to.
fn followed(library: &Library, place: Place) -> Result<Place, String> {
    let mut place = place;
    for _ in 0..32 {
        let file = library.file(place.file);
        let Some(fields) = file.fields(place.span) else {
            return Err("it is not an object".to_owned());
        };
        let Some(span) = fields.get("$ref") else {
            return Ok(place);
        };
        let value = file.value(*span)?;
        let reference = value.as_str().ok_or("its `$ref` is not a text")?;
        place = library.place(place.file, reference)?;
    }
    Err("a reference leads to itself".to_owned())
}

fn id_of(library: &Library, place: Place) -> Option<String> {
    let file = library.file(place.file);
    let span = file.field(place.span, "operationId")?;
    let id = file.value(span).ok()?;
    id.as_str().map(str::to_owned)
}
