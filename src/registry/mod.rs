//! Functions with their names, schemas and paths, and the one path of every call: decode, deadline, panic guard, encode.

mod access;
mod annotations;
mod answer;
mod app;
mod arrays;
pub mod batch;
mod brief;
mod bytes;
mod canonical;
mod check;
mod completion;
mod content;
pub(crate) mod count;
mod created;
mod declared;
mod decode;
mod dynamic;
mod entries;
pub(crate) mod fit;
mod foreign;
mod functions;
mod guard;
pub mod handler;
mod hints;
mod icon;
mod info;
mod kept;
mod link;
mod listed;
pub(crate) mod location;
mod mend;
mod meta;
mod nested;
pub(crate) mod object;
mod once;
mod output;
mod paths;
mod place;
mod prepared;
mod prompt;
mod resource;
mod root;
mod route;
mod tool;
mod types;
pub(crate) mod upload;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::context::Context;
use crate::error::{Error, Kind, Result, suggestion};
use crate::schema;

pub use annotations::Annotations;
pub use answer::Answer;
pub use bytes::Bytes;
pub use content::Content;
pub use created::{Accepted, Created, NoContent};
pub use declared::DeclaredError;
pub(crate) use entries::Entries;
pub use fit::Paged;
pub use functions::Functions;
use guard::guard;
pub use handler::Handler;
pub use hints::Hints;
pub use icon::Icon;
pub(crate) use info::Info;
pub use link::Link;
pub(crate) use listed::SearchRule;
pub use output::{IntoAnswer, Output};
pub(crate) use prepared::{Prepared, PreparedTool};
pub use prompt::Prompt;
pub use resource::Resource;
pub use route::Route;
pub use tool::Tool;
pub use upload::Upload;

/// The functions that an application offers at one moment. It never changes: when an application changes what it offers,
/// it makes a new one, and requests that are running keep the one that they began with.
pub struct Registry {
    functions: Functions,
    by_name: HashMap<Arc<str>, usize>,
}

impl Registry {
    /// Checks all functions.
    ///
    /// # Errors
    /// A line for everything that is wrong, with the names of the functions.
    pub fn new(functions: Functions) -> Result<Registry, Vec<String>> {
        let nothing = Registry::unchecked(Functions::default());
        nothing.changed(functions)
    }

    /// The next registry of an application: functions of this registry are not checked again.
    ///
    /// # Errors
    /// As [`Registry::new`].
    pub(crate) fn changed(&self, functions: Functions) -> Result<Registry, Vec<String>> {
        let problems = check::problems(&functions, &self.functions);
        match problems.is_empty() {
            true => Ok(Registry::unchecked(functions)),
            false => Err(problems),
        }
    }

    /// Takes functions that are already checked.
    pub(crate) fn unchecked(functions: Functions) -> Registry {
        let names = functions.tools.iter().enumerate();
        let by_name = names.map(|(index, tool)| (tool.label(), index)).collect();
        Registry { functions, by_name }
    }

    /// The functions that the request of this context began with. A function that looks others up finds them here,
    /// whatever has changed since.
    ///
    /// # Errors
    /// `Internal` outside a call.
    pub fn of(cx: &Context) -> Result<Arc<Registry>> {
        let kept = cx.registry().cloned();
        let registry = kept.and_then(|it| it.downcast::<Registry>().ok());
        registry.ok_or_else(|| Error::internal("a registry was asked for outside a call"))
    }

    /// All tools, resources and prompts.
    pub fn functions(&self) -> &Functions {
        &self.functions
    }

    /// The tools, in the order they were registered.
    pub fn tools(&self) -> &[Arc<Tool>] {
        &self.functions.tools
    }

    /// The tool of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<Tool>> {
        self.by_name
            .get(name)
            .map(|&index| &self.functions.tools[index])
    }

    /// The resources, in the order they were registered.
    pub fn resources(&self) -> &[Arc<Resource>] {
        &self.functions.resources
    }

    /// The prompts, in the order they were registered.
    pub fn prompts(&self) -> &[Arc<Prompt>] {
        &self.functions.prompts
    }

    /// Whether any argument of a prompt or variable of a resource has proposals.
    pub fn has_completions(&self) -> bool {
        let resources = self.resources().iter().map(|it| it.completers());
        let mut all = resources.chain(self.prompts().iter().map(|it| it.completers()));
        all.any(|it| !it.is_empty())
    }

    /// The names after `Mcp-Param-` in the headers by which MCP clients repeat arguments, each once.
    pub fn header_names(&self) -> BTreeSet<String> {
        let tools = self.tools().iter().filter(|tool| tool.on_mcp());
        let names = tools.flat_map(|tool| schema::header_names(tool.schema()));
        names.map(str::to_ascii_lowercase).collect()
    }

    /// The headers that carry parameters of functions on REST, each once.
    pub(crate) fn request_headers(&self) -> BTreeSet<String> {
        let tools = self.tools().iter().filter(|tool| tool.on_rest());
        let names = tools.flat_map(|tool| tool.request_headers());
        names.map(|name| name.as_str().to_owned()).collect()
    }

    /// The methods that the paths of functions take on REST, each once.
    pub(crate) fn methods(&self) -> BTreeSet<String> {
        let routes = self.tools().iter().flat_map(|tool| tool.routes());
        routes.map(|route| route.method().to_string()).collect()
    }

    /// Half a sentence that suggests similar names of functions for which `seen` is true.
    pub fn hint(&self, name: &str, seen: fn(&Tool) -> bool) -> String {
        let names = self.tools().iter().filter(|tool| seen(tool));
        suggestion::hint(&suggestion::closest(name, names.map(|tool| tool.name())))
    }

    /// Calls `tool` with `arguments`, the text of a JSON object. Every protocol calls functions this way. A function that
    /// calls others passes its own context on, so that they are charged to the same request.
    ///
    /// # Errors
    /// `InvalidArgument` with the JSON path before the function runs, the function's own error,
    /// `DeadlineExceeded` when time runs out, `TooManyCalls` or `AnswerTooLarge` when the request has used up its
    /// budget, `Internal` when the function panics.
    pub async fn call(
        self: &Arc<Registry>,
        tool: &Tool,
        cx: Context,
        arguments: &str,
    ) -> Result<Answer> {
        cx.keep_registry(|| self.clone());
        let inside = self.admit(tool, &cx).await?;
        let is_own = !tool.hints().read_only && !cx.is_within_call();
        let result = match cx.once_key().filter(|_| is_own) {
            None => guard(tool.name(), &cx, tool.run(inside, arguments)).await,
            // Boxed, so that only these calls have the larger future.
            Some(key) => Box::pin(self.call_once(tool, (&cx, inside), key, arguments)).await,
        };
        // An upstream response that the function could not use must not stay in the cache.
        if let Err(error) = &result
            && error.kind() == Kind::UpstreamInvalidResponse
        {
            cx.invalidate_cache();
        }
        result
    }

    /// The suggestions of `completers` for the text so far, within the same limits as a call.
    pub(crate) async fn propose(
        self: &Arc<Registry>,
        completers: &completion::Completers,
        cx: Context,
        argument: &str,
        typed: &str,
    ) -> Result<Vec<String>> {
        cx.keep_registry(|| self.clone());
        cx.yield_to_others().await;
        cx.charge_call()?;
        let proposing = completers.propose(cx.nested(false), argument, typed);
        guard(argument, &cx, proposing).await
    }
}
