//! Cuts an encoded result: whole items of its list, and fields that are not selected.

use std::borrow::Cow;
use std::ops::Range;

use super::scan::Scanner;
use super::selection::{Selection, name_of};
use crate::error::{Error, Result};

/// What is added to the last page.
const NO_NEXT: &str = r#""next_cursor":null"#;

/// What is asked for of a result.
pub(super) struct Cut<'a> {
    /// The field of the list that is given page by page.
    pub(super) list: Option<&'a str>,
    pub(super) selection: Option<&'a Selection>,
    /// The items that come before the page.
    pub(super) skip: usize,
    pub(super) limit: Option<usize>,
    pub(super) budget: Option<Budget>,
}

/// The most bytes of a result.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    pub(super) bytes: usize,
    /// Whether a result that cannot be made so small is an error. Otherwise one item is shown all the same.
    pub(super) is_strict: bool,
}

/// The cursors of pages that may come next.
pub(super) struct Cursors<'a> {
    /// The cursor of the page that begins after this many items of the function's list.
    pub(super) behind: &'a dyn Fn(usize) -> Result<String>,
    /// That of the page behind the whole list of the function.
    pub(super) next: Option<String>,
    /// Whether the list of the function has all items there are.
    pub(super) is_whole: bool,
}

/// A result in parts.
struct Parts<'a> {
    /// Its fields with their names in quotes; the list has no text here.
    fields: Vec<(&'a str, Cow<'a, str>)>,
    /// The place of the list among the fields.
    list: Option<usize>,
    /// The text that the items are parts of: the result itself, or what was selected of it.
    source: Cow<'a, str>,
    items: Vec<Range<usize>>,
    /// How many items the function has given.
    given: usize,
    /// The `total` that the result states itself.
    total: Option<&'a str>,
}

impl Cut<'_> {
    /// Whether the result stays as it is but for its end.
    pub(super) fn is_idle(&self, json: &str, is_whole: bool) -> bool {
        let fits = |budget: Budget| json.len() + NO_NEXT.len() <= budget.bytes;
        let is_all = is_whole && self.skip == 0 && self.limit.is_none();
        is_all && self.selection.is_none() && self.budget.is_none_or(fits)
    }

    /// The selected part of a result that is not an object; `None` for all of it.
    pub(super) fn selected(&self, json: &str) -> Option<String> {
        let mut out = String::new();
        self.selection?.write(&mut Scanner::new(json), &mut out);
        Some(out)
    }

    /// The result with the field that says that no page follows; `None` where it has no pages.
    pub(super) fn ended(&self, json: &str) -> Option<String> {
        let end = self.end(None);
        let fields = json.strip_suffix('}').filter(|_| !end.is_empty())?;
        let comma = if Scanner::new(&fields[1..]).peek() == b'"' {
            ","
        } else {
            ""
        };
        Some([fields, comma, &end, "}"].concat())
    }

    /// The result with its page of the list, and the cursor of the next one.
    ///
    /// # Errors
    /// `InvalidArgument` where not even one item fits into the bytes that the call allows.
    pub(super) fn apply(
        &self,
        json: &str,
        cursors: Cursors<'_>,
    ) -> Result<(String, Option<String>)> {
        let parts = self.read(json);
        let count = parts.items.len();
        let next = match self.skip + count < parts.given {
            true => Some((cursors.behind)(self.skip + count)?),
            false => cursors.next,
        };
        let end = self.end(next.as_deref());
        let is_over = |it: &Budget| parts.size() + end.len() > it.bytes;
        let Some(budget) = self.budget.filter(is_over) else {
            return Ok((parts.write(count, &end), next));
        };
        let whole = || cursors.is_whole.then(|| parts.given.to_string());
        let total = parts.total.map(str::to_owned).or_else(whole);
        let total = total.as_deref().unwrap_or("null");
        // The cursor behind the most items is the longest.
        let longest = truncated(count, total, &(cursors.behind)(self.skip + count)?).len();
        let fitting = parts.fitting(budget.bytes.saturating_sub(longest));
        if fitting == 0 && budget.is_strict {
            return Err(self.too_small(&parts, budget, longest));
        }
        let shown = fitting.max(1);
        if shown >= count {
            return Ok((parts.write(count, &end), next));
        }
        let next = (cursors.behind)(self.skip + shown)?;
        let end = truncated(shown, total, &next);
        Ok((parts.write(shown, &end), Some(next)))
    }

    /// What is added to a result from which no item was left out.
    pub(super) fn end(&self, next: Option<&str>) -> String {
        match (self.list, next) {
            (None, _) => String::new(),
            (Some(_), Some(next)) => format!(r#""next_cursor":"{next}""#),
            (Some(_), None) => NO_NEXT.to_owned(),
        }
    }

    fn too_small(&self, parts: &Parts<'_>, budget: Budget, longest: usize) -> Error {
        let first = parts.items.first().map_or(0, ExactSizeIterator::len);
        let what = match self.list.filter(|_| first > 0) {
            Some(list) => format!("not even one item of `{list}` fits"),
            None => "the result does not fit".to_owned(),
        };
        let problem = format!(
            "{what} into {} bytes: allow at least {}, or select fewer `fields` where the function takes them",
            budget.bytes,
            parts.around() + first + 1 + longest
        );
        Error::invalid_argument("max_bytes", problem)
    }

    /// Divides the result into its parts.
    fn read<'j>(&self, json: &'j str) -> Parts<'j> {
        let mut scanner = Scanner::new(json);
        let mut parts = Parts {
            fields: Vec::new(),
            list: None,
            source: Cow::Borrowed(json),
            items: Vec::new(),
            given: 0,
            total: None,
        };
        scanner.take(b'{');
        while let Some(name) = scanner.field() {
            let bare = name_of(name);
            let selection = self
                .selection
                .map_or(Some(&Selection::All), |it| it.of(name));
            match selection {
                None => drop(scanner.value()),
                Some(selection) if self.list == Some(&*bare) && scanner.peek() == b'[' => {
                    parts.list = Some(parts.fields.len());
                    parts.fields.push((name, Cow::Borrowed("")));
                    self.items(&mut scanner, selection, &mut parts);
                }
                Some(Selection::All) => {
                    let text = scanner.value();
                    let is_count = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
                    if bare == "total" && is_count {
                        parts.total = Some(text);
                    }
                    parts.fields.push((name, Cow::Borrowed(text)));
                }
                Some(selection) => {
                    let mut text = String::new();
                    selection.write(&mut scanner, &mut text);
                    parts.fields.push((name, Cow::Owned(text)));
                }
            }
        }
        parts
    }

    /// Takes the items of the page; the others are only counted.
    fn items<'j>(&self, scanner: &mut Scanner<'j>, selection: &Selection, parts: &mut Parts<'j>) {
        let mut selected = String::new();
        let most = self.limit.unwrap_or(usize::MAX);
        scanner.take(b'[');
        while scanner.item() {
            parts.given += 1;
            if parts.given <= self.skip || parts.items.len() >= most {
                scanner.value();
                continue;
            }
            parts.items.push(match selection {
                Selection::All => scanner.place(),
                Selection::Fields(_) => {
                    let start = selected.len();
                    selection.write(scanner, &mut selected);
                    start..selected.len()
                }
            });
        }
        if *selection != Selection::All {
            parts.source = Cow::Owned(selected);
        }
    }
}

impl Parts<'_> {
    /// The bytes of the result without items, with its braces, the commas behind its fields and the brackets of the list.
    /// Each item takes one more than its text for a comma, which the first one does not have.
    fn around(&self) -> usize {
        let fields = self.fields.iter();
        let fields: usize = fields.map(|(name, text)| name.len() + text.len() + 2).sum();
        fields + 2 + self.list.map_or(0, |_| 1)
    }

    fn size(&self) -> usize {
        let items: usize = self.items.iter().map(|it| it.len() + 1).sum();
        self.around() + items.max(1)
    }

    /// How many items fit into this number of bytes, beside the rest of the result.
    fn fitting(&self, bytes: usize) -> usize {
        let mut size = self.around();
        let fits = |item: &&Range<usize>| {
            size += item.len() + 1;
            size <= bytes
        };
        self.items.iter().take_while(fits).count()
    }

    /// The result with its first `items` items.
    fn write(&self, shown: usize, end: &str) -> String {
        let mut out = String::with_capacity(self.size() + end.len());
        out.push('{');
        for (place, (name, text)) in self.fields.iter().enumerate() {
            separate(&mut out);
            out.push_str(name);
            out.push(':');
            match self.list == Some(place) {
                true => self.write_items(shown, &mut out),
                false => out.push_str(text),
            }
        }
        if !end.is_empty() {
            separate(&mut out);
            out.push_str(end);
        }
        out.push('}');
        out
    }

    fn write_items(&self, shown: usize, out: &mut String) {
        out.push('[');
        for (place, item) in self.items[..shown].iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            out.push_str(&self.source[item.clone()]);
        }
        out.push(']');
    }
}

fn separate(out: &mut String) {
    if out.len() > 1 {
        out.push(',');
    }
}

/// What is added to a result from which items were left out.
fn truncated(shown: usize, total: &str, next: &str) -> String {
    format!(
        r#""next_cursor":"{next}","truncated":{{"shown":{shown},"total":{total},"next_cursor":"{next}"}}"#
    )
}
