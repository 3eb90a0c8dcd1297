//! The keywords of a schema, each read once and never overlooked.

use serde_json::{Map, Value};

use super::violation::Violation;

/// What only describes: no value breaks it.
const NOTES: [&str; 17] = [
    "$schema",
    "$anchor",
    "$comment",
    "$defs",
    "definitions",
    "title",
    "description",
    "default",
    "examples",
    "example",
    "deprecated",
    "readOnly",
    "writeOnly",
    "enumNames",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
];

/// From how many to how many.
#[derive(Default)]
pub(super) struct Bounds {
    least: Option<u64>,
    most: Option<u64>,
}

/// The keywords of one schema, and its place (JSONPath).
pub(super) struct Keywords<'s> {
    fields: &'s Map<String, Value>,
    pub(super) place: String,
    known: Vec<&'static str>,
    pub(super) problems: Vec<String>,
}

impl<'s> Keywords<'s> {
    pub(super) fn new(fields: &'s Map<String, Value>, place: &str) -> Keywords<'s> {
        Keywords {
            fields,
            place: place.to_owned(),
            known: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// The value of a keyword, if it is there.
    pub(super) fn get(&mut self, keyword: &'static str) -> Option<&'s Value> {
        self.known.push(keyword);
        self.fields.get(keyword)
    }

    /// The value as `read` wants it; what it cannot read is a problem.
    pub(super) fn read<T>(
        &mut self,
        keyword: &'static str,
        expected: &str,
        read: impl FnOnce(&'s Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(keyword)?;
        let read = read(value);
        if read.is_none() {
            self.refuse(keyword, format!("is not {expected}"));
        }
        read
    }

    pub(super) fn count(&mut self, keyword: &'static str) -> Option<u64> {
        self.read(keyword, "a whole number of at least 0", |it| {
            // A count may be written with a fraction of zero.
            let whole = it.as_f64().filter(|it| it.fract() == 0.0 && *it >= 0.0);
            it.as_u64().or(whole.map(|it| it as u64))
        })
    }

    pub(super) fn bounds(&mut self, least: &'static str, most: &'static str) -> Bounds {
        Bounds {
            least: self.count(least),
            most: self.count(most),
        }
    }

    pub(super) fn names(&mut self, keyword: &'static str) -> Vec<String> {
        let names = self.read(keyword, "a list of names", names_of);
        names.unwrap_or_default()
    }

    /// Says that a keyword cannot be enforced, and why.
    pub(super) fn refuse(&mut self, keyword: &str, problem: impl Into<String>) {
        let (place, problem) = (&self.place, problem.into());
        self.problems
            .push(format!("`{keyword}` at `{place}` {problem}"));
    }

    /// Refuses what nobody has asked for.
    pub(super) fn refuse_others(&mut self) {
        let is_known = |keyword: &str| {
            self.known.contains(&keyword) || NOTES.contains(&keyword) || keyword.starts_with("x-")
        };
        let others: Vec<&String> = self.fields.keys().filter(|it| !is_known(it)).collect();
        for keyword in others {
            self.refuse(
                keyword,
                "cannot be enforced: remove it, or let the function check it and say so in `description`",
            );
        }
    }
}

impl Bounds {
    pub(super) fn is_free(&self) -> bool {
        self.least.is_none_or(|it| it == 0) && self.most.is_none()
    }

    pub(super) fn check(&self, count: usize, what: &str) -> Result<(), Violation> {
        let count = count as u64;
        let is_good =
            self.least.is_none_or(|it| count >= it) && self.most.is_none_or(|it| count <= it);
        match is_good {
            true => Ok(()),
            false => Err(Violation::new(format!("must have {}", self.sentence(what)))),
        }
    }

    /// Such as `from 1 to 3 items`.
    pub(super) fn sentence(&self, what: &str) -> String {
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        match (self.least.filter(|it| *it > 0), self.most) {
            (Some(least), Some(most)) if least == most => {
                format!("exactly {least} {what}{}", plural(least))
            }
            (Some(least), Some(most)) => format!("from {least} to {most} {what}s"),
            (Some(least), None) => format!("at least {least} {what}{}", plural(least)),
            (None, Some(0)) => format!("no {what}s"),
            (None, Some(most)) => format!("at most {most} {what}{}", plural(most)),
            (None, None) => format!("any number of {what}s"),
        }
    }

    /// At least one, where nothing else is said.
    pub(super) fn or_one(self) -> Bounds {
        Bounds {
            least: self.least.or(Some(1)),
            ..self
        }
    }
}

pub(super) fn names_of(value: &Value) -> Option<Vec<String>> {
    let names = value.as_array()?.iter();
    names.map(|it| it.as_str().map(str::to_owned)).collect()
}
