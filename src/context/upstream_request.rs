//! Requests of a function to an upstream: what is asked for, step by step, and how the response is read.

use std::fmt::Display;

use bytes::Bytes;
use http::header::{
    ACCEPT, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Context;
use crate::error::{Error, Result};
use crate::upstream::{Accept, Outgoing, Upstream, UpstreamResponse, target};

/// Headers that belong to the connection.
const OF_CONNECTION: [HeaderName; 7] = [
    HOST,
    CONNECTION,
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
    UPGRADE,
    TE,
    TRAILER,
];

/// An upstream within a call, which begins requests to it.
#[derive(Clone)]
pub struct UpstreamClient {
    cx: Context,
    name: String,
}

/// A request to an upstream. Nothing is sent before one of [`json`](UpstreamRequest::json),
/// [`text`](UpstreamRequest::text), [`bytes`](UpstreamRequest::bytes) and [`send`](UpstreamRequest::send) is awaited.
///
/// A step that is wrong, for example a path variable without a value, fails when the request is sent.
#[must_use = "a request is sent when its response is awaited, e.g. with `json`"]
pub struct UpstreamRequest {
    cx: Context,
    upstream: String,
    method: Method,
    template: String,
    values: Vec<(&'static str, String)>,
    query: String,
    headers: HeaderMap,
    body: Option<Bytes>,
    has_key: bool,
    problem: Option<Error>,
}

impl UpstreamClient {
    pub(super) fn new(cx: Context, upstream: &Upstream) -> UpstreamClient {
        let name = upstream.name.to_string();
        UpstreamClient { cx, name }
    }

    /// A GET of `path`, which is appended to the base URL. Each `{name}` in it is replaced by a value of
    /// [`UpstreamRequest::path`].
    pub fn get(&self, path: &str) -> UpstreamRequest {
        self.request(Method::GET, path)
    }

    /// A HEAD, as [`UpstreamClient::get`].
    pub fn head(&self, path: &str) -> UpstreamRequest {
        self.request(Method::HEAD, path)
    }

    /// A POST, as [`UpstreamClient::get`].
    pub fn post(&self, path: &str) -> UpstreamRequest {
        self.request(Method::POST, path)
    }

    /// A PUT, as [`UpstreamClient::get`].
    pub fn put(&self, path: &str) -> UpstreamRequest {
        self.request(Method::PUT, path)
    }

    /// A PATCH, as [`UpstreamClient::get`].
    pub fn patch(&self, path: &str) -> UpstreamRequest {
        self.request(Method::PATCH, path)
    }

    /// A DELETE, as [`UpstreamClient::get`].
    pub fn delete(&self, path: &str) -> UpstreamRequest {
        self.request(Method::DELETE, path)
    }

    /// A request of any method, as [`UpstreamClient::get`].
    pub fn request(&self, method: Method, path: &str) -> UpstreamRequest {
        UpstreamRequest {
            cx: self.cx.clone(),
            upstream: self.name.clone(),
            method,
            template: path.to_owned(),
            values: Vec::new(),
            query: String::new(),
            headers: HeaderMap::new(),
            body: None,
            has_key: false,
            problem: None,
        }
    }
}

impl UpstreamRequest {
    /// Puts `value` in place of `{name}` in the path. It is percent-encoded, so it stays within its segment. A value that
    /// is empty, `.` or `..` is an invalid argument.
    pub fn path(mut self, name: &'static str, value: impl Display) -> UpstreamRequest {
        self.values.push((name, value.to_string()));
        self
    }

    /// Adds a parameter to the query: a text, a number, a boolean, an enum, an `Option` of them (absent for `None`), or a
    /// list of them (the parameter once for each item). For a type that only has `Display`, give `format_args!("{it}")`.
    pub fn query(self, name: &str, value: impl Serialize) -> UpstreamRequest {
        self.step(|it| target::append(&mut it.query, name, &value))
    }

    /// Sets a header. A GET is shared with other callers and cached only with those that set the same headers, and not at
    /// all with `authorization` or `cookie`.
    pub fn header(self, name: &str, value: impl AsRef<str>) -> UpstreamRequest {
        self.step(|it| {
            let unknown = || Error::internal(format!("`{name}` is not a header that can be set"));
            let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unknown())?;
            if OF_CONNECTION.contains(&header) {
                return Err(unknown());
            }
            let value = HeaderValue::from_str(value.as_ref()).map_err(|_| {
                Error::invalid_argument(name, "has characters that a header cannot contain")
            })?;
            it.set(header, value);
            Ok(())
        })
    }

    /// Sends `value` as JSON.
    pub fn body(self, value: &impl Serialize) -> UpstreamRequest {
        self.step(|it| {
            let body = serde_json::to_vec(value);
            let body = body.map_err(|error| {
                Error::internal("the body of an upstream request cannot be written as JSON")
                    .with_source(error)
            })?;
            it.set_body(body.into(), HeaderValue::from_static("application/json"));
            Ok(())
        })
    }

    /// Sends the fields of `value` as a form (`application/x-www-form-urlencoded`); each may be what a parameter of
    /// [`UpstreamRequest::query`] may be.
    pub fn form(self, value: &impl Serialize) -> UpstreamRequest {
        self.step(|it| {
            let media_type = HeaderValue::from_static("application/x-www-form-urlencoded");
            it.set_body(target::form(value)?.into(), media_type);
            Ok(())
        })
    }

    /// Sends these bytes, with their media type.
    pub fn bytes_body(self, bytes: impl Into<Bytes>, media_type: &str) -> UpstreamRequest {
        self.step(|it| {
            let media_type = HeaderValue::from_str(media_type);
            let media_type =
                media_type.map_err(|_| Error::internal("invalid media type of a body"))?;
            it.set_body(bytes.into(), media_type);
            Ok(())
        })
    }

    /// Sends `Idempotency-Key`: the upstream promises to carry out requests with the same key once, so that this one is
    /// tried again as a GET is.
    pub fn idempotency_key(self, key: impl AsRef<str>) -> UpstreamRequest {
        let mut request = self.header("idempotency-key", key);
        request.has_key = request.problem.is_none();
        request
    }

    /// Sends the request and decodes the JSON body of a good response (status 200 to 299). An empty body is `null`, which
    /// `()` and `Option` accept.
    ///
    /// # Errors
    /// `NotFound` for HTTP 404, an upstream kind for every other failure; [`Error::upstream_body`] has what the upstream
    /// said.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T> {
        let (cx, upstream, outgoing) = self.finish(Accept::Json)?;
        let upstreams = &cx.services.upstreams;
        upstreams.json(&upstream, &outgoing, cx.caller()).await
    }

    /// Sends the request and reads the body of a good response as text.
    ///
    /// # Errors
    /// As [`UpstreamRequest::json`].
    pub async fn text(self) -> Result<String> {
        let (cx, upstream, outgoing) = self.finish(Accept::Any)?;
        let upstreams = &cx.services.upstreams;
        upstreams.text(&upstream, &outgoing, cx.caller()).await
    }

    /// Sends the request and reads the body of a good response.
    ///
    /// # Errors
    /// As [`UpstreamRequest::json`].
    pub async fn bytes(self) -> Result<Bytes> {
        let (cx, upstream, outgoing) = self.finish(Accept::Any)?;
        let upstreams = &cx.services.upstreams;
        upstreams.bytes(&upstream, &outgoing, cx.caller()).await
    }

    /// Sends the request and gives the response whatever its status, with a body that is not read yet. The response is
    /// neither shared with other callers nor cached.
    ///
    /// # Errors
    /// An upstream kind where there is no response.
    pub async fn send(self) -> Result<UpstreamResponse> {
        let (cx, upstream, outgoing) = self.finish(Accept::Any)?;
        let upstreams = &cx.services.upstreams;
        upstreams.send(&upstream, &outgoing, cx.caller()).await
    }

    /// Takes one step, unless an earlier one has failed.
    fn step(mut self, step: impl FnOnce(&mut UpstreamRequest) -> Result<()>) -> UpstreamRequest {
        if self.problem.is_none() {
            self.problem = step(&mut self).err();
        }
        self
    }

    fn set(&mut self, name: HeaderName, mut value: HeaderValue) {
        // Any of them may be a secret; none has a reason to be in a log.
        value.set_sensitive(name != ACCEPT && name != CONTENT_TYPE);
        self.headers.insert(name, value);
    }

    fn set_body(&mut self, body: Bytes, media_type: HeaderValue) {
        self.body = Some(body);
        self.headers.entry(CONTENT_TYPE).or_insert(media_type);
    }

    fn finish(self, accept: Accept) -> Result<(Context, String, Outgoing)> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        let mut target = target::expand(&self.template, &self.values)?;
        if let Some(query) = self.query.strip_prefix('?') {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str(query);
        }
        let outgoing = Outgoing {
            method: self.method,
            target,
            headers: self.headers,
            body: self.body,
            accept,
            has_key: self.has_key,
        };
        Ok((self.cx, self.upstream, outgoing))
    }
}
