//! A client of the Lambda Runtime API: it posts responses, failures and failed starts, and serves the extension.
//!
//! The client of `lambda_runtime` takes more instructions, and considers a post complete while its stream is still sent.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes};
use http::header::{CONTENT_TYPE, HOST, TRAILER, TRANSFER_ENCODING, USER_AGENT};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::BodyExt;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use lambda_runtime::{Context, LambdaInvocation};
use tokio::net::TcpStream;

use crate::lambda::events::response::{ERROR_BODY, ERROR_TYPE, EventResponse};
use crate::lambda::runtime::failure::Failure;

const ADDRESS: &str = "AWS_LAMBDA_RUNTIME_API";
const RUNTIME: &str = "/2018-06-01/runtime";
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const STREAMED: &str = "application/vnd.awslambda.http-integration-response";
const MODE: HeaderName = HeaderName::from_static("lambda-runtime-function-response-mode");

/// The platform could not be reached, or refused a request.
pub type ApiError = Box<dyn std::error::Error + Send + Sync>;

/// A client of the platform. Clones share its idle connections, at most one for each request that ran at the same time.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) authority: Arc<str>,
    /// The prefix of every path, which only emulators have.
    prefix: Arc<str>,
    idle: Arc<Mutex<Vec<SendRequest<Body>>>>,
}

impl Api {
    /// A client of the platform that started this process.
    ///
    /// # Errors
    /// The address is missing or malformed.
    pub(crate) fn from_env() -> Result<Api, ApiError> {
        let address = std::env::var(ADDRESS).map_err(|_| format!("`{ADDRESS}` is not set"))?;
        let uri: Option<Uri> = address.parse().ok();
        let uri = uri.filter(|it| it.authority().is_some());
        let expected = "expected a host and a port, or a URL";
        let uri =
            uri.ok_or_else(|| format!("`{ADDRESS}`: `{address}` is not an address; {expected}"))?;
        Ok(Api {
            authority: uri.authority().map_or("", Authority::as_str).into(),
            prefix: uri.path().trim_end_matches('/').into(),
            idle: Arc::default(),
        })
    }

    /// Waits for the next invocation, after the loop of `lambda_runtime` has ended.
    ///
    /// # Errors
    /// The connection fails, the platform refuses the request, or the invocation has no id and cannot be answered.
    pub(crate) async fn next(&self) -> Result<LambdaInvocation, ApiError> {
        let path = format!("{RUNTIME}/invocation/next");
        let response = self
            .request(Method::GET, &path, HeaderMap::new(), Body::empty())
            .await?;
        let (parts, body) = response.into_parts();
        let text = |name| parts.headers.get(name).and_then(|it| it.to_str().ok());
        let mut context = Context::default();
        let id = text("lambda-runtime-aws-request-id");
        context.request_id = id.ok_or("an invocation came without an id")?.to_owned();
        let deadline = text("lambda-runtime-deadline-ms").and_then(|it| it.parse().ok());
        context.deadline = deadline.unwrap_or_default();
        Ok(LambdaInvocation {
            parts,
            body,
            context,
        })
    }

    /// Posts the response to an invocation, or that it failed. A streamed response is produced while it is sent.
    ///
    /// # Errors
    /// The connection fails, for example because the caller is gone, or the platform refuses the response.
    pub(crate) async fn respond(
        &self,
        id: &str,
        mut headers: HeaderMap,
        response: Result<EventResponse, Failure>,
    ) -> Result<(), ApiError> {
        let response = match response {
            Ok(response) => response,
            Err(failure) => {
                let path = format!("/invocation/{id}/error");
                return self.fail(&path, headers, &failure).await;
            }
        };
        headers.insert(CONTENT_TYPE, JSON);
        if response.is_streamed() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(STREAMED));
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
            headers.insert(MODE, HeaderValue::from_static("streaming"));
            headers.append(TRAILER, HeaderValue::from_static(ERROR_TYPE));
            headers.append(TRAILER, HeaderValue::from_static(ERROR_BODY));
        }
        let path = [RUNTIME, "/invocation/", id, "/response"].concat();
        let posted = self.request(Method::POST, &path, headers, response.into_body());
        posted.await.map(drop)
    }

    /// Posts a failure: that of an invocation, or of the start at `/init/error`.
    ///
    /// # Errors
    /// The connection fails, or the platform refuses the request.
    pub(crate) async fn fail(
        &self,
        path: &str,
        mut headers: HeaderMap,
        failure: &Failure,
    ) -> Result<(), ApiError> {
        headers.insert(ERROR_TYPE, failure.category());
        headers.insert(CONTENT_TYPE, JSON);
        let body = Body::from(serde_json::to_vec(failure)?);
        let path = format!("{RUNTIME}{path}");
        let posted = self.request(Method::POST, &path, headers, body);
        posted.await.map(drop)
    }

    /// Sends one request and reads the response.
    ///
    /// # Errors
    /// The connection fails, or the status is not a success.
    pub(crate) async fn request(
        &self,
        method: Method,
        path: &str,
        mut headers: HeaderMap,
        body: Body,
    ) -> Result<Response<Bytes>, ApiError> {
        let agent = concat!("bifold/", env!("CARGO_PKG_VERSION"));
        headers.insert(HOST, HeaderValue::try_from(&*self.authority)?);
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        let mut request = Request::new(body);
        *request.uri_mut() = [&self.prefix, path].concat().parse()?;
        *request.method_mut() = method;
        *request.headers_mut() = headers;
        let response = self.send(request).await?;
        match response.status() {
            status if status.is_success() => Ok(response),
            status => Err(format!("the platform answered `{path}` with {status}").into()),
        }
    }

    /// Sends one request, over a kept connection if there is one, and reads the response.
    async fn send(&self, mut request: Request<Body>) -> Result<Response<Bytes>, ApiError> {
        loop {
            let kept = self.idle().pop();
            let is_new = kept.is_none();
            let mut sender = match kept {
                Some(sender) => sender,
                None => self.connect().await?,
            };
            match sender.try_send_request(request).await {
                Ok(response) => {
                    let (parts, body) = response.into_parts();
                    let body = body.collect().await?.to_bytes();
                    // The response may come before the request has been sent completely. A connection that the platform
                    // closes after its response is not an error.
                    if parts.status.is_success() && sender.ready().await.is_ok() {
                        self.idle().push(sender);
                    }
                    return Ok(Response::from_parts(parts, body));
                }
                // The platform has closed a kept connection, so the request goes over another one.
                Err(mut error) => match error.take_message() {
                    Some(unsent) if !is_new => request = unsent,
                    _ => return Err(error.into_error().into()),
                },
            }
        }
    }

    /// Opens a connection. Dropping a call that waits for its response closes it, and ends the stream that it sends.
    async fn connect(&self) -> Result<SendRequest<Body>, ApiError> {
        let socket = TcpStream::connect(&*self.authority).await?;
        // Each write is complete, so Nagle's algorithm would only add 40 ms to each response.
        socket.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(socket)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<SendRequest<Body>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
