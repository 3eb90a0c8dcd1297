//! The place in a list where its next page begins, which clients hand back unread.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::params::{Key, Params};
use crate::mcp::methods::lists::List;

/// The form of the text inside. A new form gets a new number, so that no cursor is read as one of another form.
const FORM: &str = "1";

/// The parameters of a list.
#[derive(Deserialize)]
struct ListParams<'a> {
    #[serde(borrow, default)]
    cursor: Option<&'a RawValue>,
}

/// The cursor that a client asks with, if it asks for more than the first page.
pub(crate) fn of<'a>(params: &Params<'a>) -> Result<Option<&'a RawValue>, RpcError> {
    let list = |cursor| ListParams { cursor };
    let params = params.decode(|it| it.optional(Key::Cursor).map(list));
    params.map(|it| it.cursor)
}

/// The cursor of the page that begins after `offset` entries.
pub(crate) fn encode(list: List, offset: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("{FORM} {} {offset}", list.method()))
}

/// The number of entries before the page that a client asks for, at least 1.
pub(crate) fn decode(list: List, cursor: &RawValue) -> Result<usize, RpcError> {
    let cursor: String = serde_json::from_str(cursor.get())
        .map_err(|_| RpcError::invalid_params("`cursor` must be a string"))?;
    let (owner, offset) =
        read(&cursor).ok_or_else(|| refused("was not given out by this server"))?;
    match owner == list {
        true => Ok(offset),
        false => Err(refused(&format!("belongs to `{}`", owner.method()))),
    }
}

/// The answer to a cursor at which no page begins: the list has become shorter, or its pages have.
pub(crate) fn out_of_range() -> RpcError {
    refused("points at no page of this list")
}

fn read(cursor: &str) -> Option<(List, usize)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let mut parts = text.split(' ').skip(1);
    let (list, offset) = (List::of(parts.next()?)?, parts.next()?.parse().ok()?);
    // Whatever else would be read as the same place was never given out.
    (offset > 0 && encode(list, offset) == cursor).then_some((list, offset))
}

fn refused(why: &str) -> RpcError {
    RpcError::invalid_params(format!(
        "`cursor` {why}; leave it out to begin with the first page"
    ))
}
