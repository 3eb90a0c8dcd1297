//! The REST protocol of an application: its functions below `/api`, and the pages that describe them.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderValue, Response};
use serde_json::json;

use super::missing::method_not_allowed;
use super::openapi::Document;
use super::security::Security;
use super::table::{Found, Table};
use super::{docs, endpoint, freshness, policy};
use crate::auth::Schemes;
use crate::config::{Config, Listing};
use crate::context::Context;
use crate::context::answered::Answered;
use crate::http::base_url::{self, BaseUrl};
use crate::http::origin::AllowedOrigins;
use crate::registry::{Info, Registry};
use crate::telemetry::Outcome;

/// The REST protocol of one application.
pub struct RestApi {
    pub(super) registry: Arc<Registry>,
    /// The origins of web pages that may send forms and files.
    pub(super) origins: AllowedOrigins,
    info: Info,
    security: Security,
    table: OnceLock<Table>,
    /// The address of the local server, for a URL if neither the request nor a setting names one.
    listen: SocketAddr,
    listen_url: OnceLock<String>,
    /// The public URL from the settings.
    public_url: Option<String>,
    openapi: OnceLock<Document>,
    docs: OnceLock<(Bytes, HeaderValue)>,
}

impl RestApi {
    /// The protocol of `registry`; its documents are rendered when they are first requested.
    pub fn new(
        registry: Arc<Registry>,
        info: Info,
        config: &Config,
        schemes: Option<Schemes>,
    ) -> RestApi {
        RestApi {
            listen: config.listen,
            listen_url: OnceLock::new(),
            public_url: config.public_url.clone(),
            registry,
            origins: AllowedOrigins::new(config.allowed_origins.clone()),
            info,
            security: Security::new(schemes, config),
            table: OnceLock::new(),
            openapi: OnceLock::new(),
            docs: OnceLock::new(),
        }
    }

    /// The protocol of another registry of the same application.
    pub fn with(&self, registry: Arc<Registry>) -> RestApi {
        RestApi {
            registry,
            origins: self.origins.clone(),
            info: self.info.clone(),
            security: self.security.clone(),
            listen: self.listen,
            listen_url: OnceLock::new(),
            public_url: self.public_url.clone(),
            table: OnceLock::new(),
            openapi: OnceLock::new(),
            docs: OnceLock::new(),
        }
    }

    /// The name of the application.
    pub fn name(&self) -> &str {
        &self.info.name
    }

    /// The OpenAPI 3.1 document, for the public URL or else for the address of the local server.
    pub fn openapi(&self) -> Bytes {
        self.document().at(self.url(None))
    }

    /// Answers a request for a path below `/api`. Its extensions must contain the [`Context`].
    ///
    /// # Errors
    /// Returns the request if no function has its path.
    pub async fn answer(&self, request: Request) -> Result<Answered, Request> {
        let (endpoint, path) = {
            let path = request.uri().path();
            match self
                .table()
                .find(request.method(), path.strip_prefix("/api").unwrap_or(path))
            {
                Found::Endpoint(endpoint, params) => (endpoint, endpoint::decoded(&params)),
                Found::Methods(allowed) => {
                    return Ok(method_not_allowed(&Context::of(&request), Some(allowed)));
                }
                Found::Nothing => return Err(request),
            }
        };
        // Boxed: the future is large, and every layer above would copy it.
        Ok(Box::pin(endpoint::answer(self, endpoint, path, request)).await)
    }

    fn table(&self) -> &Table {
        self.table.get_or_init(|| Table::new(&self.registry))
    }

    fn document(&self) -> &Document {
        self.openapi
            .get_or_init(|| Document::new(&self.registry, &self.info, &self.security))
    }

    /// The functions of this caller, if the settings hide the others from it.
    fn of_caller(&self, cx: &Context) -> Option<Registry> {
        let is_personal = cx.config().auth_list == Listing::Allowed && cx.is_guarded();
        is_personal.then(|| Registry::unchecked(self.registry.functions().of_caller(cx)))
    }

    fn url<'u>(&'u self, of_request: Option<&'u BaseUrl>) -> &'u str {
        let of_request = of_request.map(BaseUrl::as_str);
        let url = self.public_url.as_deref().or(of_request);
        url.unwrap_or_else(|| self.listen_url.get_or_init(|| url_of(self.listen)))
    }

    /// The documentation page and its Content-Security-Policy.
    fn docs(&self) -> &(Bytes, HeaderValue) {
        self.docs
            .get_or_init(|| docs_of(&self.registry, &self.info, false))
    }
}

fn docs_of(registry: &Registry, info: &Info, is_personal: bool) -> (Bytes, HeaderValue) {
    let page = docs::page(registry, info, is_personal);
    let policy = policy::of_page(&page);
    (page.into(), policy)
}

/// The routes of the pages. The extensions of a request must contain the [`Context`].
pub fn router(api: Arc<RestApi>) -> Router {
    api.table();
    Router::new()
        .route(
            base_url::DOCUMENT,
            get(
                |State(api): State<Arc<RestApi>>, request: Request| async move {
                    openapi_document(&api, &request)
                },
            ),
        )
        .route(
            "/docs",
            get(
                |State(api): State<Arc<RestApi>>, request: Request| async move {
                    docs_page(&api, &Context::of(&request))
                },
            ),
        )
        .route("/docs/app", get(docs_frame))
        .route("/health", get(health))
        .route("/", get(index))
        .with_state(api)
}

fn docs_page(api: &RestApi, cx: &Context) -> Answered {
    let personal = api.of_caller(cx).map(|it| docs_of(&it, &api.info, true));
    let (html, policy) = personal.as_ref().unwrap_or_else(|| api.docs());
    let mut page = page("docs", "text/html; charset=utf-8", html.clone());
    let headers = page.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy.clone());
    page
}

/// The frame of the documentation page in which the pages of tools run.
async fn docs_frame() -> Answered {
    let mut page = page("docs", "text/html; charset=utf-8", docs::FRAME.into());
    let policy = HeaderValue::from_static(policy::OF_FRAME);
    page.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    page
}

fn openapi_document(api: &RestApi, request: &Request) -> Answered {
    let told = request.extensions().get::<BaseUrl>().cloned();
    let told = told.or_else(|| BaseUrl::of_socket(request.headers()));
    let url = api.url(told.as_ref());
    let personal = api.of_caller(&Context::of(request));
    let personal = personal.map(|it| Document::new(&it, &api.info, &api.security));
    let document = personal.as_ref().unwrap_or_else(|| api.document());
    let mut page = page("openapi", "application/json", document.at(url));
    let headers = page.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    freshness::tag(&mut page.response, document.hash_at(url), request.headers());
    page
}

async fn health(State(api): State<Arc<RestApi>>, request: Request) -> Answered {
    let cx = Context::of(&request);
    let mut body = json!({
        "status": "ok",
        "name": api.info.name,
        "version": api.info.version,
        "uptime_ms": cx.process().uptime().as_millis() as u64,
        "requests": cx.process().requests(),
    });
    for (name, is_on) in cx.switches() {
        body[name] = is_on.into();
    }
    if let Some(mounts) = cx.mounts() {
        let states = mounts.into_iter().map(|(name, state)| (name, state.into()));
        body["mounts"] = serde_json::Value::Object(states.collect());
    }
    let mut page = page("health", "application/json", body.to_string().into());
    let headers = page.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    page
}

async fn index(State(api): State<Arc<RestApi>>) -> Answered {
    let body = json!({
        "name": api.info.name,
        "version": api.info.version,
        "links": { "mcp": "mcp", "docs": "docs", "openapi": "openapi.json", "health": "health" },
    });
    page("index", "application/json", body.to_string().into())
}

fn page(method: &'static str, content_type: &'static str, body: Bytes) -> Answered {
    let mut response = Response::new(Body::from(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    Answered::new(response, Outcome::of_method(method))
}

/// The URL of a server that listens on this address.
fn url_of(address: SocketAddr) -> String {
    match address.ip().is_unspecified() {
        true => format!("http://localhost:{}", address.port()),
        false => format!("http://{address}"),
    }
}
