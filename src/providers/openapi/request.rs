//! The request that is made of the arguments of one call.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderValue;
use serde_json::value::RawValue;

use super::media::Media;
use super::multipart::Multipart;
use super::parameter::{Location, Style};
use super::plan::{Argument, Call, Target};
use super::style;
use crate::error::{Error, Result};

/// A request to the API.
#[derive(Debug)]
pub(super) struct Request {
    /// The path and the query.
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    /// The body with its media type.
    pub(super) body: Option<(Bytes, String)>,
}

type Given<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

impl Call {
    /// The request of a call with these arguments, a JSON object.
    ///
    /// # Errors
    /// `InvalidArgument` for a value that a request cannot have.
    pub(super) fn request(&self, arguments: &RawValue) -> Result<Request> {
        let given: Given<'_> = serde_json::from_str(arguments.get()).map_err(|error| {
            Error::invalid_argument("$", "the arguments must be a JSON object").with_source(error)
        })?;
        let mut request = Request {
            target: self.path(&given)?,
            headers: Vec::new(),
            body: self.body(&given)?,
        };
        let mut cookies: Vec<String> = Vec::new();
        for argument in &self.arguments {
            let (
                Some(raw),
                Target::Parameter {
                    location,
                    style,
                    explode,
                    is_reserved,
                },
            ) = (value(&given, argument), &argument.target)
            else {
                continue;
            };
            let pairs = || style::pairs(&argument.wire, raw, *style, *explode, *is_reserved);
            match location {
                Location::Path => {}
                Location::Query => {
                    for pair in pairs() {
                        request.target.push(if request.target.contains('?') {
                            '&'
                        } else {
                            '?'
                        });
                        request.target.push_str(&pair);
                    }
                }
                Location::Cookie => cookies.extend(pairs()),
                Location::Header => {
                    let text = style::in_header(raw, *style, *explode);
                    if HeaderValue::from_str(&text).is_err() {
                        let problem = "has characters that a header cannot contain";
                        return Err(Error::invalid_argument(&*argument.name, problem));
                    }
                    request.headers.push((argument.wire.clone(), text));
                }
            }
        }
        if !cookies.is_empty() {
            request
                .headers
                .push(("cookie".to_owned(), cookies.join("; ")));
        }
        Ok(request)
    }

    /// The path with the values of its variables, each of which stays within its part.
    fn path(&self, given: &Given<'_>) -> Result<String> {
        let mut path = String::with_capacity(self.path.len() + 32);
        let mut rest = self.path.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            path.push_str(before);
            let is_this = |it: &&Argument| {
                it.wire == name
                    && matches!(
                        it.target,
                        Target::Parameter {
                            location: Location::Path,
                            ..
                        }
                    )
            };
            if let Some(argument) = self.arguments.iter().find(is_this) {
                path.push_str(&variable(given, argument)?);
            }
            rest = after;
        }
        path.push_str(rest);
        let plain = path.split('?').next().unwrap_or_default();
        match plain.split('/').any(|it| matches!(it, "." | "..")) {
            true => {
                let name = self.arguments.first().map_or("$", |it| &*it.name);
                Err(Error::invalid_argument(name, "must not be `.` or `..`"))
            }
            false => Ok(path),
        }
    }

    fn body(&self, given: &Given<'_>) -> Result<Option<(Bytes, String)>> {
        let Some((media, media_type)) = &self.body else {
            return Ok(None);
        };
        let is_body = |it: &&Argument| it.target == Target::Body;
        if let Some(argument) = self.arguments.iter().find(is_body) {
            let raw = given
                .get(&*argument.name)
                .filter(|it| it.get() != "null" || *media == Media::Json);
            return raw
                .map(|raw| whole(*media, media_type, argument, raw))
                .transpose();
        }
        let fields = self
            .arguments
            .iter()
            .filter(|it| matches!(it.target, Target::Field { .. }));
        let fields: Vec<(&Argument, &RawValue)> = fields
            .filter_map(|it| match (given.get(&*it.name), &it.target) {
                (Some(raw), _) => Some((it, *raw)),
                (None, Target::Field { is_null: true, .. }) if self.is_body_required => {
                    Some((it, RawValue::NULL))
                }
                (None, _) => None,
            })
            .collect();
        if fields.is_empty() && !self.is_body_required {
            return Ok(None);
        }
        Ok(Some(match media {
            Media::Form => (form(&fields).into(), media_type.clone()),
            Media::Multipart => multipart(&fields)?,
            _ => (object(&fields).into(), media_type.clone()),
        }))
    }
}

/// A parameter that is given; null stands for an absent one.
fn value<'g>(given: &Given<'g>, argument: &Argument) -> Option<&'g RawValue> {
    given
        .get(&*argument.name)
        .copied()
        .filter(|it| it.get() != "null")
}

fn variable(given: &Given<'_>, argument: &Argument) -> Result<String> {
    let Target::Parameter { style, explode, .. } = &argument.target else {
        return Ok(String::new());
    };
    let refused = |problem: &str| Error::invalid_argument(&*argument.name, problem);
    let raw = value(given, argument).ok_or_else(|| refused("is missing"))?;
    let text = match style {
        Style::Json => style::encode(raw.get()),
        style => style::in_path(&argument.wire, raw, *style, *explode),
    };
    match text.as_str() {
        "" => Err(refused("must not be empty")),
        "." | ".." => Err(refused("must not be `.` or `..`")),
        _ => Ok(text),
    }
}

/// A body that is one argument.
fn whole(
    media: Media,
    media_type: &str,
    argument: &Argument,
    raw: &RawValue,
) -> Result<(Bytes, String)> {
    let bytes = match media {
        Media::Json => raw.get().to_owned().into(),
        Media::Text => style::text(raw).into(),
        Media::Bytes => decode(&argument.name, &style::text(raw))?,
        Media::Form => match style::fields(raw) {
            Some(fields) => {
                let fields = fields.iter().flat_map(|(name, it)| form_pairs(name, it));
                fields.collect::<Vec<_>>().join("&").into()
            }
            None => {
                return Err(Error::invalid_argument(
                    &*argument.name,
                    "must be an object",
                ));
            }
        },
        Media::Multipart => {
            let fields = style::fields(raw);
            let fields = fields
                .ok_or_else(|| Error::invalid_argument(&*argument.name, "must be an object"))?;
            let mut parts = Multipart::new();
            for (name, it) in fields {
                parts.text(&name, None, &style::text(it));
            }
            return Ok(parts.finish());
        }
    };
    Ok((bytes, media_type.to_owned()))
}

/// A JSON object whose values are those of the arguments, byte for byte.
fn object(fields: &[(&Argument, &RawValue)]) -> String {
    let mut json = String::from("{");
    for (place, (argument, raw)) in fields.iter().enumerate() {
        if place > 0 {
            json.push(',');
        }
        json.push_str(&serde_json::Value::from(argument.wire.as_str()).to_string());
        json.push(':');
        json.push_str(raw.get());
    }
    json.push('}');
    json
}

fn form(fields: &[(&Argument, &RawValue)]) -> String {
    let given = fields.iter().filter(|it| it.1.get() != "null");
    let pairs = given.flat_map(|(argument, raw)| form_pairs(&argument.wire, raw));
    pairs.collect::<Vec<_>>().join("&")
}

/// A list is repeated; an object is JSON.
fn form_pairs(name: &str, raw: &RawValue) -> Vec<String> {
    let style = if raw.get().starts_with('{') {
        Style::Json
    } else {
        Style::Form
    };
    style::pairs(name, raw, style, true, false)
}

fn multipart(fields: &[(&Argument, &RawValue)]) -> Result<(Bytes, String)> {
    let mut parts = Multipart::new();
    for (argument, raw) in fields.iter().filter(|it| it.1.get() != "null") {
        let Target::Field {
            media_type,
            is_file,
            ..
        } = &argument.target
        else {
            continue;
        };
        let media_type = media_type.as_deref();
        let values = style::items(raw).unwrap_or_else(|| vec![raw]);
        for value in values {
            match is_file {
                true => {
                    let content = decode(&argument.name, &style::text(value))?;
                    parts.file(&argument.wire, media_type, &content);
                }
                false => {
                    let is_object = value.get().starts_with('{');
                    let json = is_object.then_some("application/json");
                    parts.text(&argument.wire, media_type.or(json), &style::text(value));
                }
            }
        }
    }
    Ok(parts.finish())
}

fn decode(argument: &str, text: &str) -> Result<Bytes> {
    let bytes = STANDARD.decode(text);
    let bytes = bytes
        .map_err(|error| Error::invalid_argument(argument, "is not base64").with_source(error))?;
    Ok(bytes.into())
}
