//! What caches may keep of an answer to a request that says who makes it.

use axum::body::Body;
use bifold::RequestInfo;
use bifold::provenance::replay::VESTING;
use http::Request;

use crate::support::{Answer, TestApp, serve};

fn request(header: Option<&str>) -> Request<Body> {
    let path = format!("/api/account_info/{VESTING}");
    let mut request = Request::get(path);
    if let Some(name) = header {
        request = request.header(name, "secret");
    }
    request.body(Body::empty()).unwrap()
}

#[track_caller]
fn assert_private(answer: &Answer, what: &str) {
    let control = answer.header("cache-control");
    assert!(
        control.starts_with("private, max-age="),
        "{what}: {control}"
    );
    let vary: Vec<&str> = answer
        .headers
        .get_all("vary")
        .iter()
        .map(|it| it.to_str().unwrap())
        .collect();
    for name in ["authorization", "cookie", "x-api-key", "Origin"] {
        assert!(vary.contains(&name), "{what}: {vary:?}");
    }
    assert_ne!(answer.header("etag"), "", "{what}");
}

#[tokio::test]
async fn an_answer_to_a_request_with_credentials_is_private_and_varies_by_them() {
    let app = TestApp::plane().await;
    for name in ["authorization", "cookie", "x-api-key"] {
        assert_private(&app.send(request(Some(name))).await, name);
    }
    let mut request_info = RequestInfo::default();
    request_info.principal = Some("me".into());
    let response = serve(&app.app, request(None), request_info).await;
    assert_private(&Answer::read(response).await, "a principal");
}

#[tokio::test]
async fn an_answer_to_anyone_stays_public() {
    let app = TestApp::plane().await;
    let answer = app.send(request(None)).await;
    let control = answer.header("cache-control");
    assert!(control.starts_with("public, max-age="), "{control}");
    assert_eq!(answer.headers.get_all("vary").iter().count(), 1);
}

#[tokio::test]
async fn without_freshness_an_answer_with_credentials_is_private_too() {
    let app = TestApp::plane().await;
    let request = Request::get("/api/registry_summary").header("authorization", "secret");
    let answer = app.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.header("cache-control"), "private, no-cache");
}
