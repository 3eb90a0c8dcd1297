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
                               Mcp-Session-Id, Last-Event-ID, X-Request-Id, traceparent, tracestate, baggage, If-None-Match, Idempotency-Key";
/// The response headers that a page may read in addition to those that are always readable.
const RESPONSE_HEADERS: HeaderValue = HeaderValue::from_static(
    "WWW-Authenticate, X-Request-Id, Server-Timing, ETag, Retry-After, RateLimit, RateLimit-Policy, Cache-Status, Age, Link, Idempotent-Replayed",
);
/// The methods that a page may always use.
const METHODS: [&str; 2] = ["GET", "POST"];
/// The seconds for which a browser may cache a preflight; Chromium's limit.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// The CORS policy of one application.
pub struct Cors {
    origins: AllowedOrigins,
    offer: Box<dyn Fn() -> Offer + Send + Sync>,
    rendered: OnceLock<Rendered>,
}

/// What the functions of an application take from pages.
pub struct Offer {
    /// The names after `Mcp-Param-` in the headers by which MCP clients repeat arguments.
    pub parameters: BTreeSet<String>,
    /// The headers that carry arguments.
    pub headers: BTreeSet<String>,
    /// The methods of their paths.
    pub methods: BTreeSet<String>,
}

/// The headers of the response to a preflight.
struct Rendered {
    request_headers: HeaderValue,
    methods: HeaderValue,
}

impl Cors {
    /// The policy for pages of `origins`, for functions that take what is in `offer`.
    pub fn new(origins: AllowedOrigins, offer: impl Fn() -> Offer + Send + Sync + 'static) -> Cors {
        Cors {
            origins,
            offer: Box::new(offer),
            rendered: OnceLock::new(),
        }
    }

    /// The origin of the page that makes the request, if it is admitted.
    pub fn page(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(ORIGIN)?;
        self.origins.admit(origin, headers).then(|| origin.clone())
    }

    /// Rendered with the first preflight, because it needs the schemas of all functions.
    fn rendered(&self) -> &Rendered {
        self.rendered.get_or_init(|| (self.offer)().render())
    }

    /// The response to a preflight of an admitted page.
    pub fn preflight(&self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        let rendered = self.rendered();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, rendered.methods.clone());
        headers.insert(
            ACCESS_CONTROL_ALLOW_HEADERS,
            rendered.request_headers.clone(),
        );
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        response
    }
}

impl Offer {
    fn render(&self) -> Rendered {
        let repeated = self
            .parameters
            .iter()
            .map(|name| format!("mcp-param-{name}"));
        let names = repeated.chain(self.headers.iter().cloned());
        // A client cannot send a name that is not a valid header name.
        let names = names.filter_map(|name| HeaderName::try_from(name).ok());
        let mut headers = REQUEST_HEADERS.to_owned();
        for name in names {
            headers.push_str(&format!(", {name}"));
        }
        let own = self.methods.iter().map(String::as_str);
        let own = own.filter(|method| !METHODS.contains(method));
        let methods: Vec<&str> = METHODS.into_iter().chain(own).collect();
        let value = |text| HeaderValue::try_from(text).expect("names are visible ASCII");
        Rendered {
            request_headers: value(headers),
            methods: value(methods.join(", ")),
        }
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
