//! What an application serves: its name, its functions, the upstreams they ask, the values they share.

use std::borrow::Cow;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::Extensions;

use crate::app::Starting;
use crate::auth::Authenticator;
use crate::config::{Config, ConfigError, Setting};
use crate::context::updates::Topic;
use crate::error::Result;
use crate::registry::{Functions, Icon, Info, Prompt, Resource, Tool};
use crate::upstream::Upstream;

/// Entries on one page of a list. Most clients ask for every page at once, so only a list that is too long for them is
/// worth a second request.
const PAGE_SIZE: usize = 100;

/// Everything an [`App`](crate::App) is built from.
///
/// ```
/// use bifold::{Context, JsonSchema, Result, Server, Tool};
/// use serde::{Deserialize, Serialize};
///
/// /// Greets someone by name.
/// #[derive(Deserialize, JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// struct Greet {
///     /// Whom to greet.
///     name: String,
/// }
///
/// #[derive(Serialize, JsonSchema)]
/// struct Greeting {
///     text: String,
/// }
///
/// async fn greet(_: Context, Greet { name }: Greet) -> Result<Greeting> {
///     Ok(Greeting { text: format!("Hello, {name}!") })
/// }
///
/// let server = Server::new("greeter", "1.0.0").tools(vec![Tool::new("greet", greet).get("/greet/{name}")]);
/// let app = bifold::App::new(bifold::Config::default(), server)?;
/// # Ok::<(), bifold::StartError>(())
/// ```
pub struct Server {
    pub(crate) info: Info,
    pub(crate) page_size: usize,
    pub(crate) topics: Vec<Topic>,
    pub(crate) functions: Functions,
    pub(crate) may_change: bool,
    pub(crate) upstreams: Vec<Upstream>,
    pub(crate) state: Extensions,
    pub(crate) settings: Vec<Setting>,
    pub(crate) on_start: Vec<OnStart>,
    pub(crate) authenticator: Option<Authenticator>,
}

/// What runs before the application is built.
pub(crate) type OnStart = Box<dyn FnOnce(Starting) -> BoxFuture<'static, Result<Starting>> + Send>;

impl Server {
    /// A server without functions.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        version: impl Into<Cow<'static, str>>,
    ) -> Server {
        let info = Info {
            name: name.into(),
            version: version.into(),
            title: None,
            instructions: None,
            description: None,
            website: None,
            icons: Vec::new(),
        };
        Server {
            info,
            page_size: PAGE_SIZE,
            topics: Vec::new(),
            functions: Functions::default(),
            may_change: false,
            upstreams: Vec::new(),
            state: Extensions::new(),
            settings: Vec::new(),
            on_start: Vec::new(),
            authenticator: None,
        }
    }

    /// The name that people read.
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Server {
        self.info.title = Some(title.into());
        self
    }

    /// What an agent should know before it uses the functions.
    pub fn instructions(mut self, instructions: impl Into<Cow<'static, str>>) -> Server {
        self.info.instructions = Some(instructions.into());
        self
    }

    /// What the server is, for people who see it in a list of servers.
    pub fn description(mut self, description: impl Into<Cow<'static, str>>) -> Server {
        self.info.description = Some(description.into());
        self
    }

    /// The URL of a page where people read more of it.
    pub fn website(mut self, url: impl Into<Cow<'static, str>>) -> Server {
        self.info.website = Some(url.into());
        self
    }

    /// Adds a picture that people see beside the name.
    pub fn icon(mut self, icon: Icon) -> Server {
        self.info.icons.push(icon);
        self
    }

    /// Adds functions; every list of them keeps this order.
    pub fn tools(mut self, tools: Vec<Tool>) -> Server {
        self.functions.tools.extend(tools.into_iter().map(Arc::new));
        self
    }

    /// Adds documents that agents read by their URI.
    pub fn resources(mut self, resources: Vec<Resource>) -> Server {
        let resources = resources.into_iter().map(Arc::new);
        self.functions.resources.extend(resources);
        self
    }

    /// Adds ready-made questions.
    pub fn prompts(mut self, prompts: Vec<Prompt>) -> Server {
        self.functions
            .prompts
            .extend(prompts.into_iter().map(Arc::new));
        self
    }

    /// How many entries an MCP client gets at once of the functions, documents or prompts; it asks for the others page by
    /// page. Default 100.
    pub fn page_size(mut self, entries: usize) -> Server {
        self.page_size = entries;
        self
    }

    /// Declares that functions announce changes of those topics with [`Context::announce`](crate::Context::announce). Clients
    /// can listen to a process that lasts; on Lambda, where it is frozen between requests, it offers no announcements.
    pub fn announces(mut self, topics: &[Topic]) -> Server {
        self.topics.extend_from_slice(topics);
        self
    }

    /// Declares that the tools, resources and prompts may change while the application runs
    /// ([`App::catalog`](crate::App::catalog)). MCP clients are told not to keep the lists, and in a process that lasts
    /// they can listen for changes (`listChanged`); on Lambda, where a process is frozen between requests, they cannot.
    /// All lists are offered then, the empty ones too.
    pub fn changing_catalog(mut self) -> Server {
        self.may_change = true;
        self.announces(&[Topic::Tools, Topic::Resources, Topic::Prompts])
    }

    /// Declares the upstreams that functions may ask.
    pub fn upstreams(mut self, upstreams: &[Upstream]) -> Server {
        self.upstreams.extend_from_slice(upstreams);
        self
    }

    /// Declares a setting of the application's own: it is read from the environment like those of the library, checked
    /// at start and listed by `--help`. [`Context::setting`](crate::Context::setting) tells its value.
    pub fn setting(mut self, setting: Setting) -> Server {
        self.settings.push(setting);
        self
    }

    /// The settings that the application declares.
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// Runs `start` once before the application is built, e.g. to open a database whose handle all functions share
    /// ([`Starting::state`]). A failure ends the start, and nothing is tried again. On Lambda it is a part of the cold
    /// start.
    ///
    /// ```
    /// use bifold::{Result, Server, Starting};
    ///
    /// #[derive(Clone)]
    /// struct Pool;
    ///
    /// async fn connect(mut starting: Starting) -> Result<Starting> {
    ///     starting.state(Pool);
    ///     Ok(starting)
    /// }
    ///
    /// let server = Server::new("notes", "1.0.0").on_start(connect);
    /// ```
    pub fn on_start<F>(mut self, start: impl FnOnce(Starting) -> F + Send + 'static) -> Server
    where
        F: Future<Output = Result<Starting>> + Send + 'static,
    {
        self.on_start
            .push(Box::new(|starting| Box::pin(start(starting))));
        self
    }

    /// The settings of the environment, those of the application's own among them.
    ///
    /// # Errors
    /// The variable whose value cannot be used.
    pub fn config(&self) -> Result<Config, ConfigError> {
        Config::from_env_for(&self.settings)
    }

    /// A line for everything that is wrong with the server's own description.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut found: Vec<String> = self.info.icons.iter().flat_map(Icon::problems).collect();
        let is_url = |it: &&str| {
            ["https://", "http://"]
                .iter()
                .any(|start| it.starts_with(start))
        };
        if let Some(website) = self.info.website.as_deref().filter(|it| !is_url(it)) {
            found.push(format!(
                "its website `{website}` is no URL such as `https://example.com`"
            ));
        }
        if self.page_size == 0 {
            found.push("a page of its lists must have at least 1 entry".to_owned());
        }
        let named = |problem| format!("server `{}`: {problem}", self.info.name);
        found.into_iter().map(named).collect()
    }

    /// Shares a value with all functions: [`Context::state`](crate::Context::state) finds it by its type.
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Server {
        self.state.insert(value);
        self
    }
}
