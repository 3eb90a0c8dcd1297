//! The house in order: which module may know which, and how every file is written.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Every module from the top down, each with the modules it imports, all of which stand below it.
const HOUSE: [(&str, &[&str]); 40] = [
    ("main", &["cli"]),
    (
        "cli",
        &[
            "lambda",
            "local",
            "tools",
            "app",
            "lint",
            "replay",
            "telemetry",
            "config",
        ],
    ),
    ("lib", &[]),
    (
        "lambda",
        &[
            "app",
            "ws",
            "context",
            "invoke",
            "telemetry",
            "trace",
            "deadline",
            "error",
            "config",
        ],
    ),
    ("local", &["app"]),
    (
        "app",
        &[
            "invoke",
            "updates",
            "ws",
            "mcp",
            "rest",
            "server",
            "cors",
            "lint",
            "registry",
            "entry",
            "context",
            "store",
            "upstream",
            "telemetry",
            "deadline",
            "error",
            "config",
            "origin",
            "trace",
        ],
    ),
    (
        "ws",
        &[
            "mcp",
            "invoke",
            "entry",
            "context",
            "store",
            "aws",
            "telemetry",
            "deadline",
            "error",
            "origin",
            "config",
            "secret",
            "trace",
        ],
    ),
    (
        "mcp",
        &[
            "invoke",
            "updates",
            "server",
            "registry",
            "entry",
            "context",
            "client",
            "store",
            "capability",
            "telemetry",
            "upstream",
            "deadline",
            "error",
            "origin",
            "config",
            "clock",
            "secret",
            "trace",
        ],
    ),
    (
        "rest",
        &[
            "server",
            "registry",
            "context",
            "telemetry",
            "upstream",
            "error",
        ],
    ),
    (
        "tools",
        &[
            "batch",
            "server",
            "registry",
            "context",
            "client",
            "count",
            "object",
            "upstream",
            "telemetry",
            "error",
            "clock",
            "similar",
        ],
    ),
    ("server", &["updates", "registry", "upstream"]),
    ("lint", &["registry"]),
    ("cors", &["registry", "telemetry", "origin"]),
    (
        "batch",
        &[
            "registry",
            "context",
            "count",
            "object",
            "telemetry",
            "deadline",
            "error",
        ],
    ),
    (
        "registry",
        &[
            "context",
            "error",
            "schema",
            "capability",
            "clock",
            "similar",
        ],
    ),
    ("entry", &["context", "telemetry"]),
    (
        "context",
        &[
            "updates", "client", "store", "upstream", "spans", "deadline", "error", "config",
            "clock", "trace",
        ],
    ),
    ("client", &["error", "schema", "capability"]),
    ("invoke", &["aws", "deadline", "error", "config"]),
    ("store", &["aws", "deadline", "error", "config"]),
    ("aws", &["upstream", "once", "deadline", "error", "config"]),
    (
        "upstream",
        &["flight", "spans", "deadline", "error", "config", "trace"],
    ),
    ("once", &["flight", "deadline", "error"]),
    ("flight", &["deadline"]),
    ("replay", &["config", "clock"]),
    ("spans", &["telemetry", "config", "trace"]),
    ("telemetry", &["error", "trace"]),
    ("deadline", &[]),
    ("error", &["capability"]),
    ("config", &["clock", "secret"]),
    ("clock", &[]),
    ("origin", &[]),
    ("similar", &[]),
    ("capability", &[]),
    ("schema", &[]),
    ("secret", &[]),
    ("trace", &[]),
    ("updates", &[]),
    ("count", &[]),
    ("object", &[]),
];

/// Crates that one module hides from all others.
const HIDDEN: [(&str, &str); 11] = [
    ("reqwest", "upstream"),
    ("rustls", "upstream"),
    ("webpki_roots", "upstream"),
    ("hyper::client", "lambda"),
    ("hyper::server", "local"),
    ("tokio_tungstenite", "ws"),
    ("tracing_subscriber", "telemetry"),
    ("schemars::generate", "schema"),
    ("opentelemetry_otlp", "spans"),
    ("clap", "cli"),
    ("strsim", "similar"),
];

/// What a function must not know: how it is asked, and how its upstreams are.
const UNKNOWN_TO_TOOLS: [&str; 5] = ["axum", "http", "reqwest", "bytes", "lambda_runtime"];

const MAX_LINES: usize = 400;

/// One file of `src`.
struct Source {
    path: PathBuf,
    /// The module at the root that it belongs to.
    module: String,
    text: String,
}

impl Source {
    /// The text without comments and without unit tests, which stand at the end of a file.
    fn code(&self) -> String {
        let text = self.text.split("#[cfg(test)]").next().unwrap();
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// The modules that this file names: after `crate::` in the library, after `bifold::` and `mod` in the binary.
    fn imports(&self) -> BTreeSet<String> {
        let code = self.code();
        let mut found = BTreeSet::new();
        match self.module.as_str() {
            "main" => found.extend(
                code.lines()
                    .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';')),
            ),
            "cli" => found.extend(heads(&code, "bifold::")),
            _ => found.extend(heads(&code, "crate::")),
        }
        let modules = found.into_iter().map(|name| match name {
            // The library shows these two under its own name.
            "App" => "app".to_owned(),
            "Config" => "config".to_owned(),
            other => other.to_owned(),
        });
        modules.filter(|name| *name != self.module).collect()
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

fn sources() -> Vec<Source> {
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

#[test]
fn the_table_runs_one_way_and_names_every_module() {
    let names: Vec<&str> = HOUSE.iter().map(|row| row.0).collect();
    for (place, (module, imports)) in HOUSE.iter().enumerate() {
        for import in *imports {
            assert!(
                names[place + 1..].contains(import),
                "`{import}` does not stand below `{module}`"
            );
        }
    }
    let expected: BTreeSet<&str> = names.iter().copied().collect();
    let sources = sources();
    let found: BTreeSet<&str> = sources
        .iter()
        .map(|source| source.module.as_str())
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn every_module_imports_what_the_table_says_and_nothing_else() {
    let sources = sources();
    for (module, allowed) in HOUSE {
        let mut unused: BTreeSet<&str> = allowed.iter().copied().collect();
        for source in sources.iter().filter(|source| source.module == module) {
            for import in source.imports() {
                assert!(
                    allowed.contains(&&*import),
                    "{} imports `{import}`, which the table does not allow",
                    source.shown()
                );
                unused.remove(&*import);
            }
        }
        assert!(
            unused.is_empty(),
            "`{module}` no longer imports {unused:?}: take them out of the table"
        );
    }
}

#[test]
fn nothing_but_the_command_line_knows_the_bundled_functions() {
    for (module, imports) in HOUSE {
        assert!(!imports.contains(&"tools") || module == "cli", "`{module}`");
    }
}

#[test]
fn a_crate_that_one_module_hides_is_named_by_no_other() {
    for source in sources() {
        let code = source.code();
        for (hidden, owner) in HIDDEN {
            let named =
                code.contains(&format!("{hidden}::")) || code.contains(&format!("use {hidden};"));
            assert!(
                !named || source.module == owner,
                "{} names `{hidden}`, which only `{owner}` may",
                source.shown()
            );
        }
    }
    for (hidden, owner) in HIDDEN {
        let used = sources()
            .iter()
            .any(|it| it.module == owner && it.code().contains(&format!("{hidden}::")));
        assert!(
            used,
            "`{owner}` no longer names `{hidden}`: take it out of the table"
        );
    }
}

#[test]
fn a_function_names_neither_a_protocol_nor_a_client() {
    for source in sources().iter().filter(|source| source.module == "tools") {
        let code = source.code();
        for unknown in UNKNOWN_TO_TOOLS {
            assert!(
                !code.contains(&format!("{unknown}::")),
                "{} names `{unknown}`",
                source.shown()
            );
        }
    }
}

#[test]
fn every_file_opens_with_a_sentence_that_says_what_it_is_for() {
    for source in sources() {
        let paragraph: Vec<&str> = source
            .text
            .lines()
            .map_while(|line| line.strip_prefix("//! "))
            .collect();
        let sentence = paragraph.join(" ");
        assert!(
            sentence.contains('.'),
            "{} opens with {sentence:?}",
            source.shown()
        );
        assert!(
            sentence.len() > 20,
            "{} opens with {sentence:?}",
            source.shown()
        );
    }
}

#[test]
fn nothing_is_unwrapped_outside_tests() {
    for source in sources() {
        assert!(!source.code().contains(".unwrap()"), "{}", source.shown());
    }
}

#[test]
fn no_file_is_longer_than_one_noun_needs() {
    for source in sources() {
        let lines = source.text.lines().count();
        assert!(lines <= MAX_LINES, "{} has {lines} lines", source.shown());
    }
}
