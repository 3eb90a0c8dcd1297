//! The functions, documents and prompts that are added to a server, and the registry that is made of them.

use std::sync::Arc;

use tracing::error;

use super::Server;
use super::server::Add;
use crate::providers::search;
use crate::registry::{Functions, Prepared, Prompt, Registry, Resource, SearchRule, Tool};

impl Server {
    /// Adds a function; every list of them keeps the order in which they were added.
    pub fn tool(self, tool: Tool) -> Server {
        self.tools([tool])
    }

    /// Adds functions, as [`Server::tool`] does.
    pub fn tools(self, tools: impl IntoIterator<Item = Tool>) -> Server {
        let tools: Vec<_> = tools.into_iter().map(Arc::new).collect();
        self.functions(|all| all.tools.extend(tools))
    }

    /// Adds documents that agents read by their URI.
    pub fn resources(self, resources: impl IntoIterator<Item = Resource>) -> Server {
        let resources: Vec<_> = resources.into_iter().map(Arc::new).collect();
        self.functions(|all| all.resources.extend(resources))
    }

    /// Adds prompts, which are prepared questions.
    pub fn prompts(self, prompts: impl IntoIterator<Item = Prompt>) -> Server {
        let prompts: Vec<_> = prompts.into_iter().map(Arc::new).collect();
        self.functions(|all| all.prompts.extend(prompts))
    }

    /// Adds functions, documents and questions when they are first needed: when the application is built, and on Lambda,
    /// where a cold start should not wait for them, at the first request. `add` must add the same ones in every process.
    ///
    /// ```
    /// use bifold::{Server, Tool};
    ///
    /// fn ping() -> &'static str {
    ///     "pong"
    /// }
    ///
    /// let server = Server::new("greeter", "1.0.0")
    ///     .functions(|all| all.add_tool(Tool::sync("ping", ping).describe("Answers at once.").get("/ping")));
    /// ```
    pub fn functions(mut self, add: impl FnOnce(&mut Functions) + Send + 'static) -> Server {
        self.functions.push(Box::new(add));
        self
    }

    /// Takes the descriptions and schemas of the list of tools from this text, which the command `prepare` writes
    /// ([`Registry::prepared`](crate::Registry::prepared)). It is used on Lambda, where the first list of a cold start then
    /// makes no schemas. On every other server, and for a tool that is not in the text, the list is made of the types.
    ///
    /// Write the text anew when a tool changes. The command `prepare --check` fails if it is out of date: run it in CI.
    ///
    /// ```
    /// use bifold::Server;
    ///
    /// const PREPARED: &str = ""; // include_str!("prepared.tsv")
    ///
    /// let server = Server::new("greeter", "1.0.0").prepared(PREPARED);
    /// ```
    pub fn prepared(mut self, text: &'static str) -> Server {
        self.prepared = Some(text);
        self
    }
}

/// The registrations of a server, which are run when its functions are needed.
pub(super) struct Offered {
    pub(super) registrations: Vec<Add>,
    pub(super) rule: Option<SearchRule>,
    pub(super) prepared: Option<&'static str>,
}

impl Offered {
    /// The registry, after all functions are checked.
    ///
    /// # Errors
    /// One line for each problem.
    pub(super) fn checked(self) -> Result<Registry, Vec<String>> {
        let (functions, clash) = self.functions(false);
        match (Registry::new(functions), clash) {
            (Ok(registry), None) => Ok(registry),
            (registry, clash) => Err(clash
                .into_iter()
                .chain(registry.err().unwrap_or_default())
                .collect()),
        }
    }

    /// The registry, without a check of the functions; their lists are the prepared ones.
    pub(super) fn unchecked(self) -> Registry {
        let (functions, clash) = self.functions(true);
        if let Some(problem) = clash {
            error!("clients are shown all functions, and no search: {problem}");
        }
        Registry::unchecked(functions)
    }

    /// The functions, and why a search that should be among them cannot be.
    fn functions(self, uses_prepared: bool) -> (Functions, Option<String>) {
        let mut functions = Functions::default();
        for add in self.registrations {
            add(&mut functions);
        }
        if let Some(text) = self.prepared.filter(|_| uses_prepared) {
            let prepared = Arc::new(Prepared::new(text));
            let tools = functions.tools.iter_mut().filter_map(Arc::get_mut);
            tools.for_each(|it| it.set_prepared(prepared.clone()));
        }
        let rule = self.rule.as_ref();
        let settled = rule.map(|rule| search::settle(&mut functions, rule));
        (functions, settled.and_then(Result::err))
    }
}
