//! The Runtime API: the next invocation, its answer or its failure, and the failure of a start.
//!
//! Our own client, because the stock one keeps a streamed answer back for 40 ms (no `TCP_NODELAY`), writes the error of
//! a stream into its body, ends the body of a producer that panicked as if it were whole, and reads streams in a task
//! that may outlive their invocation.

use axum::body::{Body, Bytes};
use http::header::{CONTENT_TYPE, HOST, TRAILER, TRANSFER_ENCODING, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};

use crate::lambda::events::response::{ERROR_BODY, ERROR_TYPE, EventResponse};
use crate::lambda::runtime::connection::{Connection, Unanswered};
use crate::lambda::runtime::failure::Failure;
use crate::lambda::runtime::invocation::Invocation;

const ADDRESS: &str = "AWS_LAMBDA_RUNTIME_API";
const RUNTIME: &str = "/2018-06-01/runtime";
const STREAMED: &str = "application/vnd.awslambda.http-integration-response";

/// Why the platform could not be asked, or what it refused.
pub type ApiError = Box<dyn std::error::Error + Send + Sync>;

/// A way to the platform: one connection, opened when it is needed and used again while it lasts.
pub(crate) struct Api {
    authority: String,
    /// What stands before every path; emulators have something here.
    prefix: String,
    connection: Option<Connection>,
}

impl Api {
    /// The platform that started this process.
    ///
    /// # Errors
    /// The address is missing, or is none.
    pub(crate) fn from_env() -> Result<Api, ApiError> {
        let address = std::env::var(ADDRESS).map_err(|_| format!("`{ADDRESS}` is not set"))?;
        let url = match address.contains("://") {
            true => address,
            false => format!("http://{address}"),
        };
        let uri: Option<Uri> = url.parse().ok();
        let authority = uri.as_ref().and_then(Uri::authority);
        let authority = authority.ok_or_else(|| format!("`{ADDRESS}`: `{url}` is no address"))?;
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

    /// Another way to the same platform.
    pub(crate) fn another(&self) -> Api {
        Api {
            authority: self.authority.clone(),
            prefix: self.prefix.clone(),
            connection: None,
        }
    }

    /// Waits for the next invocation.
    ///
    /// # Errors
    /// The connection's, or the platform's refusal.
    pub(crate) async fn next(&mut self) -> Result<Invocation, ApiError> {
        let path = format!("{RUNTIME}/invocation/next");
        let response = self
            .ask(Method::GET, &path, HeaderMap::new(), Body::empty())
            .await?;
        Invocation::read(response)
    }

    /// Posts the answer. A streamed one is made while it is sent.
    ///
    /// # Errors
    /// The connection's, which also says that the caller is gone, or the platform's refusal.
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
        self.ask(Method::POST, &path, headers, response.into_body())
            .await?;
        Ok(())
    }

    /// Posts that the invocation has no answer.
    ///
    /// # Errors
    /// The connection's, or the platform's refusal.
    pub(crate) async fn fail(
        &mut self,
        invocation: &Invocation,
        failure: &Failure,
    ) -> Result<(), ApiError> {
        let path = format!("{RUNTIME}/invocation/{}/error", invocation.id);
        self.tell(&path, invocation.headers(), failure).await
    }

    /// Posts that the function cannot start.
    ///
    /// # Errors
    /// The connection's, or the platform's refusal.
    pub(crate) async fn fail_start(&mut self, failure: &Failure) -> Result<(), ApiError> {
        let path = format!("{RUNTIME}/init/error");
        self.tell(&path, HeaderMap::new(), failure).await
    }

    async fn tell(
        &mut self,
        path: &str,
        mut headers: HeaderMap,
        failure: &Failure,
    ) -> Result<(), ApiError> {
        headers.insert(ERROR_TYPE, failure.category());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = Body::from(serde_json::to_vec(failure)?);
        self.ask(Method::POST, path, headers, body).await?;
        Ok(())
    }

    /// Sends one request and reads its answer.
    ///
    /// # Errors
    /// The connection's, or the refusal: any status but a good one.
    pub(crate) async fn ask(
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
        // What is kept may be gone by now; a request of which nothing was sent goes another way.
        if let Some(mut connection) = self.connection.take() {
            match connection.exchange(request).await {
                Ok(response) => return Ok(self.keep(connection, response)),
                Err(Unanswered {
                    request: Some(unsent),
                    ..
                }) => request = unsent,
                Err(unanswered) => return Err(unanswered.error),
            }
        }
        let mut connection = Connection::open(&self.authority).await?;
        match connection.exchange(request).await {
            Ok(response) => Ok(self.keep(connection, response)),
            Err(unanswered) => Err(unanswered.error),
        }
    }

    fn keep(&mut self, connection: Connection, response: Response<Bytes>) -> Response<Bytes> {
        self.connection = Some(connection).filter(Connection::is_open);
        response
    }
}

fn refusal(path: &str, status: StatusCode) -> ApiError {
    format!("the platform answers {status} to `{path}`").into()
}
