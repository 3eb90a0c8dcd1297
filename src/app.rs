//! One application: the faces on one registry, built once and checked before the first request.

mod reply;
mod socket;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::routing::post;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use tokio::time::Instant;
use tower::ServiceExt;

use crate::config::Config;
use crate::context::{Call, Context, Process, Services};
use crate::cors::{self, Cors};
use crate::deadline::{Countdown, Deadline};
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::lint::{self, Finding};
use crate::mcp::{Basis, Endpoint};
use crate::origin::AllowedOrigins;
use crate::registry::{Answer, Registry, Tool};
use crate::rest::{self, Face};
use crate::server::Server;
use crate::store::Store;
use crate::telemetry::{Line, Outcome, Pending, millis};
use crate::updates::Updates;
use crate::upstream::{Meter, Upstreams};
use crate::ws::Sockets;

use reply::answer_of;

const REQUEST_ID: &str = "x-request-id";

/// An application that answers requests. Cheap to clone.
#[derive(Clone)]
pub struct App {
    services: Arc<Services>,
    registry: Arc<Registry>,
    face: Arc<Face>,
    endpoint: Arc<Endpoint>,
    sockets: Arc<Sockets>,
    cors: Arc<Cors>,
    router: Router,
}

/// What the front door knows of a request that the request itself does not say.
#[derive(Debug, Default)]
pub struct Arrival {
    /// The platform's id of the request; one is made up where neither the platform nor the caller gives one.
    pub id: Option<String>,
    /// The time until the platform gives up waiting.
    pub time_left: Option<Duration>,
    /// Who calls, as the front door has checked it: what a call leaves with its client is of use to nobody else.
    pub principal: Option<String>,
}

/// An application that cannot start, with a line for every reason.
#[derive(Debug)]
pub struct StartError(Vec<String>);

impl App {
    /// Checks everything and builds the faces; nothing is asked of the network.
    ///
    /// # Errors
    /// A line for everything that is wrong with a registration or a setting, with the culprit's name.
    pub fn new(config: Config, server: Server) -> Result<App, StartError> {
        let mut problems = server.problems();
        let registry = match Registry::new(server.tools, server.resources, server.prompts) {
            Ok(registry) if problems.is_empty() => Arc::new(registry),
            refused => {
                problems.extend(refused.err().unwrap_or_default());
                return Err(StartError(problems));
            }
        };
        let upstreams = Upstreams::new(&config, &server.upstreams)
            .map_err(|problem| StartError(vec![problem]))?;
        let store = Store::new(&config).map_err(|problem| StartError(vec![problem]))?;
        // A process that is frozen between requests could not tell of a change when it happens.
        let topics = if config.is_frozen() {
            Vec::new()
        } else {
            server.topics
        };
        let updates = Arc::new(Updates::new(topics));
        let origins = AllowedOrigins::new(config.allowed_origins.clone());
        let endpoint = Arc::new(Endpoint::new(Basis {
            registry: registry.clone(),
            info: &server.info,
            page_size: server.page_size,
            origins: origins.clone(),
            config: &config,
            store: store.clone(),
            updates: updates.clone(),
        }));
        let sockets = Sockets::new(endpoint.clone(), origins.clone(), &config, store.clone());
        let sockets = Arc::new(sockets.map_err(|problem| StartError(vec![problem]))?);
        let cors = Arc::new(Cors::new(origins, &registry));
        let face = Arc::new(Face::new(registry.clone(), server.info));
        let mut state = server.state;
        state.insert(registry.clone());
        let services = Arc::new(Services {
            config,
            upstreams,
            store,
            updates,
            state,
            process: Process::start(),
        });
        let router = router(&registry, face.clone(), endpoint.clone())
            .route("/ws", socket::route(sockets.clone()));
        Ok(App {
            services,
            registry,
            face,
            endpoint,
            sockets,
            cors,
            router,
        })
    }

    /// Answers one HTTP request, whichever face it is for, and writes its line in the log.
    pub async fn serve(&self, mut request: Request, arrival: Arrival) -> Response<Body> {
        let since = Instant::now();
        let cold_start = self.services.process.count();
        let face = face_of(request.uri().path());
        let call = Arc::new(self.call(request.headers(), arrival));
        let page = self.cors.page(request.headers());
        let mut response = match page.is_some() && cors::is_preflight(&request) {
            true => self.cors.preflight(),
            false => {
                let cx = Context::new(self.services.clone(), call.clone());
                request.extensions_mut().insert(cx);
                let response = self.router.clone().oneshot(request).await;
                response.unwrap_or_else(|never| match never {})
            }
        };
        cors::share(&mut response, page);
        finish(response, face, call, since, cold_start)
    }

    /// Refuses what its front door could not read as a request, with an id and a line in the log like any other.
    pub fn refuse(
        &self,
        status: StatusCode,
        class: &'static str,
        detail: &str,
        arrival: Arrival,
    ) -> Response<Body> {
        let since = Instant::now();
        let cold_start = self.services.process.count();
        let call = Arc::new(self.call(&HeaderMap::new(), arrival));
        let response = rest::problem(status, class, detail, &call.id);
        finish(response, "site", call, since, cold_start)
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

    /// A context outside any request.
    pub fn context(&self) -> Context {
        self.arrive(Arrival::default())
    }

    /// The context of what came as no HTTP request.
    pub(crate) fn arrive(&self, arrival: Arrival) -> Context {
        let call = Arc::new(self.call(&HeaderMap::new(), arrival));
        Context::new(self.services.clone(), call)
    }

    /// Lets the clients go that listen for changes: nothing will change any more. Those on a WebSocket go too, once what
    /// they asked for is answered.
    pub fn close(&self) {
        self.services.updates.end();
        self.sockets.close();
    }

    /// All functions.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// What clients would refuse in the schemas of its functions, though the protocol allows it.
    pub fn lint(&self) -> Vec<Finding> {
        lint::findings(&self.registry)
    }

    /// The MCP face, bytes in and bytes out.
    pub fn mcp(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The OpenAPI 3.1 document, JSON.
    pub fn openapi(&self) -> Bytes {
        self.face.openapi()
    }

    /// The settings it was built with.
    pub fn config(&self) -> &Config {
        &self.services.config
    }

    /// The short-lived records that the processes of the application share.
    pub fn store(&self) -> &Store {
        &self.services.store
    }

    fn call(&self, headers: &HeaderMap, arrival: Arrival) -> Call {
        let config = &self.services.config;
        let given = headers
            .get(REQUEST_ID)
            .and_then(|id| id.to_str().ok())
            .filter(|id| is_id(id))
            .map(str::to_owned);
        let id = given
            .or(arrival.id)
            .unwrap_or_else(|| format!("{:032x}", fastrand::u128(..)));
        let usable = |margin| Some(Deadline::usable(arrival.time_left?, margin));
        let limit = usable(config.deadline_margin);
        let limit = limit.map_or(config.call_timeout, |it| it.min(config.call_timeout));
        let end = |margin| usable(margin).map(Deadline::after);
        Call {
            id,
            countdown: Countdown::new(Deadline::after(limit), end(config.deadline_margin)),
            stream_end: end(config.stream_margin),
            meter: Arc::new(Meter::default()),
            principal: arrival.principal,
            is_part: false,
        }
    }
}

/// Puts the request's id and times on the answer, and writes its line: now, or when its body is whole.
fn finish(
    mut response: Response<Body>,
    face: &'static str,
    call: Arc<Call>,
    since: Instant,
    cold_start: bool,
) -> Response<Body> {
    let extensions = response.extensions_mut();
    let outcome = extensions.remove::<Outcome>().unwrap_or_default();
    let pending = extensions.remove::<Pending>();
    let status = response.status().as_u16();
    let entry = Entry {
        face,
        status,
        since,
        call,
        cold_start,
    };
    sign(response.headers_mut(), &entry.line(&outcome));
    match pending {
        None => {
            entry.line(&outcome).write();
            response
        }
        Some(pending) => response.map(|body| entry.follow(body, outcome, pending)),
    }
}

fn router(registry: &Arc<Registry>, face: Arc<Face>, endpoint: Arc<Endpoint>) -> Router {
    let names = registry.clone();
    let listening = endpoint.clone();
    let listen = move |request: Request| {
        let reply = listening.listen_to_all(request.headers());
        async move { answer_of(reply) }
    };
    let tells = endpoint.tells();
    let mcp = post(move |request: Request| mcp(endpoint.clone(), request));
    Router::new()
        .route("/mcp", if tells { mcp.get(listen) } else { mcp })
        .merge(rest::router(face))
        .fallback(move |request: Request| async move { not_found(&names, &request) })
        .method_not_allowed_fallback(method_not_allowed)
}

async fn mcp(endpoint: Arc<Endpoint>, request: Request) -> Response<Body> {
    let cx = context(&request);
    let (parts, body) = request.into_parts();
    let body = match rest::read_body(body, &cx).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    answer_of(endpoint.answer(&parts.headers, &body, &cx).await)
}

fn not_found(registry: &Registry, request: &Request) -> Response<Body> {
    let cx = context(request);
    match request.uri().path().strip_prefix("/api/") {
        Some(name) if !name.contains('/') => {
            rest::failure(&unknown(registry, name, Tool::on_rest), cx.request_id())
        }
        _ => {
            let detail = "nothing is served at this path; `/` lists what is";
            rest::problem(StatusCode::NOT_FOUND, "not_found", detail, cx.request_id())
        }
    }
}

async fn method_not_allowed(request: Request) -> Response<Body> {
    let detail = "this path does not take this method; the `Allow` header lists those it takes";
    rest::problem(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        detail,
        context(&request).request_id(),
    )
}

fn unknown(registry: &Registry, name: &str, seen: fn(&Tool) -> bool) -> Error {
    let hint = registry.hint(name, seen);
    Error::unknown_function(format!("there is no function `{name}`{hint}"))
}

fn context(request: &Request) -> Context {
    request
        .extensions()
        .get::<Context>()
        .expect("`serve` puts a context into every request")
        .clone()
}

/// The face that a path belongs to, for the log; the path itself may hold a wallet address.
fn face_of(path: &str) -> &'static str {
    match path {
        "/mcp" => "mcp",
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

/// The request id, and where the time went (W3C Server Timing).
fn sign(headers: &mut HeaderMap, line: &Line<'_>) {
    let id = HeaderValue::from_str(line.request_id);
    headers.insert(
        REQUEST_ID,
        id.unwrap_or(HeaderValue::from_static("unprintable")),
    );
    let (all, upstream) = (millis(line.duration), millis(line.upstream_time));
    let timing = format!(
        "total;dur={all}, upstream;dur={upstream};desc=\"{} calls\"",
        line.upstream_calls
    );
    headers.insert(
        "server-timing",
        HeaderValue::from_str(&timing).expect("numbers are visible ASCII"),
    );
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for StartError {}
