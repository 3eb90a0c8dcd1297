//! The event by which the function hands a call on to an invocation of its own.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::connection::Connection;

/// A call that was handed on. Its one field has a name that no front door gives to an event, and front doors wrap what
/// clients send: only who may invoke the function can make such an event.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Continuation<'a> {
    #[serde(borrow)]
    pub(super) bifold_continuation: Call<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Call<'a> {
    /// By which a second delivery is known.
    pub(super) job: String,
    pub(super) connection: Connection,
    /// The request, as it came.
    #[serde(borrow)]
    pub(super) message: &'a RawValue,
}
