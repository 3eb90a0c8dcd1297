//! Cursors of the lists of functions: where the next page begins, encrypted and bound to the call.

use serde_json::value::RawValue;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::registry::canonical::canonical;

/// The longest cursor, in characters.
pub(super) const MAX_CURSOR: usize = 2048;

/// The call that a cursor belongs to: the function, its arguments and the principal. Which fields, how many items and
/// how many bytes are asked for may change from page to page.
pub(super) struct Binding(Vec<u8>);

/// Where a page begins.
#[derive(Default)]
pub(super) struct Start {
    /// How many items of the function's list come before it.
    pub(super) skipped: usize,
    /// The position that the function has given.
    pub(super) position: Option<Box<RawValue>>,
}

impl Binding {
    pub(super) fn new(function: &str, arguments: &str, cx: &Context) -> Binding {
        let principal = cx.principal().map(|it| it.id());
        let bound = ("cursor", function, canonical(arguments), principal);
        Binding(serde_json::to_vec(&bound).expect("texts are JSON"))
    }

    /// The cursor of the page that begins here.
    ///
    /// # Errors
    /// `Internal` for a position that is too long.
    pub(super) fn seal(
        &self,
        skipped: usize,
        position: Option<&RawValue>,
        cx: &Context,
    ) -> Result<String> {
        let start = serde_json::to_vec(&(skipped, position)).expect("a number and JSON are JSON");
        let cursor = cx.cipher().encrypt_repeatably(&start, &self.0);
        match cursor.len() <= MAX_CURSOR {
            true => Ok(cursor),
            false => Err(Error::internal(format!(
                "the position of the next page has {} bytes, and a cursor has no room for that many",
                start.len()
            ))),
        }
    }

    /// Where the page of the cursor begins.
    ///
    /// # Errors
    /// `InvalidArgument` for a cursor that was not given for this call.
    pub(super) fn open(&self, cursor: &str, cx: &Context) -> Result<Start> {
        let start = cx.cipher().open(cursor, &self.0);
        let start = start.and_then(|it| serde_json::from_slice(&it).ok());
        let (skipped, position) = start.ok_or_else(|| {
            let problem = "was not given for this call: send `next_cursor` as it came, with the same arguments, \
                           or leave it out to begin with the first page";
            Error::invalid_argument("cursor", problem)
        })?;
        Ok(Start { skipped, position })
    }
}
