//! The limits of a running function: its deadline, and a panic that fails only its own call.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::pin;

use futures_util::FutureExt;

use crate::context::Context;
use crate::error::{Error, Result};

/// Runs the function of that name until the deadline of its call.
///
/// # Errors
/// Those of the function, `DeadlineExceeded`, and `Internal` for a panic.
pub(super) async fn guard<T>(
    name: &str,
    cx: &Context,
    running: impl Future<Output = Result<T>>,
) -> Result<T> {
    // Pinned here, because each layer around it that took it by value would move it once more.
    let running = pin!(running);
    let guarded = AssertUnwindSafe(running).catch_unwind();
    match cx.timeout(guarded).await {
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
