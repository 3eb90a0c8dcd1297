//! One MCP endpoint over HTTP: requests with the client's own headers, and the session of older servers.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};

use super::failure::{Failure, Status};
use super::replies::Replies;
use crate::clock::Deadline;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::upstream::{Client, UpstreamResponse};

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");

/// The most characters of a refusal that are shown.
const MAX_SHOWN: usize = 1000;
/// How long the body of a refusal is awaited; its status is what matters.
const REFUSAL_TIME: Duration = Duration::from_secs(2);

/// An endpoint of an MCP server.
pub(crate) struct Http {
    client: Client,
    url: Uri,
    name: String,
    headers: Mutex<HeaderMap>,
    session: Mutex<Option<HeaderValue>>,
    max_bytes: usize,
}

impl Http {
    /// The endpoint at `url`, for requests with these headers, such as `authorization`; it opens no connection yet.
    ///
    /// # Errors
    /// `InvalidArgument` for a URL that cannot be used.
    pub(crate) fn new(config: &Config, url: &str, headers: HeaderMap) -> Result<Http> {
        let wrong = |problem: String| Error::invalid_argument("url", problem);
        let parsed: Uri = url
            .parse()
            .map_err(|error| wrong(format!("not a URL: {error}")))?;
        let authority = parsed.authority().map(|it| it.as_str());
        let is_http = matches!(parsed.scheme_str(), Some("http" | "https"));
        let Some(name) = authority.filter(|_| is_http) else {
            return Err(wrong(
                "expected a URL such as `https://example.com/mcp`".into(),
            ));
        };
        if name.contains('@') {
            let problem = "a URL with a user name or a password; use a header `authorization`";
            return Err(wrong(problem.into()));
        }
        Ok(Http {
            client: Client::following(config, url)?,
            name: name.to_owned(),
            url: parsed,
            headers: Mutex::new(headers),
            session: Mutex::new(None),
            max_bytes: config.max_upstream_bytes,
        })
    }

    /// The address of the server, for messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Sends this header from now on, for example with a new token.
    pub(crate) fn set_header(&self, name: HeaderName, value: HeaderValue) {
        lock(&self.headers).insert(name, value);
    }

    /// Whether requests have this header of the client's own.
    pub(crate) fn has_header(&self, name: &HeaderName) -> bool {
        lock(&self.headers).contains_key(name)
    }

    /// Posts one message. `wait` is the most time until the answer begins.
    ///
    /// # Errors
    /// No answer, or a refusal without a JSON-RPC message.
    pub(super) async fn post(
        &self,
        message: String,
        headers: HeaderMap,
        wait: Duration,
    ) -> Result<Replies, Failure> {
        let mut request = self.request(Method::POST, headers, message.into());
        request.headers_mut().insert(CONTENT_TYPE, JSON);
        let response = self.send(request, wait).await?;
        self.replies(response, wait).await
    }

    /// Opens the stream of messages that belong to no request.
    ///
    /// # Errors
    /// No answer, or the server has no such stream.
    pub(super) async fn get(&self, headers: HeaderMap, wait: Duration) -> Result<Replies, Failure> {
        let request = self.request(Method::GET, headers, Bytes::new());
        let response = self.send(request, wait).await?;
        self.replies(response, wait).await
    }

    /// Ends the session, if there is one. The server may refuse that.
    pub(super) async fn end(&self, headers: HeaderMap, wait: Duration) {
        if lock(&self.session).is_some() {
            let request = self.request(Method::DELETE, headers, Bytes::new());
            // What the server says to it changes nothing.
            let _ = self.send(request, wait).await;
            *lock(&self.session) = None;
        }
    }

    fn request(&self, method: Method, headers: HeaderMap, body: Bytes) -> Request<Bytes> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = self.url.clone();
        let all = request.headers_mut();
        all.insert(ACCEPT, BOTH);
        all.extend(lock(&self.headers).clone());
        all.extend(headers);
        all.extend(lock(&self.session).clone().map(|it| (SESSION, it)));
        request
    }

    async fn send(&self, request: Request<Bytes>, wait: Duration) -> Result<UpstreamResponse> {
        let deadline = Deadline::after(wait);
        self.client.open(&self.name, request, deadline).await
    }

    async fn replies(
        &self,
        response: UpstreamResponse,
        wait: Duration,
    ) -> Result<Replies, Failure> {
        let status = response.status();
        if !status.is_success() {
            return self.refusal(response).await;
        }
        if let Some(session) = response.headers().get(SESSION) {
            *lock(&self.session) = Some(session.clone());
        }
        let kind = response.header(CONTENT_TYPE.as_str()).unwrap_or("");
        let kind = kind.split(';').next().unwrap_or("").trim().to_owned();
        if kind.eq_ignore_ascii_case("text/event-stream") {
            return Ok(Replies::stream(&self.name, response, self.max_bytes));
        }
        let body = Deadline::after(wait).timeout(response.text()).await;
        let body = body.unwrap_or_else(|| Err(silent(&self.name, wait)))?;
        if body.trim().is_empty() {
            return Ok(Replies::none(&self.name));
        }
        if !kind.eq_ignore_ascii_case("application/json") {
            let problem = format!(
                "answered with `{kind}` and not with JSON; is this the URL of an MCP server?"
            );
            return Err(Error::invalid_response(self.name.clone(), problem).into());
        }
        Replies::whole(&self.name, &body)
    }

    /// The JSON-RPC error of a refusal, or its status.
    async fn refusal(&self, response: UpstreamResponse) -> Result<Replies, Failure> {
        let code = response.status();
        let challenge = response
            .header(WWW_AUTHENTICATE.as_str())
            .map(str::to_owned);
        let text = Deadline::after(REFUSAL_TIME).timeout(response.text()).await;
        let text = text.and_then(Result::ok).unwrap_or_default();
        let is_denial = matches!(code, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        if let Ok(replies) = Replies::whole(&self.name, &text)
            && !is_denial
            && replies.is_response()
        {
            return Ok(replies);
        }
        let text = text.chars().take(MAX_SHOWN).collect();
        Err(Failure::Status(Status {
            code,
            challenge,
            text,
        }))
    }
}

/// The server said nothing for this long.
pub(super) fn silent(name: &str, wait: Duration) -> Error {
    let origin = crate::error::UpstreamStatus {
        name: name.to_owned().into(),
        status: None,
    };
    let problem = format!("said nothing for {} s", wait.as_secs());
    Error::upstream(Kind::UpstreamTimeout, origin, problem)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
