//! A client of the Lambda Runtime API: it posts responses, failures and failed starts, and serves the extension.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes};
use http::header::{CONTENT_TYPE, HOST, TRAILER, TRANSFER_ENCODING, USER_AGENT};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::lambda::events::response::{ERROR_BODY, ERROR_TYPE, EventResponse};
use crate::lambda::runtime::connection::{Connection, ExchangeError};
use crate::lambda::runtime::failure::Failure;
use crate::lambda::runtime::invocation::Invocation;

const ADDRESS: &str = "AWS_LAMBDA_RUNTIME_API";
const RUNTIME: &str = "/2018-06-01/runtime";
const STREAMED: &str = "application/vnd.awslambda.http-integration-response";

/// The platform could not be reached, or refused a request.
pub type ApiError = Box<dyn std::error::Error + Send + Sync>;

/// A client of the platform. Clones share its connections, which are opened when they are needed and kept while they are
/// open: never more than requests ran at once.
#[derive(Clone)]
pub(crate) struct Api {
    authority: Arc<str>,
    /// The prefix of every path, which only emulators have.
    prefix: Arc<str>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Api {
    /// A client of the platform that started this process.
    ///
    /// # Errors
    /// The address is missing or malformed.
    pub(crate) fn from_env() -> Result<Api, ApiError> {
        let address = std::env::var(ADDRESS).map_err(|_| format!("`{ADDRESS}` is not set"))?;
        let uri: Option<Uri> = address.parse().ok();
        let uri = uri.filter(|it| it.authority().is_some()).ok_or_else(|| {
            format!(
                "`{ADDRESS}`: `{address}` is not an address; expected a host and a port, or a URL"
            )
        })?;
        Ok(Api {
            authority: uri.authority().map_or("", Authority::as_str).into(),
            prefix: uri.path().trim_end_matches('/').into(),
            idle: Arc::default(),
        })
    }

    /// Waits for the next invocation, where `lambda_runtime` gave up.
    ///
    /// # Errors
    /// The connection fails, or the platform refuses the request.
    pub(crate) async fn next(&self) -> Result<Invocation, ApiError> {
        let path = format!("{RUNTIME}/invocation/next");
        let response = self
            .request(Method::GET, &path, HeaderMap::new(), Body::empty())
            .await?;
        Invocation::read(response)
    }

    /// Posts the response. A streamed response is produced while it is sent.
    ///
    /// # Errors
    /// The connection fails, for example because the caller is gone, or the platform refuses the response.
    pub(crate) async fn respond(
        &self,
        invocation: &Invocation,
        response: EventResponse,
    ) -> Result<(), ApiError> {
        let mut headers = invocation.repeated_headers();
        if response.is_streamed() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(STREAMED));
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
            let mode = HeaderName::from_static("lambda-runtime-function-response-mode");
            headers.insert(mode, HeaderValue::from_static("streaming"));
            for name in [ERROR_TYPE, ERROR_BODY] {
                headers.append(TRAILER, HeaderValue::from_static(name));
            }
        } else {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let path = format!("{RUNTIME}/invocation/{}/response", invocation.id);
        self.request(Method::POST, &path, headers, response.into_body())
            .await?;
        Ok(())
    }

    /// Posts that the invocation failed.
    ///
    /// # Errors
    /// The connection fails, or the platform refuses the request.
    pub(crate) async fn fail(
        &self,
        invocation: &Invocation,
        failure: &Failure,
    ) -> Result<(), ApiError> {
        let path = format!("{RUNTIME}/invocation/{}/error", invocation.id);
        self.post_failure(&path, invocation.repeated_headers(), failure)
            .await
    }

    /// Posts that the function cannot start.
    ///
    /// # Errors
    /// The connection fails, or the platform refuses the request.
    pub(crate) async fn fail_start(&self, failure: &Failure) -> Result<(), ApiError> {
        let path = format!("{RUNTIME}/init/error");
        self.post_failure(&path, HeaderMap::new(), failure).await
    }

    async fn post_failure(
        &self,
        path: &str,
        mut headers: HeaderMap,
        failure: &Failure,
    ) -> Result<(), ApiError> {
        headers.insert(ERROR_TYPE, failure.category());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = Body::from(serde_json::to_vec(failure)?);
        self.request(Method::POST, path, headers, body).await?;
        Ok(())
    }

    /// Sends one request and reads the response.
    ///
    /// # Errors
    /// The connection fails, or the status is not a success.
    pub(crate) async fn request(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Body,
    ) -> Result<Response<Bytes>, ApiError> {
        let mut request = Request::new(body);
        *request.uri_mut() = format!("{}{path}", self.prefix).parse()?;
        *request.method_mut() = method;
        *request.headers_mut() = headers;
        let agent = concat!("bifold/", env!("CARGO_PKG_VERSION"));
        let headers = request.headers_mut();
        headers.insert(HOST, HeaderValue::try_from(&*self.authority)?);
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        let response = self.send(request).await?;
        match response.status().is_success() {
            true => Ok(response),
            false => Err(refusal(path, response.status())),
        }
    }

    async fn send(&self, mut request: Request<Body>) -> Result<Response<Bytes>, ApiError> {
        // The platform may have closed a kept connection; a request that was not sent yet goes over another one.
        loop {
            let kept = self.idle().pop();
            let is_new = kept.is_none();
            let mut connection = match kept {
                Some(connection) => connection,
                None => Connection::open(&self.authority).await?,
            };
            match connection.exchange(request).await {
                Ok(response) => {
                    self.idle()
                        .extend(Some(connection).filter(Connection::is_open));
                    return Ok(response);
                }
                Err(ExchangeError {
                    request: Some(unsent),
                    ..
                }) if !is_new => request = unsent,
                Err(failed) => return Err(failed.error),
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a connection and waits until the platform closes it.
    ///
    /// # Errors
    /// The platform takes no connection.
    pub(crate) async fn until_closed(&self) -> Result<(), ApiError> {
        let mut socket = TcpStream::connect(&*self.authority).await?;
        // The platform sends nothing where it was asked nothing, so this is the end, in good order or not.
        let _ = socket.read(&mut [0]).await;
        Ok(())
    }
}

fn refusal(path: &str, status: StatusCode) -> ApiError {
    format!("the platform answered `{path}` with {status}").into()
}
