//! The files of `src`, and what each of them names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// One file of `src`.
pub struct Source {
    path: PathBuf,
    /// The module at the root that it belongs to.
    pub module: String,
    pub text: String,
}

impl Source {
    /// The text without comments and without unit tests, which stand at the end of a file or are all of it.
    pub fn code(&self) -> String {
        let marks = ["#[cfg(test)]", "#![cfg(test)]"];
        let ends = marks.iter().filter_map(|it| self.text.find(it));
        let text = &self.text[..ends.min().unwrap_or(self.text.len())];
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        lines.collect::<Vec<_>>().join("\n")
    }

    pub fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// Whether its path begins with those folders.
    pub fn stands_in(&self, folders: &[&str]) -> bool {
        self.path.starts_with(folders.iter().collect::<PathBuf>())
    }

    /// What this file names after `crate::room::`. It must not reach its own room by another way.
    pub fn imports_of(&self, room: &str) -> BTreeSet<String> {
        let code = self.code();
        assert!(!code.contains("super::super"), "{}", self.shown());
        let names = heads(&code, &format!("crate::{room}::"));
        names.into_iter().map(str::to_owned).collect()
    }

    /// The rooms that this file names: after `crate::` in the library, after `bifold::` in the binary.
    pub fn imports(&self) -> BTreeSet<String> {
        let code = self.code();
        let found = match self.module.as_str() {
            "main" => heads(&code, "bifold::"),
            _ => heads(&code, "crate::"),
        };
        let rooms = found.into_iter().map(|name| match name {
            // The library shows this function at its root.
            "main" => "cli".to_owned(),
            other => other.to_owned(),
        });
        rooms.filter(|name| *name != self.module).collect()
    }
}

/// The first names after every `prefix`: one, or those of a group in braces.
fn heads<'c>(code: &'c str, prefix: &str) -> Vec<&'c str> {
    let name = |text: &'c str| {
        let end = text.find(|it: char| !it.is_alphanumeric() && it != '_');
        &text[..end.unwrap_or(text.len())]
    };
    let starts = code.match_indices(prefix).map(|(start, _)| start);
    // `bifold::` also ends a longer name, which is another one.
    let whole = starts
        .filter(|start| !code[..*start].ends_with(|it: char| it.is_alphanumeric() || it == '_'));
    whole
        .flat_map(|start| {
            let rest = &code[start + prefix.len()..];
            match rest.strip_prefix('{') {
                Some(group) => {
                    let group = &group[..group.find(';').unwrap_or(group.len())];
                    group
                        .split(',')
                        .map(|it| name(it.trim_start()))
                        .filter(|it| !it.is_empty())
                        .collect()
                }
                None => vec![name(rest)],
            }
        })
        .collect()
}

pub fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let inside = path.strip_prefix(&root).unwrap();
                let first = inside.iter().next().unwrap().to_str().unwrap();
                sources.push(Source {
                    module: first.trim_end_matches(".rs").to_owned(),
                    text: std::fs::read_to_string(&path).unwrap(),
                    path: inside.to_owned(),
                });
            }
        }
    }
    assert!(sources.len() > 40, "the files of `src` were not found");
    sources
}
