//! Rules for arrays: their length, their items, and what they must contain.

use std::collections::HashMap;

use super::Check;
use super::canonical::canonical;
use super::keywords::Bounds;
use super::node::Id;
use super::part::Part;
use super::violation::Violation;

/// What an array must be.
#[derive(Default)]
pub(super) struct ArrayRules {
    pub(super) length: Bounds,
    pub(super) first: Vec<Id>,
    pub(super) rest: Option<Id>,
    pub(super) is_unique: bool,
    /// How many items must fit, and what.
    pub(super) contains: Option<(Bounds, Id)>,
}

impl ArrayRules {
    pub(super) fn is_free(&self) -> bool {
        self.length.is_free()
            && self.first.is_empty()
            && self.rest.is_none()
            && !self.is_unique
            && self.contains.is_none()
    }

    pub(super) fn check(&self, check: &Check<'_>, part: &Part<'_>) -> Result<(), Violation> {
        let items = part.items()?;
        self.length.check(items.len(), "item")?;
        for (index, item) in items.iter().enumerate() {
            let schema = self.first.get(index).or(self.rest.as_ref());
            let Some(schema) = schema else {
                break;
            };
            check.value(*schema, item).map_err(|it| it.in_item(index))?;
        }
        self.unique(part)?;
        self.contained(check, part)
    }

    fn unique(&self, part: &Part<'_>) -> Result<(), Violation> {
        if !self.is_unique {
            return Ok(());
        }
        let items = part.items()?;
        let mut seen = HashMap::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let text =
                canonical(item.get()).ok_or_else(|| Violation::limit("is nested too deeply"))?;
            if let Some(other) = seen.insert(text, index) {
                let problem =
                    format!("must not have equal items, as `[{other}]` and `[{index}]` are");
                return Err(Violation::new(problem));
            }
        }
        Ok(())
    }

    fn contained(&self, check: &Check<'_>, part: &Part<'_>) -> Result<(), Violation> {
        let Some((bounds, schema)) = &self.contains else {
            return Ok(());
        };
        let mut count = 0;
        for item in part.items()? {
            match check.value(*schema, item) {
                Ok(()) => count += 1,
                Err(violation) if violation.is_limit() => return Err(violation),
                Err(_) => {}
            }
        }
        bounds.check(count, "item").map_err(|_| {
            Violation::new(format!(
                "must have {} as `contains` describes",
                bounds.sentence("item")
            ))
        })
    }
}
