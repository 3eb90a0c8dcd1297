//! Completions: suggestions for the value of an argument.

use std::borrow::Cow;
use std::collections::BTreeMap;

use futures_util::future::BoxFuture;

use crate::context::Context;
use crate::error::Result;

/// The completers of a function, each under the name of its argument.
#[derive(Default)]
pub struct Completers(BTreeMap<Cow<'static, str>, Completer>);

/// A function that suggests values for the text so far.
pub struct Completer(Box<Propose>);

type Propose = dyn Fn(Context, String) -> BoxFuture<'static, Result<Vec<String>>> + Send + Sync;

impl Completer {
    pub(super) fn new<F, Fut>(propose: F) -> Completer
    where
        F: Fn(Context, String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Vec<String>>> + Send + 'static,
    {
        Completer(Box::new(move |cx, typed| Box::pin(propose(cx, typed))))
    }
}

impl Completers {
    pub(super) fn add(&mut self, argument: Cow<'static, str>, completer: Completer) {
        self.0.insert(argument, completer);
    }

    pub(super) fn arguments(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(AsRef::as_ref)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The suggestions for an argument; none if it has no completer.
    pub(crate) async fn propose(
        &self,
        cx: Context,
        argument: &str,
        typed: &str,
    ) -> Result<Vec<String>> {
        match self.0.get(argument) {
            Some(Completer(propose)) => propose(cx, typed.to_owned()).await,
            None => Ok(Vec::new()),
        }
    }
}
