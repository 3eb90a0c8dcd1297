//! One application: the protocols on one registry, built once and checked before the first request.

mod admission;
mod busy;
mod framing;
mod missing;
mod request_info;
mod server;
mod start_error;
mod starting;
mod websocket;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use http::{HeaderMap, Method, Response, StatusCode};
use tokio::time::Instant;
use tower::ServiceExt;

use crate::aws::invoke::{Continuation, Invoker};
use crate::clock::{Countdown, Deadline};
use crate::config::Config;
use crate::context::answered::Answered;
use crate::context::request_log::{REQUEST_ID, RequestGuard, RequestLog};
use crate::context::updates::Updates;
use crate::context::{Budget, BudgetRef, Call, Context, Process, Services};
use crate::error::Result;
use crate::http::buffers::Buffers;
use crate::http::cors::Cors;
use crate::http::host::Hosts;
use crate::http::origin::AllowedOrigins;
use crate::http::path;
use crate::lint::{self, Finding};
use crate::mcp::http as mcp_http;
use crate::mcp::{Dependencies, Endpoint};
use crate::registry::{Answer, Registry};
use crate::rest::{self, RestApi};
use crate::store::Store;
use crate::telemetry::trace::Trace;
use crate::upstream::{Meter, Upstreams};
use crate::websocket::{Dependencies as SocketDependencies, Sockets, Times};

use missing::{method_not_allowed, not_found, unknown};
pub use request_info::RequestInfo;
pub use server::Server;
pub use start_error::StartError;
pub use starting::Starting;

/// The path of the MCP protocol.
const MCP: &str = "/mcp";

/// An application that answers requests. Cheap to clone.
#[derive(Clone)]
pub struct App {
    services: Arc<Services>,
    registry: Arc<Registry>,
    rest: Arc<RestApi>,
    endpoint: Arc<Endpoint>,
    sockets: Arc<Sockets>,
    cors: Arc<Cors>,
    hosts: Arc<Hosts>,
    router: Arc<OnceLock<Router>>,
}

impl App {
    /// Checks everything and builds the protocols; nothing is asked of the network.
    ///
    /// On Lambda the functions are taken as they are: to make and check their schemas would be most of a cold start, and
    /// they are a part of the binary, which every start elsewhere checks, be it a test's or that of `bifold list`.
    ///
    /// # Errors
    /// A line for everything that is wrong with a registration or a setting, with the culprit's name.
    pub fn new(config: Config, server: Server) -> Result<App, StartError> {
        let mut problems = server.problems();
        problems.extend(config.check(&server.settings).err().unwrap_or_default());
        let (tools, resources, prompts) = (server.tools, server.resources, server.prompts);
        let is_frozen = config.is_frozen();
        let registry = match is_frozen {
            true => Ok(Registry::unchecked(tools, resources, prompts)),
            false => Registry::new(tools, resources, prompts),
        };
        let registry = match registry {
            Ok(registry) if problems.is_empty() => Arc::new(registry),
            refused => {
                problems.extend(refused.err().unwrap_or_default());
                return Err(StartError(problems));
            }
        };
        let upstreams = Upstreams::new(&config, &server.upstreams)
            .map_err(|problem| StartError(vec![problem]))?;
        let store = Store::new(&config).map_err(|problem| StartError(vec![problem]))?;
        let invoker = Invoker::new(&config);
        // Where nothing is shared between invocations, it matters only to a server with clients on a WebSocket.
        let is_needed = config.table.is_some() || config.ws_endpoint.is_some();
        if let Some(problem) = invoker.as_ref().err().filter(|_| is_needed) {
            return Err(StartError(vec![problem.clone()]));
        }
        let invoker = invoker.ok().flatten().map(Arc::new);
        // A process that is frozen between requests could not tell of a change when it happens.
        let topics = if is_frozen { Vec::new() } else { server.topics };
        let updates = Arc::new(Updates::new(topics));
        let origins = AllowedOrigins::new(config.allowed_origins.clone());
        let endpoint = Arc::new(Endpoint::new(Dependencies {
            registry: registry.clone(),
            info: &server.info,
            page_size: server.page_size,
            origins: origins.clone(),
            config: &config,
            store: store.clone(),
            // Another invocation finds a task only in a table that both share.
            invoker: invoker.clone().filter(|_| config.table.is_some()),
            updates: updates.clone(),
        }));
        let sockets = Sockets::new(SocketDependencies {
            endpoint: endpoint.clone(),
            origins: origins.clone(),
            config: &config,
            store: store.clone(),
            invoker,
        });
        let sockets = Arc::new(sockets.map_err(|problem| StartError(vec![problem]))?);
        let hosts = admission::hosts(&config).map_err(|problem| StartError(vec![problem]))?;
        let cors = Arc::new(Cors::new(origins, {
            let registry = registry.clone();
            move || registry.header_names()
        }));
        let rest = Arc::new(RestApi::new(registry.clone(), server.info, &config));
        let mut state = server.state;
        state.insert(registry.clone());
        let services = Arc::new(Services {
            buffers: Buffers::new(config.max_buffered_bytes),
            config,
            upstreams,
            store,
            updates,
            state,
            settings: server.settings,
            process: Process::start(),
        });
        let app = App {
            services,
            registry,
            rest,
            endpoint,
            sockets,
            cors,
            hosts: Arc::new(hosts),
            router: Arc::default(),
        };
        // A frozen process makes its routes when they are first asked for; many are only ever asked over MCP.
        if !is_frozen {
            app.router();
        }
        Ok(app)
    }

    /// Answers one HTTP request, whichever protocol it is for, and writes its line in the log.
    pub async fn serve(&self, mut request: Request, request_info: RequestInfo) -> Response<Body> {
        path::normalise(request.uri_mut());
        let listener = request_info.listener;
        let entry = self.entry(
            protocol_of(request.uri().path()),
            request.headers(),
            request_info,
        );
        let entry = entry.with_method(request.method());
        let cx = entry.cx.clone();
        let guard = RequestGuard::new(entry);
        let is_head = request.method() == Method::HEAD;
        let mut answered = self.answer(request, listener, cx).await;
        framing::settle(&mut answered.response, is_head);
        guard.finish(answered)
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
        let cx = self.context();
        match self.registry.get(name) {
            Some(tool) => self.registry.call(tool, cx, arguments).await,
            None => Err(unknown(&self.registry, name, |_| true)),
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
        let times = Times::of(request_info.time_left, self.config());
        let cx = self.context_of(&HeaderMap::new(), request_info);
        match continuation {
            Continuation::Task(id) => self.endpoint.resume(&id, &cx).await,
            Continuation::Frame(call) => self.sockets.resume(&call, cx, times).await,
        }
    }

    /// A context outside any request.
    pub fn context(&self) -> Context {
        self.context_of(&HeaderMap::new(), RequestInfo::default())
    }

    /// Ends the streams of clients that listen for changes: nothing will change any more. WebSockets are closed, once what
    /// runs on them is answered. Answers to questions are not waited for: the calls that asked fail with `Busy`. Tasks of
    /// this process have 5 s to end, and fail then.
    pub fn close(&self) {
        self.services.updates.close();
        self.endpoint.close();
        self.sockets.close();
    }

    /// Sends the spans of what has ended to the OpenTelemetry collector, if there is one; for so long, and 2 s at most.
    pub async fn flush(&self, limit: Duration) {
        self.services.upstreams.spans().flush(limit).await;
    }

    /// Sends them now and then; never ready.
    pub(crate) async fn keep_flushing(&self) {
        self.services.upstreams.spans().keep_flushing().await;
    }

    /// All functions.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// What clients would refuse in the schemas of its functions, though the protocol allows it.
    pub fn lint(&self) -> Vec<Finding> {
        lint::findings(&self.registry)
    }

    /// The MCP protocol, bytes in and bytes out.
    pub fn mcp(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The OpenAPI 3.1 document, JSON.
    pub fn openapi(&self) -> Bytes {
        self.rest.openapi()
    }

    /// The settings it was built with.
    pub fn config(&self) -> &Config {
        &self.services.config
    }

    /// The short-lived records that the processes of the application share.
    pub fn store(&self) -> &Store {
        &self.services.store
    }

    async fn route(&self, request: Request) -> Answered {
        match request.uri().path() {
            // Not through the router: it takes 3,800 instructions more for a request, and 900,000 to be made for forty
            // functions, which a frozen process that is only asked over MCP never has to spend.
            MCP => mcp_http::route(&self.endpoint, request).await,
            _ => {
                let response = self.router().clone().oneshot(request).await;
                Answered::of_route(response.unwrap_or_else(|never| match never {}))
            }
        }
    }

    fn router(&self) -> &Router {
        let make = || {
            let router = router(self.registry.clone(), self.rest.clone());
            router.route("/ws", websocket::route(self.sockets.clone()))
        };
        self.router.get_or_init(make)
    }

    fn entry(
        &self,
        protocol: &'static str,
        headers: &HeaderMap,
        request_info: RequestInfo,
    ) -> RequestLog {
        RequestLog {
            protocol,
            method: None,
            status: None,
            since: Instant::now(),
            cold_start: self.services.process.count(),
            cx: self.context_of(headers, request_info),
        }
    }

    pub(crate) fn context_of(&self, headers: &HeaderMap, request_info: RequestInfo) -> Context {
        let call = Arc::new(self.call(headers, request_info));
        Context::new(self.services.clone(), call)
    }

    fn call(&self, headers: &HeaderMap, request_info: RequestInfo) -> Call {
        let config = &self.services.config;
        let given = headers
            .get(REQUEST_ID)
            .and_then(|id| id.to_str().ok())
            .filter(|id| is_id(id))
            .map(str::to_owned);
        let id = given
            .or_else(|| request_info.id.clone())
            .unwrap_or_else(|| format!("{:032x}", fastrand::u128(..)));
        let usable = |margin| request_info.time_left.map(|it| it.usable(margin));
        let limit = usable(config.deadline_margin);
        let limit = limit.map_or(config.call_timeout, |it| it.min(config.call_timeout));
        let end = |margin| usable(margin).map(Deadline::after);
        let most = request_info.most_bytes.unwrap_or(usize::MAX);
        let budget = Budget::new(most.min(config.max_response_bytes), request_info.is_whole);
        Call {
            id,
            invocation: request_info.id,
            trace: Trace::from_headers(headers, request_info.trace.as_ref()),
            named: OnceLock::new(),
            countdown: Countdown::new(Deadline::after(limit), end(config.deadline_margin)),
            stream_end: end(config.stream_margin),
            meter: Arc::new(Meter::default()),
            budget: BudgetRef::Own(budget),
            principal: request_info
                .principal
                .map_or_else(OnceLock::new, OnceLock::from),
            peer: request_info.peer,
            is_part: false,
            is_whole: request_info.is_whole,
        }
    }
}

/// All routes but that of MCP.
fn router(registry: Arc<Registry>, api: Arc<RestApi>) -> Router {
    rest::router(api)
        .fallback(move |request: Request| async move { not_found(&registry, &request) })
        .method_not_allowed_fallback(method_not_allowed)
}

/// The protocol that a path belongs to, for the log; the path itself may hold a wallet address.
fn protocol_of(path: &str) -> &'static str {
    match path {
        MCP => "mcp",
        "/ws" => "ws",
        _ if path.starts_with("/api/") => "rest",
        _ => "site",
    }
}

/// Ids of callers go into the log, so only what cannot break a line there is taken over.
fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}
