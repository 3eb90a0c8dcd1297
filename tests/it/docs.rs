//! The README and the guide: short, linked, and correct, because their examples are run.

mod commands;
mod page;
mod scale;
mod settings;
mod words;

use std::collections::BTreeSet;

use page::{Page, pages, root};

#[test]
fn the_readme_fits_on_a_few_screens() {
    let lines = page::read("README.md").text.lines().count();
    assert!((40..=160).contains(&lines), "{lines} lines");
}

#[test]
fn the_readme_leads_to_every_page_of_the_guide() {
    let linked: BTreeSet<String> = page::read("README.md")
        .links()
        .into_iter()
        .map(|link| link.split('#').next().unwrap().to_owned())
        .collect();
    let guide: Vec<Page> = pages()
        .into_iter()
        .filter(|it| it.path.starts_with("docs/"))
        .collect();
    assert!(guide.len() >= 12, "{} pages", guide.len());
    for page in guide {
        assert!(
            linked.contains(&page.path),
            "`README.md` does not link to `{}`",
            page.path
        );
    }
}

#[test]
fn every_page_opens_with_its_title_and_one_sentence_that_says_what_it_answers() {
    for page in pages()
        .iter()
        .filter(|it| it.path.starts_with("docs/") || it.path == "CONTRIBUTING.md")
    {
        let mut paragraphs = page.text.split("\n\n");
        let (title, first) = (paragraphs.next().unwrap(), paragraphs.next().unwrap());
        assert!(title.starts_with("# "), "{}: {title}", page.path);
        let is_sentence = first.ends_with('.') && !first.contains(". ") && !first.contains('\n');
        assert!(is_sentence, "{}: {first}", page.path);
    }
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut checked = 0;
    for page in pages() {
        for link in page.links() {
            if link.starts_with("https://") || link.starts_with("http://127.0.0.1:8787") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => page.path.clone(),
                _ => page.beside(file),
            };
            let exists = root().join(&target).is_file();
            assert!(exists, "{}: `{link}` leads to no file", page.path);
            if !anchor.is_empty() {
                let anchors = page::read(&target).anchors();
                let is_known = anchors.iter().any(|it| it == anchor);
                assert!(is_known, "{}: `{link}` is none of {anchors:?}", page.path);
            }
            checked += 1;
        }
    }
    assert!(checked > 40, "only {checked} links were found");
}

#[test]
fn every_block_says_its_language_and_json_is_json() {
    let known = [
        "javascript",
        "json",
        "rust",
        "rust,no_run",
        "sh",
        "sh manual",
        "text",
        "toml",
    ];
    for page in pages() {
        for block in page.blocks() {
            let place = format!("{}:{}", page.path, block.line);
            assert!(
                known.contains(&block.info.as_str()),
                "{place}: {}",
                block.info
            );
            if block.info == "json" {
                let json: Result<serde_json::Value, _> = serde_json::from_str(&block.text);
                assert!(json.is_ok(), "{place}: {json:?}");
            }
        }
    }
}

#[test]
fn rust_on_every_page_is_compiled_as_a_documentation_test() {
    let library = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    for page in pages() {
        let has_rust = page.blocks().iter().any(|it| it.info.starts_with("rust"));
        let included = library.contains(&format!("include_str!(\"../{}\")", page.path));
        assert_eq!(included, has_rust, "`src/lib.rs` and `{}`", page.path);
    }
}

#[test]
fn the_versions_of_the_readme_are_those_of_the_package() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let version = |line: &str| {
        let (name, value) = line.split_once(" = ")?;
        let value = value.rsplit("version = \"").next().unwrap();
        let version = value.trim_start_matches('"').split('"').next().unwrap();
        Some((name.to_owned(), version.to_owned()))
    };
    let own = ("bifold".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    let dependencies: Vec<_> = manifest.lines().filter_map(version).chain([own]).collect();
    let blocks = page::read("README.md").blocks();
    let block = blocks.iter().find(|it| it.info == "toml").unwrap();
    let shown: Vec<_> = block.text.lines().filter_map(version).collect();
    assert!(shown.len() >= 3, "{shown:?}");
    for (name, version) in shown {
        let is_same = |it: &&(String, String)| it.0 == name && it.1.starts_with(&version);
        let found = dependencies.iter().find(is_same);
        assert!(found.is_some(), "`{name}` = `{version}`");
    }
}

#[test]
fn the_page_of_the_architecture_lists_every_room() {
    let page = page::read("docs/architecture.md").text;
    let (_, rooms) = page.split_once("## Rooms").unwrap();
    let (rooms, _) = rooms.split_once("\n## ").unwrap();
    let shown: BTreeSet<String> = rooms
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("/`"))
        .map(|(room, _)| room.to_owned())
        .collect();
    let entries = std::fs::read_dir(root().join("src")).unwrap();
    let folders = entries.map(Result::unwrap).filter(|it| it.path().is_dir());
    let folders = folders.map(|it| it.file_name().into_string().unwrap());
    assert_eq!(shown, folders.collect());
}

#[test]
fn the_contribution_guide_explains_every_step_of_the_checks() {
    let script = std::fs::read_to_string(root().join(".ci/run")).unwrap();
    let list = |name: &str| {
        let line = script.lines().find(|it| it.starts_with(name)).unwrap();
        let inside = line.split_once('(').unwrap().1.trim_end_matches(')');
        inside.split(' ').map(str::to_owned).collect::<Vec<_>>()
    };
    let steps = [list("steps=("), list("also=(")].concat();
    assert!(steps.len() > 15, "{steps:?}");
    let guide = page::read("CONTRIBUTING.md").text;
    let table: Vec<&str> = guide.lines().filter(|it| it.starts_with("| `")).collect();
    for step in steps {
        let is_explained = table.iter().any(|row| row.contains(&format!("`{step}`")));
        assert!(is_explained, "`{step}` is not explained");
    }
}

#[test]
fn the_changelog_has_an_entry_for_the_version_of_the_package() {
    let heading = format!("## [{}]", env!("CARGO_PKG_VERSION"));
    let changelog = page::read("CHANGELOG.md").text;
    assert!(
        changelog.lines().any(|it| it.starts_with(&heading)),
        "no `{heading}`"
    );
}
