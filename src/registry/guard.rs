//! The limits of a running function: its deadline, and a panic guard.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::pin;

use futures_util::FutureExt;
use tracing::{Instrument, info_span};

use crate::context::Context;
use crate::error::{Error, Result};

/// Runs a function until the deadline of its call.
///
/// # Errors
/// The errors of the function, `DeadlineExceeded`, and `Internal` for a panic.
pub(super) async fn guard<T>(
    name: &str,
    cx: &Context,
    running: impl Future<Output = Result<T>>,
) -> Result<T> {
    // Pinned here, because every layer that takes the future by value would copy it.
    let running = pin!(running);
    let guarded = AssertUnwindSafe(running).catch_unwind();
    // Log events of the function carry these fields. The target allows a filter for this span alone.
    let span = info_span!(
        target: "bifold::call",
        "call",
        request_id = cx.request_id(),
        function = name,
        protocol = cx.protocol_name(),
    );
    match cx.timeout(guarded).instrument(span).await {
        Some(Ok(result)) => result,
        Some(Err(panic)) => Err(panicked(name, panic.as_ref())),
        None => Err(Error::deadline_exceeded()),
    }
}

fn panicked(name: &str, panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    let error = Error::internal(format!(
        "`{name}` failed in a way it was not written for; the defect was logged"
    ));
    error.with_source(format!(
        "panic: {}",
        text.as_deref().unwrap_or("no message")
    ))
}
