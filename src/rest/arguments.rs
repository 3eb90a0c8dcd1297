//! Builds the JSON object of the arguments from texts of a path, a query, headers and forms, typed by the tool's
//! schema.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::binding::{Binding, Place};
use crate::error::excerpt::excerpt;
use crate::error::{Error, Result};
use crate::registry::Tool;

/// A parameter's name and text.
pub(super) type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Arguments that are collected from several parts of a request.
pub(super) struct Arguments<'t> {
    tool: &'t Tool,
    binding: &'t Binding,
    /// The JSON object without its closing brace.
    json: String,
    seen: Vec<String>,
}

impl<'t> Arguments<'t> {
    pub(super) fn new(tool: &'t Tool, binding: &'t Binding) -> Arguments<'t> {
        Arguments {
            tool,
            binding,
            json: String::from("{"),
            seen: Vec::new(),
        }
    }

    /// Adds the texts of one part of the request. A list has one text for each item.
    ///
    /// # Errors
    /// `InvalidArgument` for a name that is unknown, repeated or belongs elsewhere, and for a text of another type than
    /// the parameter.
    pub(super) fn texts(&mut self, pairs: &[Pair<'_>], here: &Place) -> Result<()> {
        let mut lists: Vec<&str> = Vec::new();
        for (index, (name, text)) in pairs.iter().enumerate() {
            if lists.contains(&&**name) {
                continue;
            }
            if is_list(self.schema(name, here)?) {
                let items = pairs[index..].iter().filter(|it| it.0 == *name);
                self.list(name, items.map(|it| &*it.1))?;
                lists.push(name);
                continue;
            }
            self.text(name, text)?;
        }
        Ok(())
    }

    /// Adds the text of a parameter.
    ///
    /// # Errors
    /// As [`Arguments::texts`].
    pub(super) fn text(&mut self, name: &str, text: &str) -> Result<()> {
        let schema = self.schema_of(name)?;
        let json = typed(schema, text).map_err(|it| Error::invalid_argument(name, it))?;
        self.put(name, &json)
    }

    /// Adds a list with these texts as its items.
    ///
    /// # Errors
    /// As [`Arguments::texts`].
    fn list<'a>(&mut self, name: &str, texts: impl Iterator<Item = &'a str>) -> Result<()> {
        let items = self.schema_of(name)?.get("items").unwrap_or(&Value::Null);
        let texts = texts.enumerate().map(|(index, text)| {
            let wrong = |it| Error::invalid_argument(format!("{name}[{index}]"), it);
            typed(items, text).map_err(wrong)
        });
        let texts: Vec<String> = texts.collect::<Result<_>>()?;
        self.put(name, &format!("[{}]", texts.join(",")))
    }

    /// Adds an argument in JSON.
    ///
    /// # Errors
    /// `InvalidArgument` if the argument exists already.
    pub(super) fn put(&mut self, name: &str, json: &str) -> Result<()> {
        if self.seen.iter().any(|it| it == name) {
            return Err(Error::invalid_argument(name, "stands more than once"));
        }
        self.seen.push(name.to_owned());
        if self.json.len() > 1 {
            self.json.push(',');
        }
        self.json.push_str(&quoted(name));
        self.json.push(':');
        self.json.push_str(json);
        Ok(())
    }

    /// Whether there are no arguments.
    pub(super) fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// The object.
    pub(super) fn end(mut self) -> String {
        self.json.push('}');
        self.json
    }

    /// The object, continued with the fields of another object, whose opening brace was removed.
    pub(super) fn end_with(mut self, fields: &str) -> String {
        if !fields.trim_start().starts_with('}') {
            self.json.push(',');
        }
        self.json.push_str(fields);
        self.json
    }

    /// The schema of a parameter that is allowed here.
    pub(super) fn schema(&self, name: &str, here: &Place) -> Result<&'t Value> {
        let schema = self.schema_of(name)?;
        check_place(self.binding, name, here)?;
        Ok(schema)
    }

    fn schema_of(&self, name: &str) -> Result<&'t Value> {
        let known = self.tool.parameters();
        let schema = known.and_then(|it| it.get(name));
        schema.ok_or_else(|| Error::invalid_argument(name, unknown(known)))
    }
}

/// Checks that a parameter of this name, if there is one, is allowed in this part of the request.
///
/// # Errors
/// `InvalidArgument` that says where the parameter belongs.
pub(super) fn check_place(binding: &Binding, name: &str, here: &Place) -> Result<()> {
    match binding.place(name) {
        Some(Place::Path) if *here == Place::Query => {
            Err(Error::invalid_argument(name, "stands more than once"))
        }
        Some(place) if place != here => Err(Error::invalid_argument(
            name,
            format!("stands in {}, not in {}", place.shown(), here.shown()),
        )),
        _ => Ok(()),
    }
}

/// The decoded pairs of a query string (WHATWG URL, application/x-www-form-urlencoded).
///
/// # Errors
/// `InvalidArgument` if a pair is not UTF-8.
pub(super) fn pairs<'a>(text: &'a str, place: &str) -> Result<Vec<Pair<'a>>> {
    let parts = text.split('&').filter(|part| !part.is_empty());
    let parts = parts.map(|part| part.split_once('=').unwrap_or((part, "")));
    parts
        .map(|(name, text)| Ok((decode(name, place)?, decode(text, place)?)))
        .collect()
}

/// The name of the first parameter, without its value, which may be a wallet address.
pub(super) fn first_key(query: &str) -> String {
    let key = query.split(['=', '&']).next().unwrap_or("");
    decode(key, "query").map_or_else(|_| "$".to_owned(), Cow::into_owned)
}

fn decode<'a>(text: &'a str, place: &str) -> Result<Cow<'a, str>> {
    let spaced: Cow<'_, str> = if text.contains('+') {
        text.replace('+', " ").into()
    } else {
        text.into()
    };
    let decoded = percent_decode_str(&spaced).decode_utf8();
    let decoded = decoded.map_err(|_| {
        let problem = format!("the {place} is not UTF-8 after percent-decoding");
        Error::invalid_argument("$", problem)
    })?;
    Ok(decoded.into_owned().into())
}

fn unknown(known: Option<&Map<String, Value>>) -> String {
    let names: Vec<String> = known
        .into_iter()
        .flatten()
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    match names.is_empty() {
        true => "there is no such parameter: this function takes none".to_owned(),
        false => format!("there is no such parameter; known: {}", names.join(", ")),
    }
}

pub(super) fn is_list(schema: &Value) -> bool {
    schema.get("type").is_some_and(|it| it == "array")
}

/// The JSON form of a text, by the type that the schema names.
pub(super) fn typed(schema: &Value, text: &str) -> Result<String, String> {
    let shown = || excerpt(text);
    let wanted = schema
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or("string");
    let number = || matches!(serde_json::from_str(text), Ok(Value::Number(_)));
    match wanted {
        "boolean" if matches!(text, "true" | "false") => Ok(text.to_owned()),
        "boolean" => Err(format!("expected `true` or `false`, got `{}`", shown())),
        "integer" | "number"
            if !text.starts_with(char::is_whitespace)
                && !text.ends_with(char::is_whitespace)
                && number() =>
        {
            Ok(text.to_owned())
        }
        "integer" => Err(format!("expected a whole number, got `{}`", shown())),
        "number" => Err(format!("expected a number, got `{}`", shown())),
        "object" => {
            json_text(text, '{').ok_or_else(|| format!("expected a JSON object, got `{}`", shown()))
        }
        "array" => {
            json_text(text, '[').ok_or_else(|| format!("expected a JSON array, got `{}`", shown()))
        }
        _ => Ok(quoted(text)),
    }
}

/// A text as JSON.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("every text has a JSON form")
}

/// The text, if it is JSON that begins so.
fn json_text(text: &str, first: char) -> Option<String> {
    let is_json = serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok();
    (is_json && text.trim_start().starts_with(first)).then(|| text.to_owned())
}
