//! A response of an upstream with any status, whose body is read as a whole or in parts.

use std::fmt;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use http::{HeaderMap, StatusCode};
use reqwest::Response;
use serde::de::DeserializeOwned;

use super::answer;
use super::limit::Permit;
use crate::clock::Deadline;
use crate::error::{Error, Kind, Result};

/// A response of an upstream, whatever its status. Its body is read within the deadline of the call; dropping the
/// response cancels what was not read.
///
/// ```
/// # use bifold::{Context, Result, upstream::Upstream};
/// # async fn total(cx: Context, api: &Upstream) -> Result<usize> {
/// let mut response = cx.upstream(api).get("/export").send().await?;
/// let mut bytes = 0;
/// while let Some(chunk) = response.chunk().await? {
///     bytes += chunk.len();
/// }
/// # Ok(bytes)
/// # }
/// ```
pub struct UpstreamResponse {
    name: String,
    status: StatusCode,
    headers: HeaderMap,
    body: Body,
    max_bytes: usize,
    deadline: Deadline,
}

enum Body {
    Whole(Option<Bytes>),
    /// The permit lets the next request start when it is dropped.
    Stream(
        Box<Response>,
        #[expect(dead_code, reason = "kept until the body was read")] Option<Permit>,
    ),
}

impl UpstreamResponse {
    /// A response of which nothing was read.
    pub(super) fn streamed(
        name: &str,
        mut response: Response,
        permit: Option<Permit>,
        max_bytes: usize,
        deadline: Deadline,
    ) -> UpstreamResponse {
        UpstreamResponse {
            name: name.to_owned(),
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body: Body::Stream(Box::new(response), permit),
            max_bytes,
            deadline,
        }
    }

    /// A response that refuses the request.
    pub(super) fn refused(
        name: &str,
        response: &http::Response<Bytes>,
        deadline: Deadline,
    ) -> UpstreamResponse {
        UpstreamResponse {
            name: name.to_owned(),
            status: response.status(),
            headers: response.headers().clone(),
            body: Body::Whole(Some(response.body().clone())),
            max_bytes: usize::MAX,
            deadline,
        }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The value of a header, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The next part of the body, as it arrives; `None` at its end. The whole body may be larger than the limit for
    /// bodies that are read at once. Of a response that refuses the request (status 300 and above) there are the first
    /// 64 KiB.
    ///
    /// # Errors
    /// `UpstreamUnreachable` where the connection breaks, `DeadlineExceeded` after the deadline of the call.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        match &mut self.body {
            Body::Whole(body) => Ok(body.take().filter(|it| !it.is_empty())),
            Body::Stream(response, _) => {
                let read = self.deadline.timeout(answer::chunk(&self.name, response));
                read.await.ok_or_else(Error::deadline_exceeded)?
            }
        }
    }

    /// The body as a stream of its parts, as [`UpstreamResponse::chunk`] gives them; it ends after the first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes>> + Send {
        stream::unfold(Some(self), async |response| {
            let mut response = response?;
            match response.chunk().await {
                Ok(chunk) => Some((Ok(chunk?), Some(response))),
                Err(error) => Some((Err(error), None)),
            }
        })
    }

    /// The whole body.
    ///
    /// # Errors
    /// As [`UpstreamResponse::chunk`], and `UpstreamInvalidResponse` for a body that is larger than the limit.
    pub async fn bytes(mut self) -> Result<Bytes> {
        let read = match &mut self.body {
            Body::Whole(body) => return Ok(body.take().unwrap_or_default()),
            Body::Stream(response, _) => answer::read(&self.name, response, self.max_bytes),
        };
        let read = self.deadline.timeout(read);
        read.await.ok_or_else(Error::deadline_exceeded)?
    }

    /// The whole body as text.
    ///
    /// # Errors
    /// As [`UpstreamResponse::bytes`], and `UpstreamInvalidResponse` for a body that is not UTF-8.
    pub async fn text(self) -> Result<String> {
        let (name, status) = (self.name.clone(), self.status);
        text(&name, status.as_u16(), &self.bytes().await?)
    }

    /// The whole body, decoded as JSON, whatever the status and the content type say. An empty body is `null`.
    ///
    /// # Errors
    /// As [`UpstreamResponse::bytes`], and `UpstreamInvalidResponse` for a body of another shape.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T> {
        let name = self.name.clone();
        json(&name, &self.bytes().await?)
    }
}

/// Decodes a body that may be empty.
pub(super) fn json<T: DeserializeOwned>(name: &str, body: &[u8]) -> Result<T> {
    let body = if body.is_empty() { b"null" } else { body };
    answer::decode(name, body)
}

pub(super) fn text(name: &str, status: u16, body: &[u8]) -> Result<String> {
    String::from_utf8(body.to_vec()).map_err(|error| {
        let origin = answer::origin(name, Some(status));
        let problem = "answered with text that is not UTF-8";
        Error::upstream(Kind::UpstreamInvalidResponse, origin, problem)
            .with_source(error.utf8_error())
    })
}

impl fmt::Debug for UpstreamResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamResponse")
            .field("upstream", &self.name)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
