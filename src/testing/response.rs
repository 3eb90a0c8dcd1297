//! A complete HTTP response, for assertions.

use axum::body::{Body, Bytes, to_bytes};
use http::{HeaderMap, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A response that was read completely.
#[derive(Clone, Debug)]
pub struct TestResponse {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl TestResponse {
    pub(super) async fn read(response: Response<Body>) -> TestResponse {
        let (parts, body) = response.into_parts();
        TestResponse {
            status: parts.status.as_u16(),
            headers: parts.headers,
            // A body that breaks off is what its client has of it.
            body: to_bytes(body, usize::MAX).await.unwrap_or_default(),
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The value of a header; empty if it is absent or not ASCII.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|it| it.to_str().ok()).unwrap_or("")
    }

    /// The body.
    pub fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// The body as text.
    ///
    /// # Panics
    /// The body is not UTF-8.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is UTF-8")
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// The body is not JSON; the message has the status and the body.
    pub fn json(&self) -> Value {
        self.parse()
    }

    /// The body as a value of type `T`.
    ///
    /// # Panics
    /// The body has another form; the message has the status and the body.
    pub fn parse<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            let body = String::from_utf8_lossy(&self.body);
            panic!(
                "the body of status {} cannot be read: {error}: {body}",
                self.status
            )
        })
    }
}
