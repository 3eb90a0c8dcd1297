//! Functions that call functions: which ones they may call, and which request is charged.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Answer, Registry, Tool};
use crate::context::{Context, Protocol};
use crate::error::excerpt::excerpt;
use crate::error::{Error, Result};

impl Tool {
    /// Declares that the tool calls the functions that `argument` names. Such functions cannot call each other, and
    /// each call that one makes with [`Registry::call_named`] is charged to its request.
    pub fn calls(mut self, argument: impl Into<Cow<'static, str>>) -> Tool {
        self.calls = Some(argument.into());
        self
    }
}

impl Registry {
    /// Finds a function for a function that calls others: it must be on the protocol of the request.
    ///
    /// # Errors
    /// `UnknownFunction` if there is none.
    pub fn named(&self, name: &str, cx: &Context) -> Result<&Arc<Tool>> {
        let seen: fn(&Tool) -> bool = match cx.protocol() {
            Some(Protocol::Mcp) => Tool::on_mcp,
            Some(Protocol::Rest) => Tool::on_rest,
            None => |_| true,
        };
        self.get(name).filter(|tool| seen(tool)).ok_or_else(|| {
            let hint = self.hint(name, seen);
            Error::unknown_function(format!("there is no function `{}`{hint}", excerpt(name)))
        })
    }

    /// Calls a function for a function that calls others.
    ///
    /// # Errors
    /// Those of [`Registry::named`] and [`Registry::call`].
    pub async fn call_named(
        self: &Arc<Registry>,
        name: &str,
        cx: Context,
        arguments: &str,
    ) -> Result<Answer> {
        match self.named(name, &cx) {
            Ok(tool) => self.call(tool, cx, arguments).await,
            Err(unknown) => {
                // The search for a suggestion costs as much as a call.
                cx.yield_to_others().await;
                cx.charge_call()?;
                Err(unknown)
            }
        }
    }

    /// Charges the call to its request, and returns the context of the function.
    pub(super) async fn admit(&self, tool: &Tool, cx: &Context) -> Result<Context> {
        cx.yield_to_others().await;
        cx.authorize(|| tool.needs())?;
        match &tool.calls {
            Some(argument) if cx.is_within_caller() => {
                cx.charge_call()?;
                let name = tool.name();
                let problem = format!(
                    "`{name}` calls functions, so no function that does so can call it: call it by itself"
                );
                return Err(Error::invalid_argument(argument.as_ref(), problem));
            }
            // It is not charged itself: each call that it makes is.
            Some(_) => {}
            None => {
                cx.charge_call()?;
                // A call that a function makes itself is not a call of the client.
                if !cx.is_within_call() || cx.is_within_caller() {
                    cx.charge_rate(tool.classes()).await?;
                }
            }
        }
        Ok(cx.nested(tool.calls.is_some()))
    }
}
