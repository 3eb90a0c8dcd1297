//! The metadata of this server as a protected resource (RFC 9728): the issuers from which clients get tokens.

use axum::body::Body;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW,
    CACHE_CONTROL, CONTENT_TYPE,
};
use http::{HeaderValue, Method, Response, StatusCode};
use serde_json::json;

/// Where the document is, with the path of the resource behind it.
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The resources that have a document: the whole server, and each protocol.
const RESOURCES: [&str; 3] = ["", "/mcp", "/api"];

/// How long clients and caches may keep it.
const CACHED: HeaderValue = HeaderValue::from_static("public, max-age=3600");

const ANY: HeaderValue = HeaderValue::from_static("*");

/// The path of the resource whose document is at `path`.
pub(super) fn resource_of(path: &str) -> Option<&'static str> {
    let resource = path.strip_prefix(WELL_KNOWN)?;
    let resource = resource.strip_suffix('/').unwrap_or(resource);
    RESOURCES.into_iter().find(|it| *it == resource)
}

/// The path of the document for the resource that a request is for.
pub(super) fn path_for(path: &str) -> String {
    let below = |resource: &&str| {
        let rest = path.strip_prefix(*resource);
        rest.is_some_and(|it| it.is_empty() || it.starts_with('/'))
    };
    let resource = ["/mcp", "/api"].into_iter().find(below).unwrap_or("");
    format!("{WELL_KNOWN}{resource}")
}

/// The document of the resource below the URL of this server.
pub(super) fn document(
    url: &str,
    resource: &str,
    issuers: &[&str],
    scopes: &[String],
    name: &str,
) -> String {
    let mut document = json!({
        "resource": format!("{}{resource}", url.trim_end_matches('/')),
        "resource_name": name,
        "authorization_servers": issuers,
        "bearer_methods_supported": ["header"],
    });
    if !scopes.is_empty() {
        document["scopes_supported"] = json!(scopes);
    }
    document.to_string()
}

/// The response to a request for the document, which pages of every origin may read.
pub(super) fn response(method: &Method, document: impl FnOnce() -> String) -> Response<Body> {
    let mut response = match *method {
        Method::GET | Method::HEAD => {
            let mut response = Response::new(Body::from(document()));
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(CACHE_CONTROL, CACHED);
            response
        }
        Method::OPTIONS => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            let headers = response.headers_mut();
            headers.insert(
                ACCESS_CONTROL_ALLOW_METHODS,
                HeaderValue::from_static("GET"),
            );
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, ANY);
            response
        }
        _ => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            let allowed = HeaderValue::from_static("GET,HEAD,OPTIONS");
            response.headers_mut().insert(ALLOW, allowed);
            response
        }
    };
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    response
}
