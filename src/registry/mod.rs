//! the one way to every function: decode, deadline, panic guard, encode once.

mod annotations;
mod answer;
mod arrays;
pub mod batch;
mod check;
mod completion;
mod content;
pub(crate) mod count;
mod decode;
mod hints;
mod icon;
mod info;
mod link;
mod mend;
mod meta;
mod nested;
pub(crate) mod object;
mod place;
mod prompt;
mod resource;
mod tool;

use std::collections::{BTreeSet, HashMap};
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use crate::context::Context;
use crate::error::{Error, Kind, Result, suggestion};
use crate::schema;

pub use annotations::Annotations;
pub use answer::{Answer, IntoAnswer};
pub use content::Content;
pub use hints::Hints;
pub use icon::Icon;
pub(crate) use info::Info;
pub use link::Link;
pub use prompt::Prompt;
pub use resource::Resource;
pub use tool::Tool;

/// All functions of one process, in the order they were registered.
pub struct Registry {
    tools: Vec<Tool>,
    resources: Vec<Resource>,
    prompts: Vec<Prompt>,
    by_name: HashMap<&'static str, usize>,
}

impl Registry {
    /// Checks the whole list.
    ///
    /// # Errors
    /// A line for everything that is wrong, each with the names of the culprits.
    pub fn new(
        tools: Vec<Tool>,
        resources: Vec<Resource>,
        prompts: Vec<Prompt>,
    ) -> Result<Registry, Vec<String>> {
        let problems = check::problems(&tools, &resources, &prompts);
        match problems.is_empty() {
            true => Ok(Registry::unchecked(tools, resources, prompts)),
            false => Err(problems),
        }
    }

    /// The same of a list that was checked before.
    pub(crate) fn unchecked(
        tools: Vec<Tool>,
        resources: Vec<Resource>,
        prompts: Vec<Prompt>,
    ) -> Registry {
        let by_name = tools
            .iter()
            .enumerate()
            .map(|(index, tool)| (tool.name(), index))
            .collect();
        Registry {
            tools,
            resources,
            prompts,
            by_name,
        }
    }

    /// All functions, in the order they were registered.
    pub fn tools(&self) -> &[Tool] {
        &self.tools
    }

    /// The function of that name.
    pub fn get(&self, name: &str) -> Option<&Tool> {
        self.by_name.get(name).map(|&index| &self.tools[index])
    }

    /// All documents, in the order they were registered.
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// All prompts, in the order they were registered.
    pub fn prompts(&self) -> &[Prompt] {
        &self.prompts
    }

    /// Whether any argument of a prompt or variable of a resource has proposals.
    pub fn has_completions(&self) -> bool {
        let resources = self.resources.iter().map(Resource::completers);
        let mut all = resources.chain(self.prompts.iter().map(Prompt::completers));
        all.any(|it| !it.is_empty())
    }

    /// The names after `Mcp-Param-` in the headers by which MCP clients repeat arguments, each once.
    pub fn header_names(&self) -> BTreeSet<String> {
        let tools = self.tools.iter().filter(|tool| tool.on_mcp());
        let names = tools.flat_map(|tool| schema::header_names(tool.schema()));
        names.map(str::to_ascii_lowercase).collect()
    }

    /// A half-sentence with the names that come closest to `name`, of those functions that are `seen`.
    pub fn hint(&self, name: &str, seen: fn(&Tool) -> bool) -> String {
        let names = self.tools.iter().filter(|tool| seen(tool)).map(Tool::name);
        suggestion::hint(&suggestion::closest(name, names))
    }

    /// Calls `tool` with `arguments`, the text of a JSON object. Every protocol comes through here. A function that calls
    /// others passes its own context on, so that they are charged to the same request.
    ///
    /// # Errors
    /// `InvalidArgument` with the JSON path before the function runs, the function's own error,
    /// `DeadlineExceeded` when time runs out, `TooManyCalls` or `AnswerTooLarge` when the request has used up what it
    /// may, `Internal` when the function panics.
    pub async fn call(&self, tool: &Tool, cx: Context, arguments: &str) -> Result<Answer> {
        let inside = self.admit(tool, &cx).await?;
        let result = guard(tool.name(), &cx, tool.run(inside, arguments)).await;
        // What a function cannot use must not be kept for the next call.
        if let Err(error) = &result
            && error.kind() == Kind::UpstreamInvalidResponse
        {
            cx.distrust();
        }
        result
    }

    /// The proposals of `completers` for what is typed of an argument, within the same bounds as a call.
    pub(crate) async fn propose(
        &self,
        completers: &completion::Completers,
        cx: Context,
        argument: &str,
        typed: &str,
    ) -> Result<Vec<String>> {
        cx.take_turn().await;
        cx.take_call()?;
        let proposing = completers.propose(cx.inside(false), argument, typed);
        guard(argument, &cx, proposing).await
    }
}

/// Ends what takes too long, and makes a panic one failed call.
async fn guard<T>(name: &str, cx: &Context, running: impl Future<Output = Result<T>>) -> Result<T> {
    let guarded = AssertUnwindSafe(running).catch_unwind();
    match cx.timeout(guarded).await {
        Some(Ok(result)) => result,
        Some(Err(panic)) => Err(panicked(name, panic.as_ref())),
        None => Err(Error::deadline_exceeded()),
    }
}

fn panicked(tool: &str, panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    let error = Error::internal(format!(
        "`{tool}` failed in a way it was not written for; the defect was logged"
    ));
    error.with_source(format!(
        "panic: {}",
        text.as_deref().unwrap_or("no message")
    ))
}
