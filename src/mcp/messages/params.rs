//! The parameters of a request, parsed once: the fields of all methods, and `_meta`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::excerpt::{excerpt, said, sentence};
use crate::error::json_path;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::fields::Fields;
use crate::mcp::messages::meta::RequestMeta;

/// The fields of all methods together.
pub(crate) type ParamFields<'a> = Fields<'a, Key, { Key::Other as usize }>;

/// A field of the parameters.
#[derive(Clone, Copy, Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
pub(crate) enum Key {
    #[serde(rename = "_meta")]
    Meta,
    Argument,
    Arguments,
    Cursor,
    InputResponses,
    Level,
    Name,
    Notifications,
    ProtocolVersion,
    Ref,
    RequestState,
    TaskId,
    Uri,
    #[serde(other)]
    Other,
}

/// The parameters of one request.
pub(crate) struct Params<'a> {
    /// The JSON; an empty object if absent.
    text: &'a str,
    fields: ParamFields<'a>,
    pub(crate) meta: RequestMeta<'a>,
}

impl From<Key> for usize {
    fn from(key: Key) -> usize {
        key as usize
    }
}

impl<'a> Params<'a> {
    /// Parses the parameters, an object.
    pub(crate) fn read(params: Option<&'a RawValue>) -> Params<'a> {
        let text = params.map_or("{}", RawValue::get);
        let fields = match params {
            Some(_) => ParamFields::read(text),
            None => ParamFields::none(),
        };
        let meta = RequestMeta::read(fields.optional(Key::Meta));
        Params { text, fields, meta }
    }

    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    pub(crate) fn fields(&self) -> &ParamFields<'a> {
        &self.fields
    }

    /// The parameters of one method, which `take` builds from the fields. If it cannot, they are decoded from the JSON,
    /// so that the error has the path.
    pub(crate) fn decode<T: Deserialize<'a>>(
        &self,
        take: impl FnOnce(&ParamFields<'a>) -> Option<T>,
    ) -> Result<T, RpcError> {
        take(&self.fields).map_or_else(|| self.decode_text(), Ok)
    }

    /// The version and the capabilities of the client, which every modern request must have.
    pub(crate) fn required_meta(&self) -> Result<(Cow<'a, str>, &'a RawValue), RpcError> {
        let required = self.meta.required();
        required.ok_or_else(|| RequestMeta::misfit(self.text))
    }

    #[cold]
    fn decode_text<T: Deserialize<'a>>(&self) -> Result<T, RpcError> {
        json_path::decode(self.text)
            .map_err(|error| misfit(&json_path::path::<T>(self.text, &error), &error))
    }
}

fn misfit(path: &str, error: &serde_json::Error) -> RpcError {
    let place = match path {
        "" => String::new(),
        path => format!(".{}", excerpt(path)),
    };
    let said = said(error);
    RpcError::invalid_params(format!("`params{place}`: {}", sentence(&said)))
}
