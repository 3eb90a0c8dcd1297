//! Streamable HTTP to a mounted server: each request is a POST, whose response is one message or a stream of them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::failure::{Failure, error};
use super::link::{Request, Said};
use super::mount;
use super::mount_client::MountClient;
use super::session::Session;
use super::wire;
use crate::client::{self, Events, Message, Response};
use crate::config::Config;
use crate::error::{Kind, Result};
use crate::upstream::{Streaming, StreamingClient, Unsent};

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");

/// How long a server may take to acknowledge a notification or the end of a session.
const ACKNOWLEDGED: Duration = Duration::from_secs(2);

/// The most bytes of a refusal that are looked at.
const MAX_REFUSAL: usize = 64 << 10;

/// The way to one server over HTTP.
pub(super) struct HttpLink {
    mount: String,
    headers: HeaderMap,
    client: StreamingClient,
    /// The largest message.
    max_bytes: usize,
}

/// One request, and what the server says until its result.
pub(super) struct HttpExchange {
    link: Arc<HttpLink>,
    session: Arc<Session>,
    id: u64,
    session_id: Option<HeaderValue>,
    status: StatusCode,
    /// What was read and not taken yet.
    ready: VecDeque<Message>,
    /// The rest of the response, if it is an event stream.
    stream: Option<Box<(Streaming, Events)>>,
    /// Whether there is nothing to cancel.
    is_over: bool,
}

impl HttpLink {
    /// The way to the server at `url`. It opens no connection yet.
    ///
    /// # Errors
    /// `Internal` if the settings cannot be used.
    pub(super) fn new(
        mount: &str,
        url: &str,
        headers: &[(String, String)],
        client: Option<&MountClient>,
        config: &Config,
    ) -> Result<HttpLink> {
        let token = client.map(MountClient::credentials);
        Ok(HttpLink {
            mount: mount.to_owned(),
            headers: mount::header_map(headers).map_err(crate::error::Error::internal)?,
            client: StreamingClient::new(config, mount, url, token)?,
            max_bytes: config.max_upstream_bytes,
        })
    }

    pub(super) fn mount(&self) -> &str {
        &self.mount
    }

    /// What every request has, and `more`.
    fn headers(&self, session: &Session, more: HeaderMap) -> HeaderMap {
        let mut headers = self.headers.clone();
        headers.insert(VERSION, HeaderValue::from_static(session.version));
        if let Some(id) = &session.id {
            headers.insert(SESSION, id.clone());
        }
        headers.extend(more);
        headers
    }

    async fn post(
        &self,
        session: &Session,
        more: HeaderMap,
        body: Bytes,
    ) -> Result<Streaming, Unsent> {
        let mut headers = self.headers(session, more);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let both = HeaderValue::from_static("application/json, text/event-stream");
        headers.insert(ACCEPT, both);
        self.client.open(Method::POST, headers, body).await
    }

    /// Sends a notification or an answer.
    pub(super) async fn tell(&self, session: &Session, body: Bytes) -> Result<(), Failure> {
        let sending = self.post(session, HeaderMap::new(), body);
        match tokio::time::timeout(ACKNOWLEDGED, sending).await {
            Ok(Ok(response)) if response.status().is_success() => Ok(()),
            Ok(Ok(response)) => Err(self.status_failure(response.status())),
            Ok(Err(unsent)) => Err(Failure::Unseen(unsent.error)),
            Err(_) => Err(Failure::broken(
                &self.mount,
                Kind::UpstreamTimeout,
                "did not acknowledge a notification in time",
            )),
        }
    }

    /// Ends a session, which the server may refuse.
    pub(super) async fn end(&self, session: &Session) {
        if session.id.is_some() {
            let headers = self.headers(session, HeaderMap::new());
            let ending = self.client.open(Method::DELETE, headers, Bytes::new());
            let _ = tokio::time::timeout(ACKNOWLEDGED, ending).await;
        }
    }

    /// Opens the stream on which a server of an earlier era says what belongs to no request; `None` if it has none.
    pub(super) async fn listen(
        self: &Arc<HttpLink>,
        session: &Arc<Session>,
    ) -> Result<Option<HttpExchange>, Failure> {
        let events = HeaderValue::from_static("text/event-stream");
        let headers = self.headers(session, HeaderMap::from_iter([(ACCEPT, events)]));
        let opened = self.client.open(Method::GET, headers, Bytes::new()).await;
        let response = opened.map_err(|unsent| Failure::Unseen(unsent.error))?;
        if !response.status().is_success() || !is_event_stream(response.headers()) {
            return Ok(None);
        }
        Ok(Some(HttpExchange {
            link: self.clone(),
            session: session.clone(),
            id: 0,
            session_id: None,
            status: response.status(),
            ready: VecDeque::new(),
            stream: Some(Box::new((response, Events::new(self.max_bytes)))),
            // There is no request that could be cancelled.
            is_over: true,
        }))
    }

    fn status_failure(&self, status: StatusCode) -> Failure {
        let status = status.as_u16();
        let (kind, problem) = match status {
            401 | 403 => (
                Kind::UpstreamError,
                format!("refuses the credentials of the mount (HTTP {status})"),
            ),
            429 => (
                Kind::RateLimited,
                "limits the request rate (HTTP 429)".to_owned(),
            ),
            _ => (Kind::UpstreamError, format!("answered with HTTP {status}")),
        };
        let failed = error(&self.mount, kind, Some(status), &problem);
        match status {
            401 | 403 | 404 | 405 | 415 | 429 => Failure::Unseen(failed),
            _ => Failure::Broken(failed),
        }
    }

    /// Why a request was refused, by a response whose status is not a success.
    async fn refusal(&self, session: &Session, mut response: Streaming) -> Failure {
        let status = response.status();
        if status == StatusCode::NOT_FOUND && session.id.is_some() {
            return Failure::SessionGone;
        }
        let body = response.beginning(MAX_REFUSAL).await;
        let mentions_session = || {
            let text = String::from_utf8_lossy(&body).to_ascii_lowercase();
            text.contains("session")
        };
        // Servers that want a session, or have lost it in a restart, say so in words.
        if status == StatusCode::BAD_REQUEST && mentions_session() {
            return Failure::SessionGone;
        }
        match client::parse(&body).ok().and_then(|mut it| it.pop()) {
            Some(Message::Response(Response {
                outcome: Err(failure),
                ..
            })) => Failure::Refused(failure, Some(status.as_u16())),
            _ => self.status_failure(status),
        }
    }

    fn parse(&self, text: &[u8]) -> Result<Vec<Message>, Failure> {
        client::parse(text).map_err(|it| self.invalid(&format!("sent {it}")))
    }

    fn invalid(&self, problem: &str) -> Failure {
        Failure::broken(&self.mount, Kind::UpstreamInvalidResponse, problem)
    }
}

impl HttpExchange {
    /// Sends the request, and waits for the head of its response.
    pub(super) async fn open(
        link: &Arc<HttpLink>,
        session: &Arc<Session>,
        request: Request,
    ) -> Result<HttpExchange, Failure> {
        let Request {
            id,
            method,
            body,
            mut headers,
        } = request;
        if session.is_modern() {
            headers.insert(METHOD, HeaderValue::from_static(method));
        } else {
            headers.clear();
        }
        // From here on the server may be at work on it, also if the caller stops waiting.
        let mut exchange = HttpExchange {
            link: link.clone(),
            session: session.clone(),
            id,
            session_id: None,
            status: StatusCode::OK,
            ready: VecDeque::new(),
            stream: None,
            is_over: method == "initialize",
        };
        let sent = link.post(session, headers, body).await;
        let mut response = match sent {
            Ok(response) => response,
            Err(unsent) => {
                exchange.is_over = true;
                return Err(match unsent.is_unseen {
                    true => Failure::Unseen(unsent.error),
                    false => Failure::Broken(unsent.error),
                });
            }
        };
        exchange.status = response.status();
        if !response.status().is_success() {
            exchange.is_over = true;
            return Err(link.refusal(session, response).await);
        }
        exchange.session_id = response.headers().get(SESSION).cloned();
        if is_event_stream(response.headers()) {
            exchange.stream = Some(Box::new((response, Events::new(link.max_bytes))));
        } else {
            let body = response.read(link.max_bytes).await;
            exchange.is_over = true;
            let body = body.map_err(Failure::Broken)?;
            if !body.is_empty() {
                exchange.ready.extend(link.parse(&body)?);
            }
        }
        Ok(exchange)
    }

    pub(super) fn session_id(&self) -> Option<HeaderValue> {
        self.session_id.clone()
    }

    pub(super) async fn tell(&self, body: Bytes) -> Result<(), Failure> {
        self.link.tell(&self.session, body).await
    }

    /// What the server says next.
    pub(super) async fn next(&mut self) -> Result<Said, Failure> {
        loop {
            let Some(message) = self.ready.pop_front() else {
                self.read().await?;
                continue;
            };
            if let Message::Response(Response { id, .. }) = &message {
                let is_own = id.as_ref().is_none_or(|it| it.get().parse() == Ok(self.id));
                match (is_own, &self.stream) {
                    (true, _) => self.is_over = true,
                    // A response to another request does not end this one.
                    (false, Some(_)) => continue,
                    (false, None) => {
                        return Err(self.link.invalid("answered a request that was not sent"));
                    }
                }
            }
            return Ok(match Said::of(message) {
                Said::Ended(Err(Failure::Refused(failure, _))) => {
                    Said::Ended(Err(Failure::Refused(failure, Some(self.status.as_u16()))))
                }
                said => said,
            });
        }
    }

    /// Reads more of the stream.
    async fn read(&mut self) -> Result<(), Failure> {
        let link = &self.link;
        let Some(stream) = &mut self.stream else {
            return Err(link.invalid("answered without a result"));
        };
        let (response, events) = &mut **stream;
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            ended => {
                self.is_over = true;
                return Err(match ended {
                    Err(error) => Failure::Broken(error),
                    Ok(_) => link.invalid("ended its answer without a result"),
                });
            }
        };
        let found = events.read(&chunk);
        for event in found.map_err(|it| link.invalid(&format!("sent {it}")))? {
            if let Some(message) = event.message() {
                self.ready.extend(link.parse(message.as_bytes())?);
            }
        }
        Ok(())
    }
}

/// A server of the modern era sees the end of the connection; an earlier one must be told.
impl Drop for HttpExchange {
    fn drop(&mut self) {
        if self.is_over || self.session.is_modern() {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let (link, session, id) = (self.link.clone(), self.session.clone(), self.id);
        runtime.spawn(async move {
            let params = serde_json::json!({ "requestId": id, "reason": "the caller does not wait any more" });
            let cancelled = wire::notification("notifications/cancelled", Some(&params));
            let _ = link.tell(&session, cancelled).await;
        });
    }
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    value.is_some_and(|it| {
        it.trim_start()
            .to_ascii_lowercase()
            .starts_with("text/event-stream")
    })
}
