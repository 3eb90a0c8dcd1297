//! The types of JSON, and values that a schema names.

use std::collections::HashSet;

use serde_json::Value;

use super::canonical::canonical;
use super::number::Decimal;
use super::part::Part;
use super::violation::Violation;

/// How many values of an enum a message names.
const MAX_SHOWN: usize = 50;

/// What a value is by its first character.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

/// The types that a schema allows.
#[derive(Default)]
pub(super) struct Types {
    kinds: Vec<Kind>,
    integer: bool,
}

/// The values that a schema allows.
pub(super) struct Values {
    canonical: HashSet<String>,
    shown: String,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Boolean => "a boolean",
            Kind::Number => "a number",
            Kind::String => "a string",
            Kind::Array => "an array",
            Kind::Object => "an object",
        }
    }

    fn wanted(self) -> &'static str {
        match self {
            Kind::Array => "a JSON array",
            Kind::Object => "a JSON object",
            Kind::Boolean => "`true` or `false`",
            other => other.name(),
        }
    }
}

impl Types {
    /// The type or types of a schema; `None` where one is unknown.
    pub(super) fn of(value: &Value) -> Option<Types> {
        let names = match value {
            Value::Array(names) if !names.is_empty() => names.as_slice(),
            Value::String(_) => std::slice::from_ref(value),
            _ => return None,
        };
        let mut types = Types::default();
        for name in names {
            match name.as_str()? {
                "null" => types.kinds.push(Kind::Null),
                "boolean" => types.kinds.push(Kind::Boolean),
                "number" => types.kinds.push(Kind::Number),
                "string" => types.kinds.push(Kind::String),
                "array" => types.kinds.push(Kind::Array),
                "object" => types.kinds.push(Kind::Object),
                "integer" => types.integer = true,
                _ => return None,
            }
        }
        Some(types)
    }

    pub(super) fn check(&self, part: &Part<'_>) -> Result<(), Violation> {
        let kind = part.kind();
        let is_whole = || kind == Kind::Number && Decimal::of(part.raw()).is_whole();
        if self.kinds.contains(&kind) || self.integer && is_whole() {
            return Ok(());
        }
        let mut wanted: Vec<&str> = self.kinds.iter().map(|it| it.wanted()).collect();
        wanted.extend(self.integer.then_some("a whole number"));
        let (wanted, got) = (wanted.join(" or "), kind.name());
        let got = match self.integer && kind == Kind::Number {
            true => "one with a fraction",
            false => got,
        };
        Err(Violation::form(format!("expected {wanted}, got {got}")))
    }
}

impl Values {
    pub(super) fn of(values: &[Value]) -> Values {
        let texts = values.iter().map(Value::to_string);
        let shown: Vec<String> = values.iter().take(MAX_SHOWN).map(shown).collect();
        let more = match values.len() > MAX_SHOWN {
            true => ", …",
            false => "",
        };
        Values {
            canonical: texts.filter_map(|it| canonical(&it)).collect(),
            shown: match &*shown {
                [] => "not be given".to_owned(),
                [only] => format!("be {only}"),
                several => format!("be one of {}{more}", several.join(", ")),
            },
        }
    }

    pub(super) fn check(&self, part: &Part<'_>) -> Result<(), Violation> {
        let value = canonical(part.raw());
        match value.is_some_and(|it| self.canonical.contains(&it)) {
            true => Ok(()),
            false if self.canonical.len() == 1 => {
                Err(Violation::value(format!("must {}", self.shown)))
            }
            false => Err(Violation::form(format!("must {}", self.shown))),
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    }
}
