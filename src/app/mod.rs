//! One application: what it offers on each protocol, checked before the first request.

mod access;
mod admission;
mod authenticate;
mod busy;
mod catalog;
mod entry;
mod framing;
mod imported;
#[cfg(feature = "lambda_http")]
mod lambda_http;
mod missing;
#[cfg(feature = "mounts")]
mod mounts;
mod offered;
mod own_routes;
mod request_info;
mod searched;
mod server;
mod service;
mod snapshot;
mod start_error;
mod starting;
mod stopping;
#[cfg(not(feature = "mounts"))]
mod unmounted;
mod websocket;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use http::{HeaderMap, Response, StatusCode};
use tower::ServiceExt;

use crate::auth::Auth;
use crate::aws::invoke::{Continuation, Invoker};
use crate::aws::secrets;
use crate::clock::Deadline;
use crate::config::Config;
use crate::context::answered::Answered;
use crate::context::cipher::StateCipher;
use crate::context::updates::Updates;
use crate::context::{Process, Services};
use crate::error::Result;
use crate::http::buffers::Buffers;
use crate::http::host::Hosts;
use crate::http::origin::AllowedOrigins;
use crate::http::path;
use crate::lint::{self, Finding};
use crate::mcp::http as mcp_http;
use crate::mcp::{Dependencies, Endpoint, Shutdown};
use crate::registry::{Answer, Registry};
use crate::rest::{self, RestApi};
use crate::store::Store;
use crate::upstream::Upstreams;
use crate::websocket::{Dependencies as SocketDependencies, Sockets, Times};

pub(crate) use access::OPEN;
pub use catalog::{Catalog, CatalogError};
use missing::{method_not_allowed, unknown};
use mounts::Mounts;
use offered::Offered;
use own_routes::{OwnRoutes, SentUri};
pub use request_info::RequestInfo;
pub use server::Server;
use snapshot::Snapshot;
pub use start_error::StartError;
pub use starting::Starting;
use stopping::Stopping;
#[cfg(not(feature = "mounts"))]
use unmounted as mounts;

/// The path of the MCP protocol.
const MCP: &str = "/mcp";

/// The path of WebSocket connections.
const WEBSOCKET: &str = "/ws";

/// An application that answers requests. Cheap to clone.
#[derive(Clone)]
pub struct App {
    services: Arc<Services>,
    catalog: Catalog,
    sockets: Arc<Sockets>,
    hosts: Arc<Hosts>,
    /// The routes that do not depend on the catalog.
    router: Arc<OnceLock<Router>>,
    /// What the application adds to the routes of the library.
    own: Option<Arc<OwnRoutes>>,
    stopping: Arc<Stopping>,
    /// The end of the process, for what waits for a client.
    shutdown: Shutdown,
    /// The mounted servers, if there are any.
    mounts: Option<Arc<Mounts>>,
}

impl App {
    /// Checks everything and builds the protocols; nothing is asked of the network.
    ///
    /// On Lambda the functions are made for the first request, and not checked: that would be most of a cold start. They
    /// are a part of the binary, which every start elsewhere checks, for example in a test or by `bifold list`.
    ///
    /// # Errors
    /// A line for everything that is wrong with a registration or a setting, with its name.
    pub fn new(mut config: Config, mut server: Server) -> Result<App, StartError> {
        config.introduce(&server.info.name, &server.info.version);
        let mut problems = server.problems();
        problems.extend(server.add_imports(&config).err().unwrap_or_default());
        problems.extend(config.check(&server.settings).err().unwrap_or_default());
        let mounted = mounts::declared(&mut server);
        let rule = server.search_rule(&config);
        let config = Arc::new(config);
        let is_frozen = config.is_frozen();
        let offered = Offered {
            registrations: server.functions,
            rule: rule.clone(),
            prepared: server.prepared,
        };
        let registry: Box<dyn FnOnce() -> Registry + Send> = match is_frozen {
            true => Box::new(|| offered.unchecked()),
            false => match offered.checked() {
                Ok(registry) => Box::new(|| registry),
                Err(refused) => {
                    problems.extend(refused);
                    return Err(StartError(problems));
                }
            },
        };
        if !problems.is_empty() {
            return Err(StartError(problems));
        }
        let secrets = secrets::store(&config, &server.upstreams)
            .map_err(|problem| StartError(vec![problem]))?;
        let upstreams = Upstreams::new(&config, &server.upstreams, secrets)
            .map_err(|problem| StartError(vec![problem]))?;
        let store = Store::new(&config).map_err(|problem| StartError(vec![problem]))?;
        let auth = Auth::new(&config, &store, server.authenticator)
            .map_err(|problem| StartError(vec![problem]))?;
        let invoker = Invoker::new(&config);
        // Without a shared table only WebSocket clients need an invocation that continues.
        let is_needed = config.table.is_some() || config.ws_endpoint.is_some();
        if let Some(problem) = invoker.as_ref().err().filter(|_| is_needed) {
            return Err(StartError(vec![problem.clone()]));
        }
        let invoker = invoker.ok().flatten().map(Arc::new);
        let mounts = mounts::of(mounted, &config, &store).map_err(StartError)?;
        let may_change = server.may_change || mounts.is_some();
        // A process that is frozen between requests could not announce a change when it happens.
        let topics = match (is_frozen, mounts.is_some()) {
            (true, _) => Vec::new(),
            (false, true) => mounts::with_lists(server.topics),
            (false, false) => server.topics,
        };
        let updates = Arc::new(Updates::new(topics));
        let origins = AllowedOrigins::new(config.allowed_origins.clone());
        let cipher = Arc::new(StateCipher::new(&config.state_keys));
        let (routes, schemes, shutdown) = (server.routes, auth.schemes(), Shutdown::new());
        let dependencies = Dependencies {
            info: server.info,
            page_size: server.page_size,
            origins: origins.clone(),
            config: config.clone(),
            cipher: cipher.clone(),
            store: store.clone(),
            // Another invocation finds a task only in a table that both share.
            invoker: invoker.clone().filter(|_| config.table.is_some()),
            updates: updates.clone(),
            may_change,
            search: rule.clone(),
            shutdown: shutdown.clone(),
        };
        let own = routes.clone();
        let first = move || {
            let registry = Arc::new(registry());
            let (info, config) = (dependencies.info.clone(), dependencies.config.clone());
            let origins = dependencies.origins.clone();
            let endpoint = Endpoint::new(registry.clone(), dependencies);
            let rest = RestApi::new(registry.clone(), info, &config, schemes);
            Snapshot::new(registry, endpoint, rest, origins, own)
        };
        let catalog = Catalog::new(first, updates.clone(), may_change, rule, is_frozen);
        let sockets = Sockets::new(SocketDependencies {
            endpoint: {
                let catalog = catalog.clone();
                Arc::new(move || catalog.snapshot().endpoint.clone())
            },
            origins,
            config: &config,
            store: store.clone(),
            invoker,
        });
        let sockets = Arc::new(sockets.map_err(|problem| StartError(vec![problem]))?);
        let hosts = admission::hosts(&config).map_err(|problem| StartError(vec![problem]))?;
        let mut state = server.state;
        state.insert(catalog.clone());
        let services = Arc::new(Services {
            buffers: Buffers::new(config.max_buffered_bytes),
            config,
            auth,
            upstreams,
            cipher,
            store,
            updates,
            state,
            settings: server.settings,
            mounts: mounts.as_ref().map(mounts::states),
            process: Process::start(),
        });
        let app = App {
            services,
            catalog,
            sockets,
            hosts: Arc::new(hosts),
            router: Arc::default(),
            own: OwnRoutes::new(routes, server.layers),
            stopping: Arc::new(Stopping::new(server.on_stop)),
            shutdown,
            mounts,
        };
        // A frozen process makes its routes at the first request that needs them; many serve MCP alone.
        if !is_frozen {
            app.router();
        }
        Ok(app)
    }

    /// Refuses what its integration could not read as a request, with an id and a line in the log like any other.
    pub fn refuse(
        &self,
        status: StatusCode,
        class: &'static str,
        detail: &str,
        request_info: RequestInfo,
    ) -> Response<Body> {
        let entry = self.entry("site", &HeaderMap::new(), request_info);
        let answered = rest::problem(status, class, detail, entry.cx.request_id());
        entry.finish(answered)
    }

    /// Calls a function by its name, as a program that embeds the library does.
    ///
    /// # Errors
    /// `UnknownFunction`, or what [`Registry::call`] fails with.
    pub async fn invoke(&self, name: &str, arguments: &str) -> Result<Answer> {
        let (cx, registry) = (self.context(), self.registry());
        match registry.get(name) {
            Some(tool) => registry.call(tool, cx, arguments).await,
            None => Err(unknown(&registry, name, |_| true)),
        }
    }

    /// Goes on with what another invocation of the same Lambda function began.
    ///
    /// # Errors
    /// The store's: the invocation that began it has ended, and cannot be told.
    pub async fn resume(
        &self,
        continuation: Continuation,
        request_info: RequestInfo,
    ) -> Result<()> {
        self.need_mounts().await;
        let times = Times::of(request_info.time_left, self.config());
        let cx = self.context_of(&HeaderMap::new(), request_info);
        match continuation {
            Continuation::Task(id) => self.mcp().resume(&id, &cx).await,
            Continuation::Frame(call) => self.sockets.resume(&call, cx, times).await,
        }
    }

    /// Begins the end of the process. Streams that listen for changes end now, and WebSocket connections once their
    /// requests are answered. A call that waits for the answer of its client fails with `Busy`. Tasks of this process fail
    /// if they have not ended after 5 s.
    pub fn close(&self) {
        self.services.updates.close();
        self.shutdown.begin();
        self.sockets.close();
    }

    /// Does what is left to do after an answer, within this time: on Lambda, reads lists of mounted servers again that are
    /// stale (for 10 s at most); and sends the spans of what has ended to the OpenTelemetry collector, if there is one (for 2 s
    /// at most).
    pub async fn flush(&self, limit: Duration) {
        let end = Deadline::after(limit);
        self.refresh_mounts(end).await;
        let limit = end.remaining();
        self.services.upstreams.spans().flush(limit).await;
    }

    /// Sends them now and then; never ready.
    pub(crate) async fn keep_flushing(&self) {
        self.services.upstreams.spans().keep_flushing().await;
    }

    /// What the application offers, and the way to change it.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The functions that are offered now.
    pub fn registry(&self) -> Arc<Registry> {
        self.catalog.current()
    }

    /// What clients would refuse in the schemas of its functions, though the protocol allows it.
    pub fn lint(&self) -> Vec<Finding> {
        lint::findings(&self.registry())
    }

    /// The MCP protocol of what is offered now, bytes in and bytes out.
    pub fn mcp(&self) -> Arc<Endpoint> {
        self.catalog.snapshot().endpoint.clone()
    }

    /// The OpenAPI 3.1 document, JSON.
    pub fn openapi(&self) -> Bytes {
        self.catalog.snapshot().rest.openapi()
    }

    /// The settings it was built with.
    pub fn config(&self) -> &Config {
        &self.services.config
    }

    /// The short-lived records that the processes of the application share.
    pub fn store(&self) -> &Store {
        &self.services.store
    }

    /// Brings the path into one spelling. The application's own routes see the target as it was sent.
    fn normalise(&self, request: &mut Request) {
        let sent = self.own.as_ref().map(|_| request.uri().clone());
        path::normalise(request.uri_mut());
        if let Some(sent) = sent.filter(|it| it != request.uri()) {
            request.extensions_mut().insert(SentUri(sent));
        }
    }

    async fn route(&self, snapshot: &Snapshot, mut request: Request) -> Answered {
        if request.uri().path().starts_with("/api/") {
            request = match snapshot.rest.answer(request).await {
                Ok(answered) => return answered,
                Err(elsewhere) => elsewhere,
            };
        }
        let own = self.own.as_ref().and_then(|it| it.routes());
        if let ("/", Some(own)) = (request.uri().path(), own) {
            return own_routes::index(own, snapshot, request).await;
        }
        let router = match request.uri().path() {
            // Not through a router: it takes 3,800 instructions more for a request, and 900,000 to be made for forty
            // functions, which a frozen process that is only asked over MCP never has to spend.
            MCP => return mcp_http::route(&snapshot.endpoint, request).await,
            WEBSOCKET => self.router(),
            mounts::STATUS => match &self.mounts {
                Some(mounts) => return mounts::page(mounts, &request),
                None => snapshot.router(),
            },
            _ => snapshot.router(),
        };
        let response = router.clone().oneshot(request).await;
        Answered::of_route(response.unwrap_or_else(|never| match never {}))
    }

    /// The routes that do not depend on the catalog. Their handlers may hold the catalog, which its own routes must not.
    fn router(&self) -> &Router {
        self.router.get_or_init(|| {
            Router::new()
                .route(WEBSOCKET, websocket::route(self.sockets.clone()))
                .method_not_allowed_fallback(method_not_allowed)
        })
    }
}
