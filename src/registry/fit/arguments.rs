//! The arguments that say which part of a result is asked for: their schemas, and how they are taken from those of a call.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::cursor::MAX_CURSOR;
use super::{Fit, List};
use crate::error::{Error, Result, suggestion};
use crate::registry::decode::Arguments;
use crate::registry::tool::Tool;
use crate::schema::{self, Fields, Rules};

/// The names of all such arguments.
const NAMES: [&str; 4] = ["fields", "limit", "cursor", "max_bytes"];

/// The longest list of fields, in characters.
const MAX_FIELDS: usize = 1000;

/// The smallest limit in bytes: there is room for what a result has beside its list.
const MIN_BYTES: usize = 200;

/// What a call asks for.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    #[serde(default)]
    pub(super) fields: Option<String>,
    #[serde(default)]
    pub(super) limit: Option<u32>,
    #[serde(default)]
    pub(super) cursor: Option<String>,
    #[serde(default)]
    pub(super) max_bytes: Option<usize>,
}

/// The arguments of a call in two parts, each the text of an object.
pub(super) struct Split<'a> {
    /// Those of the function.
    pub(super) own: Cow<'a, str>,
    /// Those that say which part is asked for; `None` where there are none.
    extras: Option<String>,
}

impl Fit {
    /// The names of the arguments that this tool has.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        NAMES.into_iter().filter(|name| match *name {
            "fields" => self.selects,
            "max_bytes" => self.trims || self.list.is_some(),
            _ => self.list.is_some(),
        })
    }

    /// Divides the arguments of a call. Text that is not an object is left to the function, which refuses it.
    ///
    /// # Errors
    /// `InvalidArgument` for a name that is unknown and similar to one of these.
    pub(super) fn split<'a>(&self, tool: &Tool, text: &'a str) -> Result<Split<'a>> {
        let whole = Split {
            own: Cow::Borrowed(text),
            extras: None,
        };
        let Ok(Fields(fields)) = serde_json::from_str::<Fields<'_>>(text) else {
            return Ok(whole);
        };
        let is_extra = |name: &str| self.names().any(|it| it == name);
        let (extras, own): (Vec<_>, Vec<_>) = fields.iter().partition(|it| is_extra(&it.0));
        own.iter().try_for_each(|it| self.check(tool, &it.0))?;
        if extras.is_empty() {
            return Ok(whole);
        }
        let object = |fields: Vec<&(Cow<'_, str>, &serde_json::value::RawValue)>| {
            let fields = fields.into_iter();
            let fields = fields.map(|(name, raw)| format!("{}:{raw}", Value::from(&**name)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        };
        Ok(Split {
            own: Cow::Owned(object(own)),
            extras: Some(object(extras)),
        })
    }

    /// The function's own error for a misspelt name would not name these arguments.
    fn check(&self, tool: &Tool, name: &str) -> Result<()> {
        let close = suggestion::closest(name, self.names());
        if close.is_empty() {
            return Ok(());
        }
        let own = tool.own_schema().get("properties");
        match own.is_some_and(|it| it.get(name).is_some()) {
            true => Ok(()),
            false => {
                let problem = format!("unknown field `{name}`{}", suggestion::hint(&close));
                Err(Error::invalid_argument(name, problem))
            }
        }
    }

    /// What a call asks for, decoded and checked as all arguments are.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub(super) fn given(&self, split: &Split<'_>, reads_texts: bool) -> Result<Given> {
        let Some(text) = &split.extras else {
            return Ok(Given::default());
        };
        let (schema, rules) = self.extras();
        let arguments = Arguments {
            text,
            own: &self.own,
            typed: &self.typed,
            published: Some(schema),
            rules: Some(rules),
            reads_texts,
        };
        arguments.decode()
    }

    /// The schema of these arguments, and its rules.
    fn extras(&self) -> &(Value, Rules) {
        self.extras.get_or_init(|| {
            let schema = json!({ "type": "object", "properties": self.properties() });
            let rules = Rules::of(&schema).0;
            (schema, rules)
        })
    }

    /// The schemas of these arguments by name.
    pub(super) fn properties(&self) -> Map<String, Value> {
        let list = self.list.as_ref();
        let named = |name: &'static str| {
            let mut schema = match (name, list) {
                ("fields", _) => fields(list),
                ("limit", Some(list)) => limit(list),
                ("cursor", _) => json!({
                    "type": "string",
                    "minLength": 1,
                    "maxLength": MAX_CURSOR,
                    "description": "`next_cursor` of the page before.",
                }),
                _ => json!({
                    "type": "integer",
                    "minimum": MIN_BYTES,
                    "description": match list {
                        Some(_) => "The maximum size of the result, in bytes of JSON; whole items beyond it are left out.",
                        None => "The maximum size of the result, in bytes of JSON; whole lines beyond it are left out.",
                    },
                }),
            };
            // In the query where the function takes a body too.
            schema["x-in"] = "query".into();
            (name.to_owned(), schema)
        };
        schema::object(self.names().map(named))
    }
}

fn fields(list: Option<&List>) -> Value {
    let example = match list {
        Some(list) => format!("`{}`", list.name),
        None => "`a,b.c`".to_owned(),
    };
    json!({
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_FIELDS,
        "description": format!("Fields of the result, comma-separated paths such as {example}; all without it."),
    })
}

fn limit(list: &List) -> Value {
    let mut schema = json!({
        "type": "integer",
        "minimum": 1,
        "maximum": list.most,
        "description": format!("The maximum number of `{}`.", list.name),
    });
    if let Some(default) = list.default {
        schema["default"] = default.into();
    }
    schema
}
