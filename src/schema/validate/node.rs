//! One schema, ready to check values.

use super::Check;
use super::array::ArrayRules;
use super::choice::{Choice, fits};
use super::number::{Multiple, Range};
use super::object::ObjectRules;
use super::part::Part;
use super::text::TextRules;
use super::value::{Kind, Types, Values};
use super::violation::Violation;

/// The place of a node among all.
pub(super) type Id = usize;

/// The rules of one schema.
#[derive(Default)]
pub(super) struct Node {
    /// The schema `false`.
    pub(super) is_never: bool,
    pub(super) types: Option<Types>,
    pub(super) values: Vec<Values>,
    pub(super) range: Range,
    pub(super) multiple: Option<Multiple>,
    pub(super) text: TextRules,
    pub(super) array: ArrayRules,
    pub(super) object: ObjectRules,
    pub(super) choices: Vec<Choice>,
    /// What the fields must be that no schema here has looked at.
    pub(super) unevaluated: Option<Id>,
}

impl Node {
    /// Whether every value fits.
    pub(super) fn is_free(&self) -> bool {
        !self.is_never
            && self.types.is_none()
            && self.values.is_empty()
            && self.range.is_free()
            && self.multiple.is_none()
            && self.text.is_free()
            && self.array.is_free()
            && self.object.is_free()
            && self.choices.is_empty()
            && self.unevaluated.is_none()
    }

    pub(super) fn check(&self, check: &Check<'_>, part: &Part<'_>) -> Result<(), Violation> {
        if self.is_never {
            return Err(Violation::form("must not be given"));
        }
        self.types.as_ref().map_or(Ok(()), |it| it.check(part))?;
        self.values.iter().try_for_each(|it| it.check(part))?;
        match part.kind() {
            Kind::Number => self.number(part)?,
            Kind::String if !self.text.is_free() => self.text.check(part)?,
            Kind::Array if !self.array.is_free() => self.array.check(check, part)?,
            Kind::Object if !self.object.is_free() => self.object.check(check, part)?,
            _ => {}
        }
        self.choices
            .iter()
            .try_for_each(|it| it.check(check, part))?;
        match self.unevaluated {
            Some(schema) if part.kind() == Kind::Object => self.left_over(check, schema, part),
            _ => Ok(()),
        }
    }

    fn number(&self, part: &Part<'_>) -> Result<(), Violation> {
        if !self.range.is_free() {
            self.range.check(part)?;
        }
        self.multiple.as_ref().map_or(Ok(()), |it| it.check(part))
    }

    fn left_over(&self, check: &Check<'_>, schema: Id, part: &Part<'_>) -> Result<(), Violation> {
        for (name, raw) in part.fields()? {
            if !self.describes(check, part, name)? {
                let result = check.value(schema, raw);
                result.map_err(|it| match check.nodes[schema].is_never {
                    true => Violation::form(format!("unknown field `{name}`")).at_field(name),
                    false => it.in_field(name),
                })?;
            }
        }
        Ok(())
    }

    /// Whether this schema, or one that it is combined of and that the value fits, describes the field.
    fn describes(&self, check: &Check<'_>, part: &Part<'_>, name: &str) -> Result<bool, Violation> {
        if self.object.evaluates(name) {
            return Ok(true);
        }
        for id in self.parts(check, part)? {
            check.spend(1)?;
            let node = &check.nodes[id];
            if node.unevaluated.is_some() || node.describes(check, part, name)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The schemas that this one is combined of and that the value fits.
    fn parts(&self, check: &Check<'_>, part: &Part<'_>) -> Result<Vec<Id>, Violation> {
        let mut ids = Vec::new();
        for choice in &self.choices {
            match choice {
                Choice::All(all) => ids.extend(all),
                Choice::Any(some) | Choice::One(some) => {
                    for id in some {
                        ids.extend(fits(check, *id, part)?.then_some(*id));
                    }
                }
                Choice::Not(_) => {}
                Choice::If {
                    condition,
                    then,
                    other,
                } => match fits(check, *condition, part)? {
                    true => ids.extend([*condition].into_iter().chain(*then)),
                    false => ids.extend(*other),
                },
            }
        }
        ids.extend(self.object.depending_on(part)?);
        Ok(ids)
    }
}
