//! Functions that call functions: what they may call, and on whose account.

use super::{Answer, Registry, Tool};
use crate::context::{Context, Protocol};
use crate::error::excerpt::excerpt;
use crate::error::{Error, Result};

impl Tool {
    /// Says that it calls the functions that `argument` names. No function of this kind may call another one, and each
    /// call that it makes with [`Registry::call_named`] counts for its request.
    pub fn calls(mut self, argument: &'static str) -> Tool {
        self.calls = Some(argument);
        self
    }
}

impl Registry {
    /// The function of that name for one that calls others: of those that the protocol shows by which the request came.
    ///
    /// # Errors
    /// `UnknownFunction` where there is none.
    pub fn named(&self, name: &str, cx: &Context) -> Result<&Tool> {
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

    /// Calls the function of that name for one that calls others.
    ///
    /// # Errors
    /// Those of [`Registry::named`] and [`Registry::call`].
    pub async fn call_named(&self, name: &str, cx: Context, arguments: &str) -> Result<Answer> {
        match self.named(name, &cx) {
            Ok(tool) => self.call(tool, cx, arguments).await,
            Err(unknown) => {
                // To look for what the name could mean costs as much as a call.
                cx.yield_to_others().await;
                cx.charge_call()?;
                Err(unknown)
            }
        }
    }

    /// Charges the call to its request, and gives what the function is called with.
    pub(super) async fn admit(&self, tool: &Tool, cx: &Context) -> Result<Context> {
        cx.yield_to_others().await;
        match tool.calls {
            Some(argument) if cx.is_within_caller() => {
                cx.charge_call()?;
                let name = tool.name();
                let problem = format!(
                    "`{name}` calls functions, so no function that does so can call it: call it by itself"
                );
                return Err(Error::invalid_argument(argument, problem));
            }
            // What it calls is charged.
            Some(_) => {}
            None => cx.charge_call()?,
        }
        Ok(cx.nested(tool.calls.is_some()))
    }
}
