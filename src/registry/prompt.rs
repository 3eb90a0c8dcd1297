//! A ready-made question that a person picks and an agent answers.

use std::borrow::Cow;

use super::completion::{Completer, Completers};
use super::tool::Tool;
use crate::context::Context;
use crate::error::Result;

/// A function that answers `prompts/get` with [`Content`](crate::Content): each of its blocks is a message of the user.
///
/// The function is one like any tool's: its argument struct's fields, all of them text, are the prompt's arguments.
pub struct Prompt {
    function: Tool,
    completers: Completers,
}

impl Prompt {
    /// A prompt with the name, the icons, the `_meta` and the function of the tool; the paths of the tool are not used.
    pub fn new(function: Tool) -> Prompt {
        Prompt {
            function,
            completers: Completers::default(),
        }
    }

    /// Proposes values of an argument: those that may follow from what is typed so far.
    pub fn complete<F, Fut>(mut self, argument: impl Into<Cow<'static, str>>, propose: F) -> Prompt
    where
        F: Fn(Context, String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Vec<String>>> + Send + 'static,
    {
        self.completers
            .add(argument.into(), Completer::new(propose));
        self
    }

    /// The name on the wire.
    pub fn name(&self) -> &str {
        self.function.name()
    }

    /// The function that writes the messages.
    pub fn function(&self) -> &Tool {
        &self.function
    }

    pub(crate) fn completers(&self) -> &Completers {
        &self.completers
    }
}
