//! Rules for objects: which fields they have, and what is in them.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::Check;
use super::keywords::Bounds;
use super::node::Id;
use super::part::Part;
use super::pattern::Pattern;
use super::violation::Violation;
use crate::error::excerpt::sentence;
use crate::error::suggestion;

/// What an object must be.
#[derive(Default)]
pub(super) struct ObjectRules {
    pub(super) size: Bounds,
    pub(super) required: Vec<String>,
    pub(super) properties: Vec<(String, Id)>,
    pub(super) patterns: Vec<(Pattern, Id)>,
    pub(super) rest: Rest,
    /// Whether all fields are described that have no schema of their own.
    pub(super) describes_rest: bool,
    pub(super) names: Option<Id>,
    /// The names that a field asks for.
    pub(super) dependent: Vec<(String, Vec<String>)>,
    /// The schema that a field asks for.
    pub(super) dependent_schemas: Vec<(String, Id)>,
}

/// What the fields must be that have no schema of their own.
#[derive(Default)]
pub(super) enum Rest {
    #[default]
    Anything,
    Nothing,
    Schema(Id),
}

type Field<'f> = (Cow<'f, str>, &'f RawValue);

impl ObjectRules {
    pub(super) fn is_free(&self) -> bool {
        self.size.is_free()
            && self.required.is_empty()
            && self.properties.is_empty()
            && self.patterns.is_empty()
            && matches!(self.rest, Rest::Anything)
            && self.names.is_none()
            && self.dependent.is_empty()
            && self.dependent_schemas.is_empty()
    }

    pub(super) fn check(&self, check: &Check<'_>, part: &Part<'_>) -> Result<(), Violation> {
        let fields = part.fields()?;
        self.unknown(fields)?;
        self.known(check, fields)?;
        self.others(check, fields)?;
        self.named(check, fields)?;
        self.size.check(fields.len(), "field")?;
        self.depending(check, part)
    }

    /// Whether the field is described here.
    pub(super) fn evaluates(&self, name: &str) -> bool {
        self.describes_rest || self.describes(name)
    }

    /// The schemas that fields of this object ask for.
    pub(super) fn depending_on(&self, part: &Part<'_>) -> Result<Vec<Id>, Violation> {
        let fields = part.fields()?;
        let is_given = |name: &str| fields.iter().any(|it| it.0 == name);
        let asked = self.dependent_schemas.iter().filter(|it| is_given(&it.0));
        Ok(asked.map(|it| it.1).collect())
    }

    fn unknown(&self, fields: &[Field<'_>]) -> Result<(), Violation> {
        if !matches!(self.rest, Rest::Nothing) {
            return Ok(());
        }
        let unknown = fields.iter().find(|it| !self.describes(&it.0));
        match unknown {
            Some((name, _)) => Err(Violation::form(self.sentence(name)).at_field(name)),
            None => Ok(()),
        }
    }

    fn describes(&self, name: &str) -> bool {
        self.properties.iter().any(|it| it.0 == name)
            || self.patterns.iter().any(|it| it.0.matches(name))
    }

    /// What serde says of an unknown field, and the names that were perhaps meant.
    fn sentence(&self, name: &str) -> String {
        let names: Vec<String> = self
            .properties
            .iter()
            .map(|it| format!("`{}`", it.0))
            .collect();
        let expected = match &*names {
            [] => "there are no fields".to_owned(),
            [one] => format!("expected {one}"),
            [one, other] => format!("expected {one} or {other}"),
            several => format!("expected one of {}", several.join(", ")),
        };
        let known = self.properties.iter().map(|it| &*it.0);
        let hint = suggestion::hint(&suggestion::closest(name, known));
        let said = sentence(&format!("unknown field `{name}`, {expected}")).into_owned();
        said + &hint
    }

    fn known(&self, check: &Check<'_>, fields: &[Field<'_>]) -> Result<(), Violation> {
        for (name, schema) in &self.properties {
            let mut is_given = false;
            for (_, raw) in fields.iter().filter(|it| it.0 == *name) {
                is_given = true;
                check.value(*schema, raw).map_err(|it| it.in_field(name))?;
            }
            if !is_given && self.required.contains(name) {
                return Err(missing(name));
            }
        }
        let is_given = |name: &String| fields.iter().any(|it| it.0 == *name);
        match self.required.iter().find(|it| !is_given(it)) {
            Some(name) => Err(missing(name)),
            None => Ok(()),
        }
    }

    /// The fields that patterns describe, or nothing but their being others.
    fn others(&self, check: &Check<'_>, fields: &[Field<'_>]) -> Result<(), Violation> {
        for (name, raw) in fields {
            let patterns = self.patterns.iter().filter(|it| it.0.matches(name));
            let mut is_described = self.properties.iter().any(|it| it.0 == *name);
            for (_, schema) in patterns {
                is_described = true;
                check.value(*schema, raw).map_err(|it| it.in_field(name))?;
            }
            if let (Rest::Schema(schema), false) = (&self.rest, is_described) {
                check.value(*schema, raw).map_err(|it| it.in_field(name))?;
            }
        }
        Ok(())
    }

    fn named(&self, check: &Check<'_>, fields: &[Field<'_>]) -> Result<(), Violation> {
        let Some(schema) = self.names else {
            return Ok(());
        };
        for (name, _) in fields {
            let text = serde_json::Value::from(&**name).to_string();
            check.part(schema, &Part::new(&text)).map_err(|it| {
                let problem = format!("its name {}", it.problem());
                match it.is_limit() {
                    true => it,
                    false => Violation::new(problem).at_field(name),
                }
            })?;
        }
        Ok(())
    }

    fn depending(&self, check: &Check<'_>, part: &Part<'_>) -> Result<(), Violation> {
        let fields = part.fields()?;
        let is_given = |name: &str| fields.iter().any(|it| it.0 == name);
        for (name, needed) in self.dependent.iter().filter(|it| is_given(&it.0)) {
            if let Some(lacking) = needed.iter().find(|it| !is_given(it)) {
                let problem = format!("missing field `{lacking}`, which goes with `{name}`");
                return Err(Violation::form(problem).at_field(lacking));
            }
        }
        let mut asked = self.depending_on(part)?.into_iter();
        asked.try_for_each(|it| check.part(it, part))
    }
}

fn missing(name: &str) -> Violation {
    Violation::form(format!("missing field `{name}`")).at_field(name)
}
