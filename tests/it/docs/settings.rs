//! The page of the settings matches the settings of the program.

use std::collections::BTreeSet;

use bifold::{App, Config, Setting, provenance};

use super::page::{pages, read};
use crate::architecture::source::sources;

const PAGE: &str = "docs/settings.md";

const START: &str = "<!-- made from the code -->\n";
const END: &str = "<!-- end -->";

/// Variables that only the tests read.
const OF_TESTS: [&str; 1] = ["BIFOLD_RENEW"];

/// The tables of the library and of the bundled functions.
fn tables() -> String {
    let server = provenance::server();
    let own = ("Bundled functions", server.settings().to_vec());
    let groups = Config::settings().into_iter().chain([own]);
    let tables = groups.map(|(group, settings)| {
        let rows: String = settings.iter().map(row).collect();
        format!(
            "\n## {group}\n\n| variable | takes | default | meaning |\n|---|---|---|---|\n{rows}"
        )
    });
    tables.collect::<String>() + "\n"
}

fn row(setting: &Setting) -> String {
    let default = match setting.default() {
        "" => "none".to_owned(),
        default => format!("`{default}`"),
    };
    let (name, takes, meaning) = (setting.name(), setting.takes(), setting.meaning());
    format!("| `{name}` | {takes} | {default} | {meaning} |\n")
}

#[test]
fn the_tables_match_the_code() {
    let text = read(PAGE).text;
    let (before, rest) = text
        .split_once(START)
        .expect("the page has a place for them");
    let (written, after) = rest.split_once(END).expect("the place has an end");
    let tables = tables();
    if std::env::var_os("UPDATE").is_some() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
        std::fs::write(path, [before, START, &tables, END, after].concat()).unwrap();
        return;
    }
    assert!(
        written == tables,
        "`{PAGE}` is not what the code says: see the page"
    );
}

#[test]
fn the_documented_upstream_urls_are_those_of_the_bundled_functions() {
    let sources = sources();
    let text = read(PAGE).text;
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `BIFOLD_"));
    let urls: Vec<(String, &str)> = lines
        .filter_map(|line| {
            let (upstream, rest) = line.split_once("_URL` | `http")?;
            let (url, _) = rest.split_once('`')?;
            Some((format!("BIFOLD_{upstream}_URL"), url))
        })
        .collect();
    assert_eq!(urls.len(), 3);
    for (name, url) in urls {
        let vars = [(name.clone(), format!("http{url}"))].into_iter();
        // A URL for an upstream that is not declared is refused.
        let started = App::new(Config::from_vars(vars, &[]).unwrap(), provenance::server());
        assert!(started.is_ok(), "{name}: {:?}", started.err());
        let declared = format!("\"http{url}\"");
        assert!(
            sources.iter().any(|it| it.text.contains(&declared)),
            "{name}: http{url}"
        );
    }
}

#[test]
fn every_setting_named_on_a_page_is_in_the_tables() {
    let library = Config::settings();
    let server = provenance::server();
    let known = library.iter().flat_map(|(_, settings)| settings);
    let known = known.chain(server.settings()).map(Setting::name);
    let known: BTreeSet<&str> = known.chain(OF_TESTS).collect();
    // The changelog also names settings of the past.
    for page in pages().iter().filter(|it| it.path != "CHANGELOG.md") {
        for (start, _) in page.text.match_indices("BIFOLD_") {
            let rest = &page.text[start..];
            let end = rest.find(|it: char| !it.is_ascii_uppercase() && it != '_');
            let name = &rest[..end.unwrap_or(rest.len())];
            let is_upstream = name == "BIFOLD_" || name.ends_with("_URL");
            assert!(
                known.contains(name) || is_upstream,
                "{}: `{name}`",
                page.path
            );
        }
    }
}
