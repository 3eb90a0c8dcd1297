//! The progress of an aggregate: one notification for each part, and a log message for each failed part.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;

use crate::context::Context;
use crate::context::client::Level;
use crate::error::Result;

/// Counts the finished parts of one aggregate.
pub(super) struct PartProgress<'a> {
    cx: &'a Context,
    done: AtomicU32,
    total: u32,
}

impl PartProgress<'_> {
    /// No part of `total` is finished.
    pub(super) fn new(cx: &Context, total: u32) -> PartProgress<'_> {
        let done = AtomicU32::new(0);
        PartProgress { cx, done, total }
    }

    /// Runs one part and reports its end.
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
