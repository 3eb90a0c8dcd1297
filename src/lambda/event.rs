//! Events of the HTTP front doors become HTTP requests.
//!
//! The mapping is our own: what is a bad request on a socket must be one here too, and not a panic.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use axum::body::Body;
use axum::extract::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{COOKIE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

/// What stands for itself in a path (RFC 3986 §3.3); `%` too, for a path that comes encoded.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'`')
    .add(b'#')
    .add(b'?')
    .add(b'{')
    .add(b'}')
    .add(b'\\')
    .add(b'^')
    .add(b'|');

/// An event of a Function URL or of API Gateway.
pub(super) enum Event<'a> {
    /// Payload 2.0: Function URLs and HTTP APIs.
    V2(V2<'a>),
    /// Payload 1.0: REST APIs, and HTTP APIs that ask for it.
    V1(V1<'a>),
}

/// An event that comes from none of the front doors.
#[derive(Debug)]
pub struct UnknownEvent;

/// Where an event came from, which decides the shape of the answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    V2,
    V1,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct V2<'a> {
    #[serde(borrow)]
    raw_path: Cow<'a, str>,
    #[serde(borrow, default)]
    raw_query_string: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    cookies: Option<Vec<Cow<'a, str>>>,
    #[serde(borrow, default)]
    headers: Option<BTreeMap<Cow<'a, str>, Cow<'a, str>>>,
    #[serde(borrow)]
    request_context: V2Context<'a>,
    #[serde(borrow, default)]
    body: Option<Cow<'a, str>>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
struct V2Context<'a> {
    #[serde(borrow)]
    http: V2Http<'a>,
    #[serde(borrow, default)]
    stage: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct V2Http<'a> {
    #[serde(borrow)]
    method: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct V1<'a> {
    #[serde(borrow, default)]
    version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    http_method: Cow<'a, str>,
    #[serde(borrow)]
    path: Cow<'a, str>,
    #[serde(borrow, default)]
    headers: Option<BTreeMap<Cow<'a, str>, Cow<'a, str>>>,
    #[serde(borrow, default)]
    multi_value_headers: Option<BTreeMap<Cow<'a, str>, Vec<Cow<'a, str>>>>,
    #[serde(borrow, default)]
    query_string_parameters: Option<BTreeMap<Cow<'a, str>, Cow<'a, str>>>,
    #[serde(borrow, default)]
    multi_value_query_string_parameters: Option<BTreeMap<Cow<'a, str>, Vec<Cow<'a, str>>>>,
    #[serde(borrow)]
    request_context: V1Context<'a>,
    #[serde(borrow, default)]
    body: Option<Cow<'a, str>>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
struct V1Context<'a> {
    #[serde(borrow, default)]
    stage: Option<Cow<'a, str>>,
}

impl<'a> Event<'a> {
    /// Reads an event.
    ///
    /// # Errors
    /// It comes from none of the front doors.
    pub(super) fn parse(payload: &'a str) -> Result<Event<'a>, UnknownEvent> {
        // Each shape has fields that the other lacks, so the order decides nothing but the cost.
        if let Ok(event) = serde_json::from_str(payload) {
            return Ok(Event::V2(event));
        }
        serde_json::from_str(payload)
            .map(Event::V1)
            .map_err(|_| UnknownEvent)
    }

    pub(super) fn door(&self) -> Door {
        match self {
            Event::V2(_) => Door::V2,
            Event::V1(_) => Door::V1,
        }
    }

    /// The HTTP request.
    ///
    /// # Errors
    /// A sentence for the caller, where the event holds what no HTTP request could.
    pub(super) fn request(self) -> Result<Request, String> {
        match self {
            Event::V2(event) => event.request(),
            Event::V1(event) => event.request(),
        }
    }
}

impl V2<'_> {
    fn request(self) -> Result<Request, String> {
        let path = without_stage(&self.raw_path, self.request_context.stage.as_deref());
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers.iter().flatten() {
            append(&mut headers, name, value)?;
        }
        if let Some(cookies) = self.cookies.filter(|cookies| !cookies.is_empty()) {
            append(&mut headers, COOKIE.as_str(), &cookies.join("; "))?;
        }
        let body = body(self.body, self.is_base64_encoded)?;
        build(
            &self.request_context.http.method,
            path,
            self.raw_query_string.as_deref().unwrap_or(""),
            headers,
            body,
        )
    }
}

impl V1<'_> {
    fn request(self) -> Result<Request, String> {
        // The stage stands in the path of an HTTP API, which says its payload's version, and never in that of a REST API.
        let stage = self.version.and(self.request_context.stage);
        let path = without_stage(&self.path, stage.as_deref());
        let mut headers = HeaderMap::new();
        match &self.multi_value_headers {
            Some(lists) => {
                for (name, value) in lists
                    .iter()
                    .flat_map(|(name, values)| values.iter().map(move |value| (name, value)))
                {
                    append(&mut headers, name, value)?;
                }
            }
            None => {
                for (name, value) in self.headers.iter().flatten() {
                    append(&mut headers, name, value)?;
                }
            }
        }
        let query = match &self.multi_value_query_string_parameters {
            Some(lists) => query(
                lists
                    .iter()
                    .flat_map(|(key, values)| values.iter().map(move |value| (key, value))),
            ),
            None => query(self.query_string_parameters.iter().flatten()),
        };
        let body = body(self.body, self.is_base64_encoded)?;
        build(&self.http_method, path, &query, headers, body)
    }
}

/// The path below the stage: a named stage stands in front of it on API Gateway's own host.
fn without_stage<'p>(path: &'p str, stage: Option<&str>) -> &'p str {
    let below = stage
        .filter(|stage| *stage != "$default")
        .and_then(|stage| path.strip_prefix('/')?.strip_prefix(stage));
    match below {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

/// This payload's parameters come decoded.
fn query<'q>(pairs: impl Iterator<Item = (&'q Cow<'q, str>, &'q Cow<'q, str>)>) -> String {
    let encode = |text: &'q str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    pairs
        .map(|(key, value)| format!("{}={}", encode(key), encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}

fn append(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), String> {
    let name = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| "a header has a name that HTTP does not allow")?;
    let value = HeaderValue::from_str(value)
        .map_err(|_| format!("header `{name}` has characters that HTTP does not allow"))?;
    headers.append(name, value);
    Ok(())
}

fn body(body: Option<Cow<'_, str>>, is_base64: bool) -> Result<Body, String> {
    match body {
        None => Ok(Body::empty()),
        Some(text) if is_base64 => match STANDARD.decode(text.as_bytes()) {
            Ok(bytes) => Ok(Body::from(bytes)),
            Err(_) => Err("the body is announced as base64 and is not".to_owned()),
        },
        Some(text) => Ok(Body::from(text.into_owned())),
    }
}

fn build(
    method: &str,
    path: &str,
    query: &str,
    headers: HeaderMap,
    body: Body,
) -> Result<Request, String> {
    if let Some(host) = headers.get(HOST) {
        let authority = host
            .to_str()
            .ok()
            .and_then(|host| host.parse::<http::uri::Authority>().ok());
        authority
            .filter(|it| !it.as_str().contains('@'))
            .filter(|it| it.as_str() == it.host() || it.port_u16().is_some())
            .ok_or("header `host` is no host name")?;
    }
    if !path.starts_with('/') {
        return Err("the path does not begin with `/`".to_owned());
    }
    let path = utf8_percent_encode(path, PATH).to_string();
    let target = if query.is_empty() {
        path
    } else {
        format!("{path}?{query}")
    };
    let mut request = Request::new(body);
    *request.method_mut() =
        Method::from_bytes(method.as_bytes()).map_err(|_| "the method is none of HTTP")?;
    *request.uri_mut() = target
        .parse::<Uri>()
        .ok()
        .ok_or("the path or the query has characters that a URL does not allow, or is too long")?;
    *request.headers_mut() = headers;
    Ok(request)
}

impl fmt::Display for UnknownEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the event is no HTTP request of a Function URL or of API Gateway (payload format 2.0 or 1.0); \
             invoke this function through one of them",
        )
    }
}

impl std::error::Error for UnknownEvent {}
