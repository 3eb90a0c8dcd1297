//! Partial results of aggregates: each missing part is named.

use schemars::JsonSchema;
use serde::Serialize;

use crate::context::Context;
use crate::error::{Error, Kind, Result};

/// A part of an aggregate that failed.
#[derive(Clone, Serialize, JsonSchema)]
pub(super) struct MissingPart {
    /// The name of the part.
    part: String,
    /// The stable kind of the failure.
    kind: &'static str,
    /// What went wrong.
    message: String,
}

/// Collects the parts of one aggregate.
#[derive(Default)]
pub(super) struct PartCollector {
    missing: Vec<MissingPart>,
    first: Option<Error>,
    succeeded: usize,
}

impl PartCollector {
    /// For an aggregate whose main part, without which there is no result, has succeeded.
    pub(super) fn with_one_part() -> PartCollector {
        PartCollector {
            succeeded: 1,
            ..PartCollector::default()
        }
    }

    /// The value of the part, or `None` after its failure was recorded.
    pub(super) fn take<T>(&mut self, part: &str, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => {
                self.succeeded += 1;
                Some(value)
            }
            Err(error) => {
                self.missing.push(MissingPart {
                    part: part.to_owned(),
                    kind: error.kind().as_str(),
                    message: error.message().to_owned(),
                });
                self.first.get_or_insert(error);
                None
            }
        }
    }

    /// Adds the missing parts of a nested aggregate, under the name of that aggregate.
    pub(super) fn nest(&mut self, part: &str, missing: &[MissingPart]) {
        let named = missing.iter().map(|it| MissingPart {
            part: format!("{part}.{}", it.part),
            ..it.clone()
        });
        self.missing.extend(named);
    }

    /// The missing parts.
    ///
    /// # Errors
    /// The first failure, if no part succeeded.
    pub(super) fn finish(self, cx: &Context) -> Result<Vec<MissingPart>> {
        if !self.missing.is_empty() {
            cx.mark_partial();
        }
        let invalid = Kind::UpstreamInvalidResponse.as_str();
        if self.missing.iter().any(|part| part.kind == invalid) {
            cx.invalidate_cache();
        }
        match (self.succeeded, self.first) {
            (0, Some(error)) => Err(error),
            _ => Ok(self.missing),
        }
    }
}
