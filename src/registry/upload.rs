//! A file that a client sends: a part of a form, a whole body, or base64 in JSON.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::schema::DECODED;

/// The media type of a file if the client names none.
pub(crate) const UNTYPED: &str = "application/octet-stream";

/// A file, as the type of a field of an argument struct. On MCP and in JSON it is an object with `data` in base64. On
/// REST a function with such a field also accepts `multipart/form-data`, and, if the file is the only parameter in the
/// body, the file itself as the body. `Vec<Upload>` accepts several files.
///
/// ```
/// use bifold::{JsonSchema, Tool, Upload};
/// use serde::Deserialize;
///
/// /// Counts the bytes of a file.
/// #[derive(Deserialize, JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// struct Count {
///     /// The file.
///     file: Upload,
/// }
///
/// let tool = Tool::new("count_bytes", |Count { file }: Count| file.bytes.len()).post("/bytes");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Upload {
    /// The file name that the client gives. It is untrusted text and must not be used as a path.
    pub filename: Option<String>,
    /// The media type that the client names, or else `application/octet-stream`.
    pub media_type: String,
    /// The content.
    pub bytes: Bytes,
}

/// An upload in JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Encoded<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filename: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media_type: Option<Cow<'a, str>>,
    data: Cow<'a, str>,
}

impl Upload {
    /// A file of that type without a name.
    pub fn new(media_type: impl Into<String>, bytes: impl Into<Bytes>) -> Upload {
        Upload {
            filename: None,
            media_type: media_type.into(),
            bytes: bytes.into(),
        }
    }

    /// The same file with a name.
    pub fn named(self, filename: impl Into<String>) -> Upload {
        let filename = Some(filename.into());
        Upload { filename, ..self }
    }
}

/// Whether the schema is that of an [`Upload`].
pub(crate) fn is_upload(schema: &Value) -> bool {
    schema.pointer("/properties/data/contentEncoding") == Some(&Value::from("base64"))
}

/// Whether the schema is that of a list of them.
pub(crate) fn is_list(schema: &Value) -> bool {
    schema.get("items").is_some_and(is_upload)
}

impl<'de> Deserialize<'de> for Upload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Upload, D::Error> {
        let encoded = Encoded::deserialize(deserializer)?;
        let bytes = STANDARD.decode(encoded.data.as_bytes());
        let bytes = bytes.map_err(|problem| {
            D::Error::custom(format_args!("expected base64 in `data`: {problem}"))
        })?;
        Ok(Upload {
            filename: encoded.filename.map(Cow::into_owned),
            media_type: encoded
                .media_type
                .map_or_else(|| UNTYPED.to_owned(), Cow::into_owned),
            bytes: bytes.into(),
        })
    }
}

impl Serialize for Upload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let encoded = Encoded {
            filename: self.filename.as_deref().map(Cow::Borrowed),
            media_type: Some(Cow::Borrowed(&self.media_type)),
            data: STANDARD.encode(&self.bytes).into(),
        };
        encoded.serialize(serializer)
    }
}

impl JsonSchema for Upload {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Upload".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "A file",
            "properties": {
                "filename": { "type": "string", "description": "The name of the file" },
                "media_type": {
                    "type": "string",
                    "description": "The media type of the file; `application/octet-stream` if it is not given",
                },
                "data": {
                    "type": "string",
                    "contentEncoding": "base64",
                    "description": "The content of the file in base64",
                },
            },
            "required": ["data"],
            "additionalProperties": false,
            DECODED: true,
        })
    }
}
