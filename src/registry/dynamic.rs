//! Tools that are made at run time, whose schemas are JSON and not derived from Rust types.

use std::borrow::Cow;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::answer::Answer;
use super::decode::Arguments;
use super::handler::{ErasedHandler, Run, Running};
use super::output::{IntoAnswer, Output};
use super::tool::Tool;
use crate::context::Context;
use crate::error::Result;

/// What is known of a tool that is made at run time.
pub(super) struct Dynamic {
    pub(super) output: Output,
    /// Whether arguments are checked by the schema before the function runs.
    is_checked: bool,
    /// The entry of MCP lists that is published as it is, apart from its name or URI.
    entry: Option<Value>,
    /// The schema by which arguments are checked, if it is another one than the published one.
    pub(super) checked_by: Option<Value>,
}

impl Tool {
    /// A tool whose input schema is known only at run time, such as one of another server. Its function gets the arguments,
    /// a JSON object, as text; what the schema demands is checked before. It needs a description ([`Tool::describe`]).
    ///
    /// ```
    /// use bifold::serde_json::{json, value::RawValue};
    /// use bifold::{Answer, Context, Tool};
    ///
    /// let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] });
    /// let echo = async |_: Context, arguments: Box<RawValue>| Answer::of(&arguments);
    /// let tool = Tool::dynamic("echo", schema, echo).describe("Answers with its arguments.");
    /// ```
    pub fn dynamic<F, Fut>(
        name: impl Into<Cow<'static, str>>,
        input_schema: Value,
        function: F,
    ) -> Tool
    where
        F: Fn(Context, Box<RawValue>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Answer>> + Send + 'static,
    {
        let run = move |cx: Context, arguments: &Arguments<'_>| -> Result<Running> {
            let running = function(cx.clone(), arguments.object()?);
            Ok(Box::pin(async move { running.await?.into_answer(&cx) }))
        };
        let handler = ErasedHandler {
            input: || json!({ "type": "object" }),
            typed: || json!({ "type": "object" }),
            fields: || &[],
            rules: || None,
            output: || Output::json(None),
            run: Run::Async(Box::new(run)),
            has_arguments: false,
        };
        let mut tool = Tool::of(name.into(), handler).input_schema(input_schema);
        tool.dynamic = Some(Box::new(Dynamic {
            output: Output::json(None),
            is_checked: true,
            entry: None,
            checked_by: None,
        }));
        tool
    }

    /// Publishes this schema of the result of a [`Tool::dynamic`]; the result is not checked. Any other tool has the schema
    /// of the type that it returns.
    pub fn output_schema(mut self, schema: Value) -> Tool {
        if let Some(dynamic) = &mut self.dynamic {
            dynamic.output = Output::json(Some(schema));
        }
        self.fit.iter_mut().for_each(|fit| fit.forget());
        self
    }

    /// Checks arguments by this schema instead of the published one: it takes null where the function knows what null means.
    #[cfg(feature = "openapi")]
    pub(crate) fn checked_by(mut self, schema: Value) -> Tool {
        if let Some(dynamic) = &mut self.dynamic {
            dynamic.checked_by = Some(schema);
        }
        self
    }

    /// The schema by which arguments are checked where it is not made from the argument struct.
    pub(super) fn checked(&self) -> Option<&Value> {
        let own = self.dynamic.as_ref().and_then(|it| it.checked_by.as_ref());
        own.or(self.published.as_ref())
    }

    /// Passes arguments on as they are: another server checks them.
    pub(crate) fn unchecked(mut self) -> Tool {
        if let Some(dynamic) = &mut self.dynamic {
            dynamic.is_checked = false;
        }
        self
    }

    /// Publishes an entry of MCP lists as another server has it, apart from its name or URI.
    pub(crate) fn with_entry(mut self, entry: Value) -> Tool {
        if let Some(dynamic) = &mut self.dynamic {
            dynamic.entry = Some(entry);
        }
        self
    }

    /// The entry of MCP lists that another server has for it.
    pub(crate) fn entry(&self) -> Option<&Value> {
        self.dynamic.as_ref()?.entry.as_ref()
    }

    /// Whether the published schema is made from the argument struct.
    pub(super) fn is_generated(&self) -> bool {
        self.published.is_none()
    }

    /// Whether its schemas are JSON from elsewhere.
    pub(crate) fn is_dynamic(&self) -> bool {
        self.dynamic.is_some()
    }

    /// Whether another server checks its arguments.
    pub(super) fn is_unchecked(&self) -> bool {
        self.dynamic.as_ref().is_some_and(|it| !it.is_checked)
    }
}
