//! Lets pages of admitted origins read responses in their browser (CORS, Fetch standard §3.3).
//!
//! The layer of `tower-http` cannot replace this: it answers every `OPTIONS` itself, also those of foreign pages and
//! those that are not preflights, which are 405 here; it sends `Access-Control-Expose-Headers` to foreign pages; and it
//! needs the allowed headers when it is built, which would compute the schemas of all functions in a cold start.
//!
//! `Access-Control-Request-Private-Network` gets no answer: the draft was given up, and browsers now ask the user before
//! a page may reach the local network, not the server (Local Network Access).

use std::collections::BTreeSet;
use std::sync::OnceLock;

use axum::body::Body;
use axum::extract::Request;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};

use crate::http::origin::AllowedOrigins;

/// The request headers that a page may send in addition to those that are always allowed.
const REQUEST_HEADERS: &str = "Content-Type, Accept, Authorization, X-API-Key, MCP-Protocol-Version, Mcp-Method, Mcp-Name, \
                               Mcp-Session-Id, Last-Event-ID, X-Request-Id, traceparent, tracestate, baggage, If-None-Match";
/// The response headers that a page may read in addition to those that are always readable.
const RESPONSE_HEADERS: HeaderValue = HeaderValue::from_static(
    "WWW-Authenticate, X-Request-Id, Server-Timing, ETag, Retry-After, RateLimit, RateLimit-Policy, Cache-Status, Age",
);
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST");
/// The seconds for which a browser may cache a preflight; Chromium's limit.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// The CORS policy of one application.
pub struct Cors {
    origins: AllowedOrigins,
    parameters: Box<Parameters>,
    request_headers: OnceLock<HeaderValue>,
}

/// The names after `Mcp-Param-` in the headers by which clients repeat arguments of functions.
type Parameters = dyn Fn() -> BTreeSet<String> + Send + Sync;

impl Cors {
    /// The policy for pages of `origins`, which may also send the headers that repeat these `parameters`.
    pub fn new(
        origins: AllowedOrigins,
        parameters: impl Fn() -> BTreeSet<String> + Send + Sync + 'static,
    ) -> Cors {
        Cors {
            origins,
            parameters: Box::new(parameters),
            request_headers: OnceLock::new(),
        }
    }

    /// The origin of the page that makes the request, if it is admitted.
    pub fn page(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(ORIGIN)?;
        self.origins.admit(origin, headers).then(|| origin.clone())
    }

    /// The headers that a page may send, computed with the first preflight because it needs the schemas of all functions.
    fn request_headers(&self) -> HeaderValue {
        let all = self.request_headers.get_or_init(|| {
            let mut headers = REQUEST_HEADERS.to_owned();
            for name in (self.parameters)() {
                // A client cannot send a name that is not a valid header name.
                if let Ok(name) = HeaderName::try_from(format!("mcp-param-{name}")) {
                    headers.push_str(&format!(", {name}"));
                }
            }
            HeaderValue::try_from(headers).expect("names are visible ASCII")
        });
        all.clone()
    }

    /// The response to a preflight of an admitted page.
    pub fn preflight(&self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, self.request_headers());
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        response
    }
}

/// Whether the request is a preflight; any other `OPTIONS` is a method like the others.
pub fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Lets the page read the response. Responses to other clients vary by origin too: otherwise a cache would give them to
/// pages, which could not read them.
pub fn share(response: &mut Response<Body>, page: Option<HeaderValue>) {
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(page) = page {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, page);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
    }
}
