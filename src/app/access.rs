//! Who a request comes from, whether it is let in, and what its response says of that.

use std::borrow::Cow;

use axum::body::Body;
use axum::extract::Request;
use http::header::{CACHE_CONTROL, RETRY_AFTER, VARY, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};

use super::snapshot::Snapshot;
use super::{App, MCP, WEBSOCKET, mcp_http, mounts};
use crate::auth::{self, Asking};
use crate::config::Listing;
use crate::context::Context;
use crate::context::answered::Answered;
use crate::error::{Error, Kind};
use crate::http::base_url::{self, BaseUrl};
use crate::http::refusal::Refusal;
use crate::rest;
use crate::telemetry::Outcome;
use crate::websocket::Connection;

/// What is said at start where callers are not checked.
pub(crate) const OPEN: &str = "everybody who reaches this server may call every function: \
                               set BIFOLD_AUTH_ISSUER or BIFOLD_API_KEYS to check callers";

/// Responses that depend on the caller.
const VARIES: HeaderValue = HeaderValue::from_static("Authorization, X-API-Key");

impl App {
    /// Whether callers are authenticated.
    pub(crate) fn is_guarded(&self) -> bool {
        self.services.auth.is_on()
    }

    /// Answers a request that was admitted: it is authenticated first, where the settings want that.
    pub(super) async fn let_in(&self, snapshot: &Snapshot, request: Request) -> Answered {
        if !self.is_guarded() {
            let is_private = auth::has_credentials(request.headers());
            let cx = Context::of(&request);
            let mut answered = self.route(snapshot, request).await;
            self.describe(&mut answered.response, &cx, is_private);
            return answered;
        }
        let cx = Context::of(&request);
        let (mut parts, body) = request.into_parts();
        auth::hide(&mut parts.headers);
        let url = self.base_url(&parts);
        let path = parts.uri.path().to_owned();
        if path.starts_with(auth::WELL_KNOWN)
            && let Some(metadata) = self.metadata(snapshot, &parts, &url)
        {
            return Answered::new(metadata, Outcome::of_method("metadata"));
        }
        let mut answered = match self.authenticate(snapshot, &parts, &cx).await {
            Ok(()) => self.route(snapshot, Request::from_parts(parts, body)).await,
            Err(error) => refused(&parts.headers, &path, &error, &cx),
        };
        let is_private = is_for_callers(&path) || self.is_personal(&path) || self.is_status(&path);
        self.describe(&mut answered.response, &cx, is_private);
        if let (Some(denial), 400..=403) = (cx.denial(), answered.response.status().as_u16()) {
            // Which part of the way has refused it makes no difference to who reads the log.
            answered.outcome.error = Some(denial.class());
            let challenge = self.services.auth.challenge(denial, &url, &path);
            answered.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        answered
    }

    /// Finds out who a request comes from, and refuses it where an anonymous caller may call nothing on its path.
    async fn authenticate(
        &self,
        snapshot: &Snapshot,
        request: &Parts,
        cx: &Context,
    ) -> Result<(), Error> {
        let path = request.uri.path();
        let is_document = self.is_personal(path);
        if !is_for_callers(path) && !is_document && !self.is_status(path) {
            return Ok(());
        }
        let asking = Asking {
            method: &request.method,
            uri: &request.uri,
            headers: &request.headers,
        };
        self.identify(asking, cx).await?;
        // What mounted servers are like is for callers, also where functions are for everybody.
        let is_open = snapshot.registry.has_public() && !self.is_status(path);
        match is_document || path.starts_with("/api/") || is_open {
            true => Ok(()),
            false => cx.require_principal(),
        }
    }

    /// Whether a document is at the path that depends on the caller.
    fn is_personal(&self, path: &str) -> bool {
        self.config().auth_list == Listing::Allowed && ["/docs", base_url::DOCUMENT].contains(&path)
    }

    /// Whether the page about mounted servers is at the path.
    fn is_status(&self, path: &str) -> bool {
        self.mounts.is_some() && path == mounts::STATUS
    }

    /// Finds out who asks.
    ///
    /// # Errors
    /// The credentials are not valid.
    pub(crate) async fn identify(&self, asking: Asking<'_>, cx: &Context) -> Result<(), Error> {
        let is_checked = cx.principal().is_some();
        let found = self.services.auth.authenticate(asking, is_checked).await;
        cx.authenticated(found.map_err(|denial| cx.deny(denial))?);
        Ok(())
    }

    /// Finds out who opens a connection of a WebSocket API, by these headers, which are all there is of the request.
    ///
    /// # Errors
    /// The status with which it is refused, and the challenge.
    pub(crate) async fn identify_connection(
        &self,
        headers: &HeaderMap,
        connection: &Connection,
        cx: &Context,
    ) -> Result<(), (StatusCode, HeaderValue)> {
        if !self.is_guarded() {
            return Ok(());
        }
        let (method, uri) = (&Method::GET, &Uri::from_static(WEBSOCKET));
        let asking = Asking {
            method,
            uri,
            headers,
        };
        let mut found = self.identify(asking, cx).await;
        if found.is_ok() && !self.registry().has_public() {
            found = cx.require_principal();
        }
        if found.is_ok() {
            found = self.sockets.keep_caller(connection, cx).await;
        }
        found.map_err(|error| {
            let url = self.config().public_url.as_deref().unwrap_or_default();
            let challenge = cx
                .denial()
                .map(|it| self.services.auth.challenge(it, url, WEBSOCKET));
            let challenge = challenge.unwrap_or(HeaderValue::from_static("Bearer"));
            (status(&error, cx), challenge)
        })
    }

    /// The URL under which the client reaches this server.
    fn base_url(&self, request: &Parts) -> Cow<'_, str> {
        if let Some(public) = &self.config().public_url {
            return Cow::Borrowed(public);
        }
        let told = request.extensions.get::<BaseUrl>().cloned();
        let told = told.or_else(|| BaseUrl::of_socket(&request.headers));
        Cow::Owned(told.map_or(String::new(), |it| it.as_str().to_owned()))
    }

    fn metadata(&self, snapshot: &Snapshot, request: &Parts, url: &str) -> Option<Response<Body>> {
        let scopes = snapshot.registry.scopes();
        let asked = (&request.method, request.uri.path());
        let name = snapshot.rest.name();
        self.services.auth.metadata(asked, url, scopes, name)
    }

    /// Adds what is left of the rate limits, and keeps the response of one caller from all others.
    fn describe(&self, response: &mut Response<Body>, cx: &Context, is_private: bool) {
        let headers = response.headers_mut();
        if let Some(quota) = cx.quota() {
            quota.say(headers);
            if !quota.wait.is_zero() {
                let seconds = quota.wait.as_millis().div_ceil(1000).max(1) as u64;
                headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
            }
        }
        if is_private || cx.principal().is_some() {
            keep_private(headers);
        }
    }
}

/// What a shared cache must not give to another caller (RFC 9111 §3.5).
fn keep_private(headers: &mut HeaderMap) {
    let names = |it: &HeaderValue| {
        it.to_str()
            .is_ok_and(|it| it.to_ascii_lowercase().contains("authorization"))
    };
    if !headers.get_all(VARY).iter().any(names) {
        headers.append(VARY, VARIES);
    }
    let Some(control) = headers.get(CACHE_CONTROL).and_then(|it| it.to_str().ok()) else {
        return;
    };
    let private = control
        .split(',')
        .map(str::trim)
        .map(|it| if it == "public" { "private" } else { it });
    let private = private.collect::<Vec<_>>().join(", ");
    if let Ok(private) = HeaderValue::try_from(private) {
        headers.insert(CACHE_CONTROL, private);
    }
}

/// Whether functions can be called at the path.
fn is_for_callers(path: &str) -> bool {
    path == MCP || path == WEBSOCKET || path.starts_with("/api/")
}

/// The refusal in the protocol of the path.
fn refused(headers: &HeaderMap, path: &str, error: &Error, cx: &Context) -> Answered {
    if path != MCP {
        let malformed = cx
            .denial()
            .filter(|it| it.status() == StatusCode::BAD_REQUEST);
        let mut answered = match malformed {
            // The kind of the error would give the document another status.
            Some(it) => rest::problem(it.status(), it.class(), &it.detail, cx.request_id()),
            None => rest::failure(error, cx.request_id()),
        };
        settle(&mut answered, cx);
        return answered;
    }
    let class = cx.denial().map_or(error.kind().as_str(), |it| it.class());
    let refusal = Refusal::new(status(error, cx), class, error.message());
    mcp_http::refused(headers, refusal)
}

/// The class and the status of the denial, which says more than the kind of the error.
fn settle(answered: &mut Answered, cx: &Context) {
    if let Some(denial) = cx.denial() {
        answered.outcome.error = Some(denial.class());
        *answered.response.status_mut() = denial.status();
    }
}

fn status(error: &Error, cx: &Context) -> StatusCode {
    match (cx.denial(), error.kind()) {
        (Some(denial), _) => denial.status(),
        (None, Kind::Unauthenticated) => StatusCode::UNAUTHORIZED,
        (None, Kind::Internal) => StatusCode::INTERNAL_SERVER_ERROR,
        (None, _) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
