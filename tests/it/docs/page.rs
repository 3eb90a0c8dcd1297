//! A page of the documentation: its links, its headings and its blocks of code.

use std::path::{Path, PathBuf};

/// One Markdown file.
pub struct Page {
    /// Its path in the package.
    pub path: String,
    pub text: String,
}

/// A fenced block of code.
pub struct Block {
    /// The info string of the fence.
    pub info: String,
    /// The number of its first line.
    pub line: usize,
    pub text: String,
}

/// The folder of the package.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The page at this path of the package.
pub fn read(path: &str) -> Page {
    Page {
        path: path.to_owned(),
        text: std::fs::read_to_string(root().join(path)).unwrap(),
    }
}

/// Every page: those of the package's own folder and those of `docs/`.
pub fn pages() -> Vec<Page> {
    let mut paths = Vec::new();
    for folder in ["", "docs/"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".md") {
                paths.push(format!("{folder}{name}"));
            }
        }
    }
    paths.sort();
    assert!(paths.len() > 10, "the pages were not found: {paths:?}");
    paths.iter().map(|path| read(path)).collect()
}

impl Page {
    /// The path of a file that this page names.
    pub fn beside(&self, file: &str) -> String {
        let mut parts: Vec<&str> = self.path.split('/').collect();
        parts.pop();
        for part in file.split('/') {
            match part {
                ".." => drop(parts.pop()),
                _ => parts.push(part),
            }
        }
        parts.join("/")
    }

    /// The targets of its links, outside of code.
    pub fn links(&self) -> Vec<String> {
        let prose = self.prose();
        let inline = prose.match_indices("](").map(|(at, _)| {
            let rest = &prose[at + 2..];
            rest[..rest.find(')').unwrap()].to_owned()
        });
        inline.collect()
    }

    /// The anchors of its headings, as GitHub makes them.
    pub fn anchors(&self) -> Vec<String> {
        let prose = self.prose();
        let headings = prose.lines().filter(|line| line.starts_with('#'));
        headings
            .map(|line| {
                let text = line.trim_start_matches('#').trim().to_lowercase();
                let kept = text
                    .chars()
                    .filter(|it| it.is_alphanumeric() || [' ', '-', '_'].contains(it));
                kept.collect::<String>().replace(' ', "-")
            })
            .collect()
    }

    /// Its fenced blocks.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (number, line) in self.text.lines().enumerate() {
            match (line.strip_prefix("```"), open.take()) {
                (Some(info), None) => {
                    open = Some(Block {
                        info: info.to_owned(),
                        line: number + 2,
                        text: String::new(),
                    });
                }
                (Some(_), Some(block)) => blocks.push(block),
                (None, Some(mut block)) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                    open = Some(block);
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a block is not closed", self.path);
        blocks
    }

    /// The text without its blocks of code.
    fn prose(&self) -> String {
        let parts = format!("\n{}", self.text);
        let outside = parts.split("\n```").step_by(2);
        outside.collect::<Vec<_>>().join("\n")
    }
}
