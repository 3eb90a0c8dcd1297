//! Aggregates: what was lost is named, never passed over.

use schemars::JsonSchema;
use serde::Serialize;

use crate::context::Context;
use crate::error::{Error, Kind, Result};

/// A part of an aggregate that failed.
#[derive(Clone, Serialize, JsonSchema)]
pub(super) struct Lost {
    /// The part's name.
    part: String,
    /// The stable kind of the failure.
    kind: &'static str,
    /// What went wrong.
    message: String,
}

/// Collects the parts of one aggregate.
#[derive(Default)]
pub(super) struct Parts {
    lost: Vec<Lost>,
    first: Option<Error>,
    kept: usize,
}

impl Parts {
    /// The part's value, or nothing and an entry that names it.
    pub(super) fn take<T>(&mut self, part: &str, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => {
                self.kept += 1;
                Some(value)
            }
            Err(error) => {
                self.lost.push(Lost {
                    part: part.to_owned(),
                    kind: error.kind().as_str(),
                    message: error.message().to_owned(),
                });
                self.first.get_or_insert(error);
                None
            }
        }
    }

    /// Takes over what a nested aggregate lost, under its name.
    pub(super) fn nest(&mut self, part: &str, lost: &[Lost]) {
        let named = lost.iter().map(|it| Lost {
            part: format!("{part}.{}", it.part),
            ..it.clone()
        });
        self.lost.extend(named);
    }

    /// What was lost.
    ///
    /// # Errors
    /// The first failure where not one part was kept.
    pub(super) fn finish(self, cx: &Context) -> Result<Vec<Lost>> {
        if !self.lost.is_empty() {
            cx.mark_partial();
        }
        let invalid = Kind::UpstreamInvalidResponse.as_str();
        if self.lost.iter().any(|part| part.kind == invalid) {
            cx.invalidate_cache();
        }
        match (self.kept, self.first) {
            (0, Some(error)) => Err(error),
            _ => Ok(self.lost),
        }
    }
}
