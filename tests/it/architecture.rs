//! The house in order: which room may import which, and how every file is written.

mod locks;
pub mod source;

use std::collections::BTreeSet;

use source::sources;

/// Every room from the top down, each with the rooms it imports, all of which stand below it.
const HOUSE: [(&str, &[&str]); 29] = [
    ("main", &["cli", "provenance"]),
    ("lib", &[]),
    (
        "prelude",
        &["app", "registry", "context", "error", "schema"],
    ),
    (
        "cli",
        &[
            "start",
            "lambda",
            "stdio",
            "local",
            "app",
            "lint",
            "providers",
            "client",
            "auth",
            "registry",
            "upstream",
            "telemetry",
            "config",
            "clock",
            "error",
            "schema",
        ],
    ),
    ("start", &["lambda", "local", "app", "telemetry", "config"]),
    (
        "provenance",
        &[
            "app",
            "registry",
            "context",
            "upstream",
            "telemetry",
            "config",
            "testing",
            "clock",
            "error",
        ],
    ),
    ("testing", &["app", "config", "error"]),
    (
        "lambda",
        &[
            "local",
            "app",
            "websocket",
            "context",
            "auth",
            "aws",
            "telemetry",
            "config",
            "http",
            "clock",
            "error",
        ],
    ),
    ("stdio", &["local", "app", "websocket", "clock"]),
    ("local", &["app", "http", "clock"]),
    (
        "app",
        &[
            "providers",
            "websocket",
            "mcp",
            "rest",
            "lint",
            "registry",
            "context",
            "auth",
            "store",
            "aws",
            "upstream",
            "telemetry",
            "config",
            "http",
            "clock",
            "error",
        ],
    ),
    (
        "providers",
        &[
            "client", "registry", "context", "store", "upstream", "config", "clock", "error",
            "schema",
        ],
    ),
    (
        "websocket",
        &[
            "mcp",
            "context",
            "auth",
            "store",
            "aws",
            "telemetry",
            "config",
            "http",
            "clock",
            "error",
        ],
    ),
    (
        "mcp",
        &[
            "registry",
            "context",
            "auth",
            "store",
            "aws",
            "upstream",
            "telemetry",
            "config",
            "http",
            "clock",
            "error",
        ],
    ),
    (
        "rest",
        &[
            "registry",
            "context",
            "auth",
            "upstream",
            "telemetry",
            "config",
            "http",
            "error",
        ],
    ),
    ("lint", &["registry"]),
    (
        "registry",
        &["context", "auth", "telemetry", "clock", "error", "schema"],
    ),
    (
        "context",
        &[
            "auth",
            "store",
            "upstream",
            "telemetry",
            "config",
            "http",
            "clock",
            "error",
            "schema",
        ],
    ),
    ("client", &["upstream", "config", "clock", "error"]),
    (
        "auth",
        &[
            "store", "aws", "upstream", "config", "http", "clock", "error",
        ],
    ),
    ("store", &["aws", "config", "clock", "error"]),
    ("aws", &["upstream", "config", "clock", "error"]),
    ("upstream", &["telemetry", "config", "clock", "error"]),
    ("telemetry", &["config", "error"]),
    ("config", &["http", "clock", "error"]),
    ("http", &["clock"]),
    ("clock", &["error", "schema"]),
    ("schema", &["error"]),
    ("error", &[]),
];

/// The layers of `mcp`, each of which imports itself and those before it.
const MCP: [&str; 4] = ["messages", "methods", "call", "http"];

/// Crates that one module hides from all others.
const HIDDEN: [(&str, &str); 12] = [
    ("reqwest", "upstream"),
    ("rustls", "upstream"),
    ("webpki_roots", "upstream"),
    ("hyper::client", "lambda"),
    ("hyper::server", "local"),
    ("tokio_tungstenite", "websocket"),
    ("tracing_subscriber", "telemetry"),
    ("schemars::generate", "schema"),
    ("opentelemetry_otlp", "telemetry"),
    ("clap", "cli"),
    ("strsim", "error"),
    ("regex_lite", "schema"),
];

/// What a function must not know: how it is asked, and how its upstreams are.
const UNKNOWN_TO_TOOLS: [&str; 5] = ["axum", "http", "reqwest", "bytes", "hyper"];

const MAX_LINES: usize = 400;

#[test]
fn the_table_runs_one_way_and_names_every_room() {
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
fn every_room_imports_what_the_table_says_and_nothing_else() {
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
fn every_layer_of_mcp_imports_only_itself_and_those_before_it() {
    let sources = sources();
    for (place, layer) in MCP.iter().enumerate() {
        let files: Vec<_> = sources
            .iter()
            .filter(|source| source.module == "mcp" && source.stands_in(&["mcp", layer]))
            .collect();
        assert!(!files.is_empty(), "there is no layer `{layer}`");
        for source in files {
            let imports = source.imports_of("mcp");
            let upward = imports.iter().find(|it| !MCP[..=place].contains(&&***it));
            assert_eq!(upward, None, "{} stands in `{layer}`", source.shown());
        }
    }
}

#[test]
fn every_file_of_mcp_but_its_map_stands_in_a_layer() {
    for source in sources().iter().filter(|source| source.module == "mcp") {
        let is_in_layer = MCP.iter().any(|layer| source.stands_in(&["mcp", layer]));
        let is_map = source.stands_in(&["mcp", "mod.rs"]);
        assert!(is_in_layer || is_map, "{}", source.shown());
    }
}

#[test]
fn nothing_but_the_binary_knows_the_bundled_functions() {
    for (module, imports) in HOUSE {
        assert!(
            !imports.contains(&"provenance") || module == "main",
            "`{module}`"
        );
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
    for source in sources()
        .iter()
        .filter(|source| source.module == "provenance")
    {
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
