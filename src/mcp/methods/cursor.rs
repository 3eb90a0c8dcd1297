//! Cursors: the opaque position in a list where its next page begins.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{Context, SHA256};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::params::{Key, Params};
use crate::mcp::methods::lists::List;

/// The version of the encoding. A new encoding gets a new number, so an old cursor is never misread.
const FORM: &str = "2";

/// The bytes of the list's fingerprint.
const HASH_BYTES: usize = 8;

/// The content of a cursor.
pub(crate) struct Cursor {
    /// The number of entries before the page, at least 1.
    pub(crate) offset: usize,
    /// The fingerprint of the list.
    pub(crate) fingerprint: String,
}

/// The fingerprint of a list: it differs when entries or their order differ, and is the same in every process.
pub(crate) fn fingerprint<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut hash = Context::new(&SHA256);
    for name in names {
        hash.update(name.as_bytes());
        hash.update(b"\n");
    }
    URL_SAFE_NO_PAD.encode(&hash.finish().as_ref()[..HASH_BYTES])
}

/// The parameters of a list request.
#[derive(Deserialize)]
struct ListParams<'a> {
    #[serde(borrow, default)]
    cursor: Option<&'a RawValue>,
}

/// The cursor of a request, if it is not for the first page.
pub(crate) fn of<'a>(params: &Params<'a>) -> Result<Option<&'a RawValue>, RpcError> {
    let list = |cursor| ListParams { cursor };
    let params = params.decode(|it| it.optional(Key::Cursor).map(list));
    params.map(|it| it.cursor)
}

/// The cursor for the page after `offset` entries.
pub(crate) fn encode(list: List, offset: usize, fingerprint: &str) -> String {
    let method = list.method();
    URL_SAFE_NO_PAD.encode(format!("{FORM} {method} {offset} {fingerprint}"))
}

/// Decodes the requested page.
pub(crate) fn decode(list: List, cursor: &RawValue) -> Result<Cursor, RpcError> {
    let cursor: String = serde_json::from_str(cursor.get())
        .map_err(|_| RpcError::invalid_params("`cursor` must be a string"))?;
    let (owner, cursor) =
        read(&cursor).ok_or_else(|| refused("was not given out by this server"))?;
    match owner == list {
        true => Ok(cursor),
        false => Err(refused(&format!("belongs to `{}`", owner.method()))),
    }
}

/// The error for a cursor of a list that has changed: the next page would skip or repeat entries.
pub(crate) fn changed() -> RpcError {
    refused("belongs to a list that has changed since")
}

/// The error for a cursor inside a page: the page size has changed since it was issued.
pub(crate) fn out_of_range() -> RpcError {
    refused("points at no page of this list")
}

fn read(cursor: &str) -> Option<(List, Cursor)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let mut parts = text.split(' ').skip(1);
    let (list, offset) = (List::of(parts.next()?)?, parts.next()?.parse().ok()?);
    let fingerprint = parts.next()?.to_owned();
    // Other encodings of the same position were never issued.
    let is_own = offset > 0 && encode(list, offset, &fingerprint) == cursor;
    let cursor = Cursor {
        offset,
        fingerprint,
    };
    is_own.then_some((list, cursor))
}

fn refused(why: &str) -> RpcError {
    RpcError::invalid_params(format!(
        "`cursor` {why}; leave it out to begin with the first page"
    ))
}
