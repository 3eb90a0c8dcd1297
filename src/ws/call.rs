//! A call on its way to the invocation that runs it.

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::connection::Connection;
use crate::error::{Error, Result};
use crate::secret;

/// A call that is handed on.
#[derive(Serialize, Deserialize)]
pub(super) struct Call<'a> {
    /// By which a second delivery is known.
    pub(super) job: String,
    pub(super) connection: Connection,
    /// The request, as it came.
    #[serde(borrow)]
    pub(super) message: &'a RawValue,
}

impl<'a> Call<'a> {
    pub(super) fn new(connection: Connection, message: &'a str) -> Result<Call<'a>> {
        let message = serde_json::from_str(message);
        Ok(Call {
            job: secret::name(),
            connection,
            message: message.map_err(broken)?,
        })
    }

    pub(super) fn read(text: &'a RawValue) -> Result<Call<'a>> {
        serde_json::from_str(text.get()).map_err(broken)
    }

    pub(super) fn write(&self) -> Box<RawValue> {
        to_raw_value(self).expect("texts and JSON are JSON")
    }
}

fn broken(error: serde_json::Error) -> Error {
    Error::internal("a call cannot be handed on").because(error)
}
