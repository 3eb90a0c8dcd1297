//! A client of the REST protocol, without a socket.

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use serde::Serialize;

use super::response::TestResponse;
use crate::app::{App, RequestInfo};

/// Sends HTTP requests to an application in the same process. Paths are complete: `/api/notes?limit=2`. Cheap to clone.
#[derive(Clone)]
pub struct RestClient {
    app: App,
    headers: HeaderMap,
}

impl RestClient {
    pub(super) fn new(app: App) -> RestClient {
        RestClient {
            app,
            headers: HeaderMap::new(),
        }
    }

    /// The same client with a header on each request.
    ///
    /// # Panics
    /// The name or the value is not valid in HTTP.
    pub fn header(mut self, name: &str, value: &str) -> RestClient {
        let name = HeaderName::try_from(name).expect("the name of a header is valid");
        let value = HeaderValue::try_from(value).expect("the value of a header is valid");
        self.headers.insert(name, value);
        self
    }

    /// Sends `GET path`.
    pub async fn get(&self, path: &str) -> TestResponse {
        self.without_body(Method::GET, path).await
    }

    /// Sends `DELETE path`.
    pub async fn delete(&self, path: &str) -> TestResponse {
        self.without_body(Method::DELETE, path).await
    }

    /// Sends `POST path` with a JSON body.
    pub async fn post(&self, path: &str, body: impl Serialize) -> TestResponse {
        self.with_json(Method::POST, path, body).await
    }

    /// Sends `PUT path` with a JSON body.
    pub async fn put(&self, path: &str, body: impl Serialize) -> TestResponse {
        self.with_json(Method::PUT, path, body).await
    }

    /// Sends `PATCH path` with a JSON body.
    pub async fn patch(&self, path: &str, body: impl Serialize) -> TestResponse {
        self.with_json(Method::PATCH, path, body).await
    }

    /// Sends any request; its own headers replace those of the client.
    pub async fn send(&self, mut request: Request<Body>) -> TestResponse {
        for (name, value) in &self.headers {
            let entry = request.headers_mut().entry(name);
            entry.or_insert_with(|| value.clone());
        }
        let response = self.app.serve(request, RequestInfo::default()).await;
        TestResponse::read(response).await
    }

    async fn without_body(&self, method: Method, path: &str) -> TestResponse {
        self.send(request(method, path, Body::empty())).await
    }

    async fn with_json(&self, method: Method, path: &str, body: impl Serialize) -> TestResponse {
        let json = serde_json::to_vec(&body).expect("the body of a request can be written as JSON");
        let mut request = request(method, path, json.into());
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert("content-type", json);
        self.send(request).await
    }
}

fn request(method: Method, path: &str, body: Body) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).body(body);
    request.expect("the path of a request is valid")
}
