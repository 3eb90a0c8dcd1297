//! The routes, made from the registry.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{RawPathParams, Request, State};
use axum::routing::{MethodRouter, get, post};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::json;

use super::openapi::Document;
use super::problem::{failure, problem, refused};
use super::{arguments, docs, freshness, policy};
use crate::config::Config;
use crate::context::answered::Answered;
use crate::context::{Context, Form, Protocol};
use crate::error::{Error, Result};
use crate::http::base_url::{self, BaseUrl};
use crate::http::body::read_body;
use crate::registry::{Info, Registry, Tool};
use crate::telemetry::Outcome;

/// The REST protocol of one application.
pub struct RestApi {
    registry: Arc<Registry>,
    info: Info,
    /// The URL of the server for what no request asks for, and that of the settings for all.
    usual_url: String,
    public_url: Option<String>,
    openapi: OnceLock<Document>,
    docs: OnceLock<(Bytes, HeaderValue)>,
}

/// A tool that answers at a path.
#[derive(Clone)]
struct Route {
    api: Arc<RestApi>,
    tool: Arc<Tool>,
}

impl RestApi {
    /// The protocol of `registry`; its documents are rendered when they are first asked for.
    pub fn new(registry: Arc<Registry>, info: Info, config: &Config) -> RestApi {
        let address = config.listen;
        let host = match address.ip().is_unspecified() {
            true => format!("localhost:{}", address.port()),
            false => address.to_string(),
        };
        RestApi {
            usual_url: format!("http://{host}"),
            public_url: config.public_url.clone(),
            registry,
            info,
            openapi: OnceLock::new(),
            docs: OnceLock::new(),
        }
    }

    /// The protocol of another registry of the same application.
    pub fn with(&self, registry: Arc<Registry>) -> RestApi {
        RestApi {
            registry,
            info: self.info.clone(),
            usual_url: self.usual_url.clone(),
            public_url: self.public_url.clone(),
            openapi: OnceLock::new(),
            docs: OnceLock::new(),
        }
    }

    /// The name of the application.
    pub fn name(&self) -> &str {
        &self.info.name
    }

    /// The OpenAPI 3.1 document, for clients of the public URL or else of the address that is listened on.
    pub fn openapi(&self) -> Bytes {
        self.document().at(self.url(None))
    }

    fn document(&self) -> &Document {
        self.openapi
            .get_or_init(|| Document::new(&self.registry, &self.info))
    }

    fn url<'u>(&'u self, of_request: Option<&'u BaseUrl>) -> &'u str {
        let of_request = of_request.map(BaseUrl::as_str);
        let url = self.public_url.as_deref().or(of_request);
        url.unwrap_or(&self.usual_url)
    }

    /// The page, and the policy by which browsers run what is in it.
    fn docs(&self) -> &(Bytes, HeaderValue) {
        self.docs.get_or_init(|| {
            let page = docs::page(&self.registry, &self.info);
            let policy = policy::of_page(&page);
            (page.into(), policy)
        })
    }
}

impl Route {
    /// Calls the function. A GET passes its headers on: its answer may be kept, and may be known already.
    async fn answer(
        &self,
        cx: Context,
        arguments: Result<Cow<'_, str>>,
        get: Option<&HeaderMap>,
    ) -> Answered {
        let tool = &self.tool;
        let result = match arguments {
            Ok(arguments) => {
                let cx = cx.clone().on_protocol(Protocol::Rest, Form::Json);
                match self.api.registry.authorize(tool, &cx, &arguments) {
                    Ok(()) => self.api.registry.call(tool, cx, &arguments).await,
                    Err(denied) => Err(denied),
                }
            }
            Err(error) => Err(error),
        };
        let response = match &result {
            Ok(answer) => {
                let body = answer.json().get();
                let mut response = json_response(Bytes::copy_from_slice(body.as_bytes()));
                match get {
                    Some(request) => {
                        freshness::describe(&mut response, cx.freshness(), body, request);
                    }
                    None => freshness::mark(&mut response, cx.freshness()),
                }
                response
            }
            Err(error) => failure(error, cx.request_id()).response,
        };
        Answered::new(response, Outcome::of_call(tool.label(), result.err()))
    }
}

/// Every route of the api. A [`Context`] must stand in the request's extensions.
pub fn router(api: Arc<RestApi>) -> Router {
    let mut routes = Router::new();
    for tool in api.registry.tools().iter().filter(|tool| tool.on_rest()) {
        let route = Route {
            api: api.clone(),
            tool: tool.clone(),
        };
        for path in tool.paths() {
            routes = routes.route(&format!("/api{path}"), by_url(route.clone()));
        }
        if let Some(path) = tool.post_path() {
            routes = routes.route(&format!("/api{path}"), by_body(route.clone()));
        }
        routes = routes.route(&format!("/api/{}", tool.name()), by_body(route));
    }
    routes
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
            get(|State(api): State<Arc<RestApi>>| async move { docs_page(&api) }),
        )
        .route("/health", get(health))
        .route("/", get(index))
        .with_state(api)
}

/// `GET`: the arguments stand in the path and the query.
fn by_url(route: Route) -> MethodRouter<Arc<RestApi>> {
    get(
        move |params: Result<RawPathParams, _>, request: Request| async move {
            let cx = Context::of(&request);
            let Ok(params) = params else {
                let error =
                    Error::invalid_argument("$", "the path is not UTF-8 after percent-decoding");
                return route.answer(cx, Err(error), None).await;
            };
            let path: Vec<(&str, Cow<'_, str>)> = params
                .iter()
                .map(|(name, text)| (name, text.into()))
                .collect();
            let arguments = arguments::of_url(&route.tool, &path, request.uri().query());
            let get = Some(request.headers());
            route.answer(cx, arguments.map(Cow::Owned), get).await
        },
    )
}

/// `POST`: the arguments are the body, a JSON object; no body is an empty one.
fn by_body(route: Route) -> MethodRouter<Arc<RestApi>> {
    post(move |request: Request| async move {
        let cx = Context::of(&request);
        if let Some(query) = request.uri().query().filter(|it| !it.is_empty()) {
            let key = arguments::first_key(query);
            let error = Error::invalid_argument(
                key,
                "a POST takes its arguments in the body, not in the query",
            );
            return route.answer(cx, Err(error), None).await;
        }
        let (parts, body) = request.into_parts();
        let body = match read_body(&parts.headers, body, cx.body_limits()).await {
            Ok(body) => body,
            Err(refusal) => return refused(refusal, cx.request_id()),
        };
        if !body.is_empty() && !is_json(&parts.headers) {
            let detail = "the body must be JSON: send `Content-Type: application/json`";
            return problem(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                detail,
                cx.request_id(),
            );
        }
        route.answer(cx, object(&body), None).await
    })
}

/// The body as the text of a JSON object, without deciding anything of what is in it.
fn object(body: &[u8]) -> Result<Cow<'_, str>> {
    if body.is_empty() {
        return Ok("{}".into());
    }
    let text = std::str::from_utf8(body)
        .map_err(|_| Error::invalid_argument("$", "the body is not UTF-8"))?;
    match serde_json::from_str::<&serde_json::value::RawValue>(text) {
        Ok(_) => Ok(text.into()),
        Err(error) => Err(Error::invalid_argument(
            "$",
            format!("the body is not JSON: {error}"),
        )),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    value
        .split(';')
        .next()
        .unwrap_or("")
        .trim()
        .eq_ignore_ascii_case("application/json")
}

fn docs_page(api: &RestApi) -> Answered {
    let (html, policy) = api.docs();
    let mut page = page("docs", "text/html; charset=utf-8", html.clone());
    let headers = page.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy.clone());
    page
}

fn openapi_document(api: &RestApi, request: &Request) -> Answered {
    let told = request.extensions().get::<BaseUrl>().cloned();
    let told = told.or_else(|| BaseUrl::of_socket(request.headers()));
    let url = api.url(told.as_ref());
    let document = api.document();
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

fn json_response(body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
