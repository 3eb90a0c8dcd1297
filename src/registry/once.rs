//! Calls that are made once, however often their caller repeats them under the same key.

use std::pin::pin;
use std::sync::Arc;

use tokio::task::JoinHandle;
use tracing::Instrument;

use super::canonical::canonical;
use super::guard::guard;
use super::kept;
use super::{Answer, Registry, Tool};
use crate::context::Context;
use crate::context::once::{Claim, Lease, OnceKey, fingerprint};
use crate::error::{Error, Result};

/// A call that goes on when its client has gone, so that the client can ask for its answer again.
struct Running {
    task: JoinHandle<Result<Answer>>,
    cx: Context,
}

impl Registry {
    /// Runs the function, unless it was called under this key before: then its answer is given again.
    ///
    /// # Errors
    /// Those of [`Context::claim`], and those of the function.
    pub(super) async fn call_once(
        &self,
        tool: &Tool,
        (cx, inside): (&Context, Context),
        key: &OnceKey,
        arguments: &str,
    ) -> Result<Answer> {
        let unknown =
            || Error::internal("a key was given for a function that is not in the registry");
        let tool = self.get(tool.name()).ok_or_else(unknown)?;
        let print = fingerprint(&[tool.name(), &canonical(arguments)]);
        let claim = cx.timeout(cx.claim(key, &print)).await;
        match claim.unwrap_or_else(|| Err(Error::deadline_exceeded()))? {
            Claim::Answered(answer) => kept::decode(&answer)?.again(&inside),
            Claim::Free(lease) => {
                let run = run(tool.clone(), inside, arguments.to_owned(), lease);
                let task = tokio::spawn(run.in_current_span());
                let cx = cx.clone();
                Running { task, cx }.end().await
            }
        }
    }
}

/// Runs the function, and keeps what comes of it.
async fn run(tool: Arc<Tool>, cx: Context, arguments: String, mut lease: Lease) -> Result<Answer> {
    let result = {
        let mut call = pin!(guard(tool.name(), &cx, tool.run(cx.clone(), &arguments)));
        let mut renewals = pin!(lease.renew());
        tokio::select! {
            result = &mut call => result,
            never = &mut renewals => match never {},
        }
    };
    match &result {
        Ok(answer) => lease.keep(kept::encode(answer)).await,
        Err(_) => lease.release().await,
    }
    result
}

impl Running {
    async fn end(mut self) -> Result<Answer> {
        let ended = (&mut self.task).await;
        ended.unwrap_or_else(|error| {
            Err(Error::internal("the call ended without a result").with_source(error))
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A function that waits for its client would run again with the answer.
        if self.cx.is_asking() {
            self.task.abort();
        }
    }
}
