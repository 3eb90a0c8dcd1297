//! The page of the settings beside the settings that the program knows.

use std::collections::BTreeSet;

use bifold::{App, Config, provenance};

use super::page::{pages, read};
use crate::architecture::sources;

const PAGE: &str = "docs/settings.md";

/// One line of a table.
struct Row {
    name: String,
    /// The value between backticks; none where the default is said in words.
    default: Option<String>,
}

fn rows() -> Vec<Row> {
    let text = read(PAGE).text;
    let heads = text.lines().filter(|line| line.starts_with("| variable"));
    for head in heads {
        assert_eq!(head, "| variable | default | meaning |");
    }
    let lines = text.lines().filter(|line| line.starts_with("| `"));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            assert_eq!(cells.len(), 3, "{line}");
            assert!(!cells[2].is_empty(), "{line}");
            let quoted = |cell: &str| {
                let inside = cell.strip_prefix('`')?.strip_suffix('`')?;
                Some(inside.replace("<version>", env!("CARGO_PKG_VERSION")))
            };
            Row {
                name: quoted(cells[0]).expect("a name stands between backticks"),
                default: quoted(cells[1]),
            }
        })
        .collect()
}

/// The variables that the fields of the settings say in their doc comments that they are read from.
fn known() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for source in sources().iter().filter(|it| it.module == "config") {
        let docs = source
            .text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("/// `"));
        for doc in docs {
            let head = doc.split(':').next().unwrap();
            let named = head.split('`').step_by(2).filter(|it| is_variable(it));
            names.extend(named.map(str::to_owned));
        }
    }
    assert!(names.len() > 30, "the settings were not found: {names:?}");
    names
}

fn is_variable(text: &str) -> bool {
    ["BIFOLD_", "AWS_", "OTEL_"]
        .iter()
        .any(|it| text.starts_with(it))
        && !text.ends_with('*')
}

#[test]
fn the_tables_list_every_setting_once_and_no_other() {
    let rows = rows();
    let names: BTreeSet<String> = rows.iter().map(|row| row.name.clone()).collect();
    assert_eq!(names.len(), rows.len(), "a setting stands twice");
    let known = known();
    let missing: Vec<_> = known.difference(&names).collect();
    assert!(missing.is_empty(), "`{PAGE}` lacks {missing:?}");
    for name in names.difference(&known) {
        let upstream = name
            .strip_prefix("BIFOLD_")
            .and_then(|it| it.strip_suffix("_URL"));
        assert!(upstream.is_some(), "`{name}` is not known to the program");
    }
}

#[test]
fn a_default_that_is_given_as_a_value_is_the_default() {
    let mut compared = 0;
    for Row { name, default } in rows() {
        let Some(default) = default.filter(|_| !name.ends_with("_URL")) else {
            continue;
        };
        let vars = [(name.clone(), default.clone())].into_iter();
        let config = Config::from_vars(vars).unwrap_or_else(|error| panic!("{error}"));
        let same = format!("{config:?}") == format!("{:?}", Config::default());
        assert!(same, "the default of `{name}` is not `{default}`");
        compared += 1;
    }
    assert!(compared > 15, "only {compared} defaults were compared");
}

#[test]
fn the_urls_of_upstreams_are_those_that_the_bundled_functions_declare() {
    let sources = sources();
    let mut compared = 0;
    for Row { name, default } in rows() {
        let Some(url) = default.filter(|_| name.starts_with("BIFOLD_") && name.ends_with("_URL"))
        else {
            continue;
        };
        let vars = [(name.clone(), url.clone())].into_iter();
        // A URL for an upstream that is not declared is refused.
        let started = App::new(Config::from_vars(vars).unwrap(), provenance::server());
        assert!(started.is_ok(), "{name}: {:?}", started.err());
        let declared = format!("\"{url}\"");
        assert!(
            sources.iter().any(|it| it.text.contains(&declared)),
            "{name}: {url}"
        );
        compared += 1;
    }
    assert_eq!(compared, 3);
}

#[test]
fn every_setting_that_a_page_names_is_in_the_tables() {
    let rows = rows();
    // The changelog also names settings of the past.
    for page in pages().iter().filter(|it| it.path != "CHANGELOG.md") {
        for (start, _) in page.text.match_indices("BIFOLD_") {
            let rest = &page.text[start..];
            let end = rest.find(|it: char| !it.is_ascii_uppercase() && it != '_');
            let name = &rest[..end.unwrap_or(rest.len())];
            let is_listed = rows.iter().any(|row| row.name == name);
            let is_upstream = name == "BIFOLD_" || name.ends_with("_URL");
            assert!(is_listed || is_upstream, "{}: `{name}`", page.path);
        }
    }
}
