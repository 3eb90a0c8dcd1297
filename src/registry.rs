//! The one door to every function: decode, deadline, panic guard, encode once.

mod answer;
mod check;
mod content;
mod schema;
mod tool;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::similar;

pub use answer::{Answer, IntoAnswer};
pub use content::Content;
pub use tool::Tool;

/// All functions of one process, in the order they were registered.
pub struct Registry {
    tools: Vec<Tool>,
    by_name: HashMap<&'static str, usize>,
}

impl Registry {
    /// Checks the whole list.
    ///
    /// # Errors
    /// A line for everything that is wrong, each with the names of the culprits.
    pub fn new(tools: Vec<Tool>) -> Result<Registry, Vec<String>> {
        let problems = check::problems(&tools);
        if !problems.is_empty() {
            return Err(problems);
        }
        let by_name = tools
            .iter()
            .enumerate()
            .map(|(index, tool)| (tool.name(), index))
            .collect();
        Ok(Registry { tools, by_name })
    }

    /// All functions, in the order they were registered.
    pub fn tools(&self) -> &[Tool] {
        &self.tools
    }

    /// The function of that name.
    pub fn get(&self, name: &str) -> Option<&Tool> {
        self.by_name.get(name).map(|&index| &self.tools[index])
    }

    /// A half-sentence with the names that come closest to `name`, of those functions that are `seen`.
    pub fn hint(&self, name: &str, seen: fn(&Tool) -> bool) -> String {
        let names = self.tools.iter().filter(|tool| seen(tool)).map(Tool::name);
        similar::hint(&similar::closest(name, names))
    }

    /// Calls `tool` with `arguments`, the text of a JSON object. Every face comes through here.
    ///
    /// # Errors
    /// `InvalidArgument` with the JSON path before the function runs, the function's own error,
    /// `DeadlineExceeded` when time runs out, `Internal` when the function panics.
    pub async fn call(&self, tool: &Tool, cx: Context, arguments: &str) -> Result<Answer> {
        let deadline = cx.deadline();
        let guarded = AssertUnwindSafe(tool.run(cx, arguments)).catch_unwind();
        match deadline.timeout(guarded).await {
            Some(Ok(result)) => result,
            Some(Err(panic)) => Err(panicked(tool.name(), panic.as_ref())),
            None => Err(Error::deadline_exceeded()),
        }
    }
}

fn panicked(tool: &str, panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    let error = Error::internal(format!(
        "`{tool}` failed in a way it was not written for; the defect was logged"
    ));
    error.because(format!(
        "panic: {}",
        text.as_deref().unwrap_or("no message")
    ))
}
