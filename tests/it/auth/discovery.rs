//! How clients find the issuer: the metadata of the server, and the challenges that lead to it.

use axum::body::Body;
use bifold::{App, RequestInfo, lambda};
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};

use super::{PUBLIC, app, ask, closed, get};
use crate::lambda::{changed, document};

const ISSUER: &str = "https://issuer.example/tenant";

fn guarded(public: Option<&str>) -> App {
    let mut settings = vec![
        ("BIFOLD_AUTH_ISSUER", ISSUER),
        ("BIFOLD_AUTH_AUDIENCE", "notes"),
        ("BIFOLD_AUTH_SCOPES", "notes"),
    ];
    settings.extend(public.map(|url| ("BIFOLD_PUBLIC_URL", url)));
    app(closed().0, &settings)
}

#[tokio::test]
async fn the_metadata_is_at_the_root_and_with_the_path_of_each_protocol() {
    let app = guarded(Some(PUBLIC));
    for (path, resource) in [
        ("", PUBLIC),
        ("/mcp", "https://notes.example/mcp"),
        ("/api", "https://notes.example/api"),
    ] {
        let path = format!("/.well-known/oauth-protected-resource{path}");
        let answer = ask(&app, get(&path), &HeaderMap::new()).await;
        assert_eq!(answer.status, StatusCode::OK);
        let expected = json!({
            "resource": resource,
            "resource_name": "notes",
            "authorization_servers": [ISSUER],
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["notes", "notes:read", "notes:write"],
        });
        assert_eq!(answer.json(), expected);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "public, max-age=3600");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
}

#[tokio::test]
async fn pages_of_every_origin_may_read_the_metadata() {
    let app = guarded(Some(PUBLIC));
    let request = Request::options("/.well-known/oauth-protected-resource/mcp")
        .header("origin", "https://inspector.example")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "mcp-protocol-version");
    let answer = ask(
        &app,
        request.body(Body::empty()).unwrap(),
        &HeaderMap::new(),
    )
    .await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("access-control-allow-headers"), "*");
    let request = Request::post("/.well-known/oauth-protected-resource")
        .body(Body::empty())
        .unwrap();
    let answer = ask(&app, request, &HeaderMap::new()).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn what_clients_probe_besides_is_a_clean_404() {
    let app = guarded(Some(PUBLIC));
    for path in [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-protected-resource/other",
        "/.well-known/oauth-protected-resources",
        "/register",
    ] {
        let answer = ask(&app, get(path), &HeaderMap::new()).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.json()["kind"], Value::Null, "{path}");
    }
    let keys = [("BIFOLD_AUTH_SCOPES", "notes")];
    let without = super::app(closed().0, &keys);
    let answer = ask(
        &without,
        get("/.well-known/oauth-protected-resource"),
        &HeaderMap::new(),
    )
    .await;
    assert_eq!(
        answer.status,
        StatusCode::NOT_FOUND,
        "there is no issuer to be named"
    );
}

#[tokio::test]
async fn without_a_public_url_that_of_the_request_is_used_with_its_stage() {
    let app = guarded(None);
    let mut headers = HeaderMap::new();
    headers.insert("host", "localhost:8787".parse().unwrap());
    let answer = ask(&app, get("/api/read"), &headers).await;
    let challenge = answer.header("www-authenticate");
    let expected =
        "resource_metadata=\"http://localhost:8787/.well-known/oauth-protected-resource/api\"";
    assert!(challenge.contains(expected), "{challenge}");
    let mut event = changed("rest_api_rest", &[]);
    event["path"] = "/api/read".into();
    event["requestContext"]["path"] = "/prod/api/read".into();
    event["requestContext"]["stage"] = "prod".into();
    for name in ["queryStringParameters", "multiValueQueryStringParameters"] {
        event.as_object_mut().unwrap().remove(name);
    }
    let reply = lambda::answer(&app, &event.to_string(), RequestInfo::default()).await;
    let reply = document(reply.unwrap()).await;
    assert_eq!(reply["statusCode"], 401, "{reply}");
    let challenge = reply
        .pointer("/multiValueHeaders/www-authenticate/0")
        .unwrap()
        .to_string();
    assert!(
        challenge.contains("/prod/.well-known/oauth-protected-resource/api"),
        "{challenge}"
    );
}
