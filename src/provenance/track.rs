//! The progress of an aggregate: one report for each part that is there or lost, and a log entry for each lost one.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;

use crate::context::Context;
use crate::context::client::Level;
use crate::error::Result;

/// Counts the parts of one aggregate as they end.
pub(super) struct Track<'a> {
    cx: &'a Context,
    done: AtomicU32,
    total: u32,
}

impl Track<'_> {
    /// Nothing done of `total` parts.
    pub(super) fn new(cx: &Context, total: u32) -> Track<'_> {
        let done = AtomicU32::new(0);
        Track { cx, done, total }
    }

    /// Runs the part to its end, and tells of it.
    pub(super) async fn part<T>(
        &self,
        name: &str,
        running: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let result = running.await;
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let how = if result.is_ok() { "done" } else { "failed" };
        if let Err(error) = &result {
            let entry =
                json!({ "part": name, "kind": error.kind().as_str(), "message": error.message() });
            self.cx.log(Level::Warning, entry);
        }
        let message = format!("{name}: {how}");
        self.cx
            .progress(done.into(), Some(self.total.into()), &message);
        result
    }
}
