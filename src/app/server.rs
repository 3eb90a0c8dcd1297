//! What an application serves: its name, its functions, the upstreams they ask, the values they share.

use std::borrow::Cow;
use std::convert::Infallible;

use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::Route;
use axum::{BoxError, Router};
use futures_util::future::BoxFuture;
use http::Extensions;
use tower::{Layer, Service};

use crate::app::Starting;
use crate::app::own_routes::AddLayer;
use crate::app::stopping::OnStop;
use crate::auth::Authenticator;
use crate::config::{Config, ConfigError, Setting};
use crate::context::Context;
use crate::context::updates::Topic;
#[cfg(feature = "mounts")]
use crate::providers::mcp::Mount;
#[cfg(feature = "openapi")]
use crate::providers::openapi::Import;
use crate::registry::{Functions, Icon, Info};
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
    /// Each adds some of its functions, in this order.
    pub(super) functions: Vec<Add>,
    /// What MCP lists say of its tools, written ahead.
    pub(crate) prepared: Option<&'static str>,
    pub(crate) may_change: bool,
    #[cfg(feature = "mounts")]
    pub(super) mounts: Vec<Mount>,
    pub(crate) upstreams: Vec<Upstream>,
    pub(crate) state: Extensions,
    pub(crate) settings: Vec<Setting>,
    pub(crate) on_start: Vec<OnStart>,
    pub(crate) authenticator: Option<Authenticator>,
    pub(crate) on_stop: Vec<OnStop>,
    pub(crate) routes: Option<Router>,
    pub(crate) layers: Vec<AddLayer>,
    #[cfg(feature = "openapi")]
    pub(super) imports: Vec<Import>,
    /// Whether MCP clients are shown a search instead of the list, however short it is.
    pub(super) search: bool,
}

/// Adds functions, documents or questions.
pub(super) type Add = Box<dyn FnOnce(&mut Functions) + Send>;

/// What runs before the application is built.
pub(crate) type OnStart =
    Box<dyn FnOnce(Starting) -> BoxFuture<'static, Result<Starting, BoxError>> + Send>;

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
            functions: Vec::new(),
            prepared: None,
            may_change: false,
            #[cfg(feature = "mounts")]
            mounts: Vec::new(),
            upstreams: Vec::new(),
            state: Extensions::new(),
            settings: Vec::new(),
            on_start: Vec::new(),
            authenticator: None,
            on_stop: Vec::new(),
            routes: None,
            layers: Vec::new(),
            #[cfg(feature = "openapi")]
            imports: Vec::new(),
            search: false,
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

    /// Offers the tools, resources and prompts of another MCP server with those of this one, on every protocol. The setting
    /// `BIFOLD_MCP_SERVERS` adds those of a file. The catalog changes then, as with [`Server::changing_catalog`].
    #[cfg(feature = "mounts")]
    pub fn mount(mut self, mount: Mount) -> Server {
        self.mounts.push(mount);
        self
    }

    /// Declares the upstreams that functions may ask.
    pub fn upstreams(mut self, upstreams: &[Upstream]) -> Server {
        self.upstreams.extend_from_slice(upstreams);
        self
    }

    /// Imports an OpenAPI document: each operation that is allowed is a function. The document is read when the application
    /// is built, and nothing is asked of the network before the first call. The file of `BIFOLD_OPENAPI` names more.
    #[cfg(feature = "openapi")]
    pub fn openapi(mut self, import: Import) -> Server {
        self.imports.push(import);
        self
    }

    /// Shows MCP clients a search instead of the list of functions, however short it is. Without it they are shown one
    /// where they would see more than `BIFOLD_SEARCH_ABOVE` functions.
    pub fn search(mut self) -> Server {
        self.search = true;
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
    /// ([`Starting::state`]). Any error ends the start with its message, and nothing is tried again. On Lambda it is a
    /// part of the cold start.
    ///
    /// ```
    /// use bifold::{Server, Starting, Setting};
    ///
    /// async fn read_notes(mut starting: Starting) -> std::io::Result<Starting> {
    ///     let notes: String = std::fs::read_to_string(starting.setting("NOTES_PATH"))?;
    ///     starting.state(notes);
    ///     Ok(starting)
    /// }
    ///
    /// let server = Server::new("notes", "1.0.0")
    ///     .setting(Setting::new("NOTES_PATH", "notes.txt", "The file that holds the notes."))
    ///     .on_start(read_notes);
    /// ```
    pub fn on_start<F, E>(mut self, start: impl FnOnce(Starting) -> F + Send + 'static) -> Server
    where
        F: Future<Output = Result<Starting, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.on_start.push(Box::new(|starting| {
            let starting = start(starting);
            Box::pin(async { starting.await.map_err(Into::into) })
        }));
        self
    }

    /// Runs `stop` once after the last request, e.g. to close a database: on a signal, locally and on Lambda, and at the
    /// end of the input of `stdio`. What was added last runs first. [`Context::deadline`] is the time that is left: on
    /// Lambda, where the platform kills the process soon after its signal, at most 400 ms for running requests and this
    /// together. A failure is logged.
    ///
    /// ```
    /// use bifold::{Context, Result, Server};
    ///
    /// #[derive(Clone)]
    /// struct Pool;
    ///
    /// async fn close(cx: Context) -> Result<()> {
    ///     let pool: &Pool = cx.state()?;
    ///     // pool.close().await
    ///     Ok(())
    /// }
    ///
    /// let server = Server::new("notes", "1.0.0").state(Pool).on_stop(close);
    /// ```
    pub fn on_stop<F, E>(mut self, stop: impl FnOnce(Context) -> F + Send + 'static) -> Server
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.on_stop.push(Box::new(|cx| {
            let stopping = stop(cx);
            Box::pin(async { stopping.await.map_err(Into::into) })
        }));
        self
    }

    /// Adds routes of axum's own, on every transport. They have the access line, the request id, CORS and the host check
    /// of all paths; their handlers may take a [`Context`] and `ConnectInfo<SocketAddr>`.
    ///
    /// The paths of the library come first: `/mcp`, `/ws`, `/docs`, `/docs/app`, `/health`, `/openapi.json` and those
    /// of functions below `/api`. Everything else is the router's, its fallback included, and so is `/` where it has a
    /// route for it. A 404 without a body becomes a problem document.
    ///
    /// ```
    /// use bifold::axum::{Router, routing::get};
    /// use bifold::{Context, Server};
    ///
    /// async fn whoami(cx: Context) -> String {
    ///     cx.principal().map_or("nobody", |it| it.id()).to_owned()
    /// }
    ///
    /// let server = Server::new("notes", "1.0.0").routes(Router::new().route("/whoami", get(whoami)));
    /// ```
    ///
    /// # Panics
    /// The router has a path, or a fallback, that an earlier one has too.
    pub fn routes(mut self, routes: Router) -> Server {
        self.routes = Some(match self.routes.take() {
            Some(earlier) => earlier.merge(routes),
            None => routes,
        });
        self
    }

    /// Puts a layer of tower around every request: MCP, REST, the pages, the upgrade to a WebSocket, and own routes; on
    /// Lambda too. The last layer is the outermost, as with axum. It sees the request after the host check and after CORS
    /// preflights are answered, and its response has the access line, the request id and the CORS headers.
    ///
    /// The extensions of the request hold its [`Context`] and `ConnectInfo<SocketAddr>`. A layer that has checked who
    /// calls says so with [`Context::identify`]. Behind a WebSocket API of API Gateway a layer sees `$connect` as
    /// `GET /ws`, and not the single messages. `stdio` has no HTTP requests, and no layers.
    ///
    /// ```
    /// use bifold::Server;
    /// use bifold::axum::{extract::Request, middleware::{Next, from_fn}, response::Response};
    /// use bifold::http::{HeaderValue, header};
    ///
    /// async fn no_index(request: Request, next: Next) -> Response {
    ///     let mut response = next.run(request).await;
    ///     response.headers_mut().insert("x-robots-tag", HeaderValue::from_static("noindex"));
    ///     response
    /// }
    ///
    /// let server = Server::new("notes", "1.0.0").layer(from_fn(no_index));
    /// ```
    pub fn layer<L>(mut self, layer: L) -> Server
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        self.layers.push(Box::new(|router| router.layer(layer)));
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
