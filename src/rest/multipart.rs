//! Reads the parts of a `multipart/form-data` body (RFC 7578) as arguments.

use axum::body::Bytes;
use futures_util::stream;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use multer::{Field, Multipart, parse_boundary};
use serde_json::value::RawValue;

use super::arguments::{Arguments, is_list, typed};
use super::binding::{JSON, Place};
use super::body::upload;
use crate::error::{Error, Result};
use crate::registry::upload::{UNTYPED, is_list as is_list_of_files, is_upload};

/// The maximum number of parts of a form.
const MAX_PARTS: usize = 1000;

/// One part.
struct Part {
    /// Its number in the body, from 1.
    number: usize,
    name: String,
    filename: Option<String>,
    media_type: Option<String>,
    bytes: Bytes,
}

/// Adds the parts of the body. A part for an `Upload` parameter is a file; other parts are texts, typed by the schema,
/// unless their media type is JSON.
///
/// # Errors
/// `InvalidArgument` for a malformed part, with its number, and for a part that does not fit its parameter.
pub(super) async fn read(
    arguments: &mut Arguments<'_>,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<()> {
    let parts = parts(headers, body).await?;
    let mut lists: Vec<&str> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let name = part.name.as_str();
        if lists.contains(&name) {
            continue;
        }
        let schema = arguments.schema(name, &Place::Body)?;
        if is_list(schema) && !part.is_json() {
            let items = schema.get("items").unwrap_or(&serde_json::Value::Null);
            let of_list = parts[index..].iter().filter(|it| it.name == name);
            let of_list = of_list.enumerate().map(|(place, part)| {
                let read = part.json(items, is_list_of_files(schema));
                read.map_err(|it| Error::invalid_argument(format!("{name}[{place}]"), it))
            });
            let of_list: Vec<String> = of_list.collect::<Result<_>>()?;
            arguments.put(name, &format!("[{}]", of_list.join(",")))?;
            lists.push(name);
            continue;
        }
        let json = part.json(schema, is_upload(schema));
        let json = json.map_err(|it| Error::invalid_argument(name, it))?;
        arguments.put(name, &json)?;
    }
    Ok(())
}

impl Part {
    async fn read(number: usize, field: Field<'_>) -> Result<Part> {
        let Some(name) = field.name().map(str::to_owned) else {
            let problem =
                format!("part {number} of the body has no name in its `Content-Disposition`");
            return Err(Error::invalid_argument("$", problem));
        };
        let filename = field.file_name().map(str::to_owned);
        let media_type = field.content_type().map(ToString::to_string);
        let bytes = field.bytes().await.map_err(|it| malformed(number, &it))?;
        Ok(Part {
            number,
            name,
            filename,
            media_type,
            bytes,
        })
    }

    fn is_json(&self) -> bool {
        self.media_type.as_deref() == Some(JSON)
    }

    /// The argument for this schema.
    fn json(&self, schema: &serde_json::Value, is_file: bool) -> Result<String, String> {
        let number = self.number;
        if is_file {
            let media_type = self.media_type.as_deref().unwrap_or(UNTYPED);
            return Ok(upload(self.filename.as_deref(), media_type, &self.bytes));
        }
        if self.filename.is_some() {
            return Err(format!(
                "part {number} of the body is a file, and a value was expected"
            ));
        }
        let text = std::str::from_utf8(&self.bytes);
        let text = text.map_err(|_| format!("part {number} of the body is not UTF-8"))?;
        if !self.is_json() {
            return typed(schema, text);
        }
        let json = serde_json::from_str::<&RawValue>(text);
        let json = json.map_err(|it| format!("part {number} of the body is not JSON: {it}"))?;
        Ok(json.get().to_owned())
    }
}

async fn parts(headers: &HeaderMap, body: &Bytes) -> Result<Vec<Part>> {
    let value = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let boundary = parse_boundary(value.unwrap_or("")).map_err(|_| {
        let problem = "`Content-Type: multipart/form-data` must name its `boundary`";
        Error::invalid_argument("$", problem)
    })?;
    let whole = stream::iter([Ok::<_, std::convert::Infallible>(body.clone())]);
    let mut multipart = Multipart::new(whole, boundary);
    let mut parts = Vec::new();
    loop {
        let number = parts.len() + 1;
        let field = multipart.next_field().await;
        match field.map_err(|it| malformed(number, &it))? {
            Some(_) if number > MAX_PARTS => {
                let problem = format!("the body has more than {MAX_PARTS} parts");
                return Err(Error::invalid_argument("$", problem));
            }
            Some(field) => parts.push(Part::read(number, field).await?),
            None => return Ok(parts),
        }
    }
}

fn malformed(number: usize, problem: &multer::Error) -> Error {
    let problem = format!("part {number} of the body cannot be read: {problem}");
    Error::invalid_argument("$", problem)
}
