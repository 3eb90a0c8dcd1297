//! A client of the Lambda Runtime API: it takes invocations, and posts responses, failures and failed starts.
//!
//! It replaces the client of `lambda_runtime`, which delays streamed responses by 40 ms (no `TCP_NODELAY`), writes the
//! error of a stream into its body, ends the body of a producer that panicked as if it were complete, and reads streams
//! in a task that may outlive their invocation.

use axum::body::{Body, Bytes};
use http::header::{CONTENT_TYPE, HOST, TRAILER, TRANSFER_ENCODING, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};

use crate::lambda::events::response::{ERROR_BODY, ERROR_TYPE, EventResponse};
use crate::lambda::runtime::connection::{Connection, ExchangeError};
use crate::lambda::runtime::failure::Failure;
use crate::lambda::runtime::invocation::Invocation;

const ADDRESS: &str = "AWS_LAMBDA_RUNTIME_API";
const RUNTIME: &str = "/2018-06-01/runtime";
const STREAMED: &str = "application/vnd.awslambda.http-integration-response";

/// The platform could not be reached, or refused a request.
pub type ApiError = Box<dyn std::error::Error + Send + Sync>;

/// A client of the platform with one connection, which is opened when it is needed and reused while it is open.
pub(crate) struct Api {
    authority: String,
    /// The prefix of every path, which only emulators have.
    prefix: String,
    connection: Option<Connection>,
}

impl Api {
    /// A client of the platform that started this process.
    ///
    /// # Errors
    /// The address is missing or malformed.
    pub(crate) fn from_env() -> Result<Api, ApiError> {
        let address = std::env::var(ADDRESS).map_err(|_| format!("`{ADDRESS}` is not set"))?;
        let url = match address.contains("://") {
            true => address,
            false => format!("http://{address}"),
        };
        let uri: Option<Uri> = url.parse().ok();
        let authority = uri.as_ref().and_then(Uri::authority);
        let authority = authority.ok_or_else(|| {
            format!("`{ADDRESS}`: `{url}` is not an address; expected a host and a port")
        })?;
        Ok(Api {
            authority: authority.to_string(),
            prefix: uri
                .as_ref()
                .map_or("", Uri::path)
                .trim_end_matches('/')
                .to_owned(),
            connection: None,
        })
    }

    /// A client of the same platform with a connection of its own.
    pub(crate) fn with_new_connection(&self) -> Api {
        Api {
            authority: self.authority.clone(),
            prefix: self.prefix.clone(),
            connection: None,
        }
    }

    /// Waits for the next invocation.
    ///
    /// # Errors
    /// The connection fails, or the platform refuses the request.
    pub(crate) async fn next(&mut self) -> Result<Invocation, ApiError> {
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
        &mut self,
        invocation: &Invocation,
        response: EventResponse,
    ) -> Result<(), ApiError> {
        let mut headers = invocation.headers();
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
        &mut self,
        invocation: &Invocation,
        failure: &Failure,
    ) -> Result<(), ApiError> {
        let path = format!("{RUNTIME}/invocation/{}/error", invocation.id);
        self.post_failure(&path, invocation.headers(), failure)
            .await
    }

    /// Posts that the function cannot start.
    ///
    /// # Errors
    /// The connection fails, or the platform refuses the request.
    pub(crate) async fn fail_start(&mut self, failure: &Failure) -> Result<(), ApiError> {
        let path = format!("{RUNTIME}/init/error");
        self.post_failure(&path, HeaderMap::new(), failure).await
    }

    async fn post_failure(
        &mut self,
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
        &mut self,
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
        headers.insert(HOST, HeaderValue::try_from(&self.authority)?);
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        let response = self.send(request).await?;
        match response.status().is_success() {
            true => Ok(response),
            false => Err(refusal(path, response.status())),
        }
    }

    async fn send(&mut self, mut request: Request<Body>) -> Result<Response<Bytes>, ApiError> {
        // The platform may have closed the kept connection; a request that was not sent yet goes over a new one.
        if let Some(mut connection) = self.connection.take() {
            match connection.exchange(request).await {
                Ok(response) => return Ok(self.keep(connection, response)),
                Err(ExchangeError {
                    request: Some(unsent),
                    ..
                }) => request = unsent,
                Err(failed) => return Err(failed.error),
            }
        }
        let mut connection = Connection::open(&self.authority).await?;
        match connection.exchange(request).await {
            Ok(response) => Ok(self.keep(connection, response)),
            Err(failed) => Err(failed.error),
        }
    }

    fn keep(&mut self, connection: Connection, response: Response<Bytes>) -> Response<Bytes> {
        self.connection = Some(connection).filter(Connection::is_open);
        response
    }
}

fn refusal(path: &str, status: StatusCode) -> ApiError {
    format!("the platform answered `{path}` with {status}").into()
}
