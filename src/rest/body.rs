//! Reads the arguments from the body of a request: JSON, a form, a form with files, or a file.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::body::Bytes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_TYPE, ORIGIN};
use http::{HeaderMap, StatusCode};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::arguments::{self, Arguments};
use super::binding::{Binding, FORM, JSON, MULTIPART, Place};
use super::multipart;
use super::table::Endpoint;
use crate::error::{Error, Result};
use crate::http::origin::AllowedOrigins;
use crate::http::refusal::Refusal;

/// How a body is read, by its media type.
pub(super) enum Kind {
    Json,
    Form,
    Multipart,
    /// A file of this media type.
    File(String),
}

impl Kind {
    /// The kind of a body that is not empty.
    ///
    /// # Errors
    /// The function does not accept this media type, or the page that sends it is not allowed to.
    pub(super) fn of(
        headers: &HeaderMap,
        endpoint: &Endpoint,
        origins: &AllowedOrigins,
    ) -> Result<Kind, Refusal> {
        let kind = match media_type(headers).as_str() {
            JSON => return Ok(Kind::Json),
            FORM => Some(Kind::Form),
            MULTIPART if endpoint.binding().takes_files() => Some(Kind::Multipart),
            other => {
                let raw = endpoint.binding().raw();
                let raw = raw.filter(|raw| !other.is_empty() && raw.takes(other));
                raw.map(|_| Kind::File(other.to_owned()))
            }
        };
        let kind = kind.ok_or_else(|| unsupported(endpoint.binding()))?;
        check_page(headers, origins)?;
        Ok(kind)
    }
}

/// The media type without its parameters, in lower case.
fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE);
    let value = value.and_then(|it| it.to_str().ok()).unwrap_or("");
    let kind = value.split(';').next().unwrap_or("").trim();
    kind.to_ascii_lowercase()
}

fn unsupported(binding: &Binding) -> Refusal {
    let accepted = binding.accepted();
    let others: Vec<String> = accepted[1..].iter().map(|it| format!("`{it}`")).collect();
    Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        format!(
            "the body must be JSON: send `Content-Type: application/json`; also taken: {}",
            others.join(", ")
        ),
    )
}

/// Any web page can send a form without a preflight, and its user would not expect that. JSON needs a preflight.
fn check_page(headers: &HeaderMap, origins: &AllowedOrigins) -> Result<(), Refusal> {
    match headers.get(ORIGIN) {
        Some(origin) if !origins.admit(origin, headers) => Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "forbidden_origin",
            "pages of this origin may send no forms and files: list it in `BIFOLD_ALLOWED_ORIGINS`",
        )),
        _ => Ok(()),
    }
}

/// The JSON object of the arguments: those collected so far, and those in the body.
///
/// # Errors
/// `InvalidArgument` with the path of the mistake.
pub(super) async fn read<'b>(
    mut arguments: Arguments<'_>,
    (kind, headers): (Kind, &HeaderMap),
    body: &'b Bytes,
    binding: &Binding,
) -> Result<Cow<'b, str>> {
    match kind {
        Kind::Json => {
            let object = object(body)?;
            check_fields(&object, binding)?;
            return Ok(merged(arguments, object));
        }
        Kind::Form => {
            let text = text(body)?;
            let pairs = arguments::pairs(text, "form")?;
            arguments.texts(&pairs, &Place::Body)?;
        }
        Kind::Multipart => multipart::read(&mut arguments, headers, body).await?,
        Kind::File(media_type) => {
            let raw = binding.raw();
            let raw = raw.expect("a file is a kind of body only where a parameter takes it");
            arguments.put(&raw.parameter, &upload(None, &media_type, body))?;
        }
    }
    Ok(arguments.end().into())
}

/// A file as the JSON of an `Upload`.
pub(super) fn upload(filename: Option<&str>, media_type: &str, bytes: &[u8]) -> String {
    let mut upload = json!({ "media_type": media_type, "data": STANDARD.encode(bytes) });
    if let Some(filename) = filename {
        upload["filename"] = Value::from(filename);
    }
    upload.to_string()
}

/// The body as the text of a JSON object, without checking its fields.
///
/// # Errors
/// `InvalidArgument` where it is not JSON.
pub(super) fn object(body: &[u8]) -> Result<Cow<'_, str>> {
    if body.is_empty() {
        return Ok("{}".into());
    }
    let text = text(body)?;
    match serde_json::from_str::<&serde_json::value::RawValue>(text) {
        Ok(_) => Ok(text.into()),
        Err(error) => Err(Error::invalid_argument(
            "$",
            format!("the body is not JSON: {error}"),
        )),
    }
}

/// Refuses fields of parameters that belong outside the body.
fn check_fields(object: &str, binding: &Binding) -> Result<()> {
    if !binding.has_elsewhere() {
        return Ok(());
    }
    // A body that is not an object is refused when it is decoded.
    let fields = serde_json::from_str::<BTreeMap<Cow<'_, str>, IgnoredAny>>(object);
    for name in fields.unwrap_or_default().keys() {
        arguments::check_place(binding, name, &Place::Body)?;
    }
    Ok(())
}

fn merged<'b>(arguments: Arguments<'_>, object: Cow<'b, str>) -> Cow<'b, str> {
    if arguments.is_empty() {
        return object;
    }
    match object.trim().strip_prefix('{') {
        Some(fields) => arguments.end_with(fields).into(),
        // Decoding reports a body that is not an object.
        None => object,
    }
}

fn text(body: &[u8]) -> Result<&str> {
    std::str::from_utf8(body).map_err(|_| Error::invalid_argument("$", "the body is not UTF-8"))
}
