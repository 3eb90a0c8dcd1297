//! Checks JSON against a schema: each keyword is enforced, or refused when the schema is registered.
//!
//! A schema is compiled once. A value is read from its text, one level at a time and only where the schema looks, so that
//! numbers are exact and repeated names are seen.

mod array;
mod canonical;
mod choice;
mod compile;
mod format;
mod keywords;
mod node;
mod number;
mod object;
mod part;
mod pattern;
mod text;
mod value;
mod violation;

use std::cell::Cell;

use serde_json::Value;
use serde_json::value::RawValue;

use node::{Id, Node};
use part::Part;

pub(crate) use part::Fields;
pub(crate) use violation::Violation;

/// The most schemas that are entered one inside the other: the depth of JSON that serde reads, with a choice at each level.
const MAX_DEPTH: usize = 256;

/// What may be looked at beside what the length of the text allows.
const MIN_STEPS: u64 = 100_000;

/// A schema that is ready to check values.
pub(crate) struct Rules {
    nodes: Vec<Node>,
    root: Id,
}

/// One check of one value.
struct Check<'r> {
    nodes: &'r [Node],
    /// The steps that are left, so that choices inside choices cannot take forever.
    left: Cell<u64>,
    depth: Cell<usize>,
}

impl Rules {
    /// The rules of a schema, and a line for each keyword that cannot be enforced.
    pub(crate) fn of(schema: &Value) -> (Rules, Vec<String>) {
        compile::compile(schema)
    }

    /// Checks the text of a JSON value. What is not JSON passes, since nothing can be decoded from it.
    ///
    /// # Errors
    /// The first violation, fields in the order of the schema.
    pub(crate) fn check(&self, text: &str) -> Result<(), Violation> {
        let Ok(raw) = serde_json::from_str::<&RawValue>(text) else {
            return Ok(());
        };
        let check = Check {
            nodes: &self.nodes,
            left: Cell::new(MIN_STEPS + 64 * text.len() as u64),
            depth: Cell::new(0),
        };
        check.value(self.root, raw)
    }
}

impl Check<'_> {
    fn value(&self, id: Id, raw: &RawValue) -> Result<(), Violation> {
        match self.nodes[id].is_free() {
            true => Ok(()),
            false => self.part(id, &Part::new(raw.get())),
        }
    }

    fn part(&self, id: Id, part: &Part<'_>) -> Result<(), Violation> {
        self.spend(1 + part.raw().len() as u64 / 8)?;
        let depth = self.depth.get();
        if depth >= MAX_DEPTH {
            return Err(Violation::limit("is nested too deeply"));
        }
        self.depth.set(depth + 1);
        let result = self.nodes[id].check(self, part);
        self.depth.set(depth);
        result
    }

    fn spend(&self, steps: u64) -> Result<(), Violation> {
        let left = self.left.get().checked_sub(steps);
        self.left.set(left.unwrap_or(0));
        match left {
            Some(_) => Ok(()),
            None => Err(Violation::limit("is too complex to be checked")),
        }
    }
}
