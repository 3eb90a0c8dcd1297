//! The words of the documentation: those of the field, and none that only this project knows.

use super::page::{Page, pages};

/// Words that stand for something that has a name in the field.
const FOREIGN: [&str; 11] = [
    "door", "doors", "face", "faces", "errand", "errands", "arrival", "arrivals", "ledger",
    "pulse", "whoever",
];

/// The section of the changelog that has to name what was renamed.
const RENAMED: &str = "### Renamed";

#[test]
fn every_page_uses_the_terms_of_the_field() {
    for page in pages() {
        for (number, line) in prose(&page) {
            let words = line.split(|it: char| !it.is_alphanumeric());
            let found = words.map(str::to_lowercase);
            let found: Vec<String> = found.filter(|it| FOREIGN.contains(&it.as_str())).collect();
            assert!(found.is_empty(), "{}:{number}: {found:?}", page.path);
        }
    }
}

/// The numbered lines of a page, without the names of the past.
fn prose(page: &Page) -> Vec<(usize, &str)> {
    let mut is_past = false;
    let lines = page.text.lines().enumerate();
    let kept = lines.filter(|(_, line)| {
        if line.starts_with('#') {
            is_past = page.path == "CHANGELOG.md" && *line == RENAMED;
        }
        !is_past
    });
    kept.map(|(number, line)| (number + 1, line)).collect()
}
