//! The URL that the OpenAPI document names: that of the request, or the public one.

use bifold::{App, Config, RequestInfo, Server};
use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::lambda::{changed, document};
use crate::support::{Answer, TestApp};

async fn asked(app: &TestApp, host: &str, known: &str) -> Answer {
    let request = Request::get("/openapi.json")
        .header("host", host)
        .header("if-none-match", known)
        .header("x-forwarded-proto", "https");
    app.send(request.body("".into()).unwrap()).await
}

fn url(document: &Value) -> &str {
    document["servers"][0]["url"].as_str().unwrap()
}

#[tokio::test]
async fn it_is_the_host_of_the_request_and_so_is_the_tag() {
    let app = TestApp::start().await;
    let one = asked(&app, "127.0.0.1:8787", "").await;
    let two = asked(&app, "api.example.com", "").await;
    // A client on a socket has no say in the scheme.
    assert_eq!(url(&one.json()), "http://127.0.0.1:8787");
    assert_eq!(url(&two.json()), "http://api.example.com");
    assert_ne!(one.header("etag"), two.header("etag"));
    assert_eq!(one.header("cache-control"), "no-cache");
    let again = asked(&app, "api.example.com", two.header("etag")).await;
    assert_eq!(
        (again.status, again.body.len()),
        (StatusCode::NOT_MODIFIED, 0)
    );
    assert_eq!(
        asked(&app, "127.0.0.1:8787", two.header("etag"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn without_a_host_it_is_what_is_listened_on_and_a_public_url_is_above_all() {
    let of = |change: fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        let app = App::new(config, Server::new("it", "1")).unwrap();
        let document: Value = serde_json::from_slice(&app.openapi()).unwrap();
        url(&document).to_owned()
    };
    assert_eq!(of(|_| {}), "http://127.0.0.1:8787");
    assert_eq!(
        of(|config| config.listen = "0.0.0.0:80".parse().unwrap()),
        "http://localhost:80"
    );
    assert_eq!(
        of(|config| config.listen = "[::1]:80".parse().unwrap()),
        "http://[::1]:80"
    );
    let public =
        |config: &mut Config| config.public_url = Some("https://api.example.com/v1".to_owned());
    assert_eq!(of(public), "https://api.example.com/v1");
    let app = TestApp::with(public).await;
    for host in ["127.0.0.1:8787", "other.example"] {
        assert_eq!(
            url(&asked(&app, host, "").await.json()),
            "https://api.example.com/v1"
        );
    }
}

#[tokio::test]
async fn behind_an_integration_it_has_the_scheme_the_stage_and_the_base_path() {
    let app = TestApp::start().await;
    let mapped = TestApp::with(|config| config.base_path = "/tokens".to_owned()).await;
    for (app, name, path, fields, expected) in [
        (
            &app,
            "function_url_rest",
            "/openapi.json",
            vec![],
            "https://{host}",
        ),
        (
            &app,
            "function_url_rest",
            "//openapi.json/",
            vec![],
            "https://{host}",
        ),
        (
            &app,
            "function_url_rest",
            "/openapi.json",
            vec![("/headers/host", json!(null))],
            "https://{domain}",
        ),
        (
            &app,
            "function_url_rest",
            "/openapi.json",
            vec![
                ("/headers/host", json!("localhost:9000")),
                ("/headers/x-forwarded-proto", json!(null)),
            ],
            "http://localhost:9000",
        ),
        (
            &app,
            "function_url_rest",
            "/openapi.json",
            vec![
                ("/headers/host", json!("x.example")),
                ("/headers/x-forwarded-proto", json!("http")),
            ],
            "http://x.example",
        ),
        (
            &app,
            "http_api_v2",
            "/prod/openapi.json",
            vec![("/requestContext/stage", json!("prod"))],
            "https://{host}/prod",
        ),
        (
            &app,
            "http_api_v1",
            "/prod/openapi.json",
            vec![
                ("/requestContext/stage", json!("prod")),
                ("/requestContext/path", json!("/prod/openapi.json")),
            ],
            "https://{host}/prod",
        ),
        (
            &app,
            "rest_api_rest",
            "/openapi.json",
            vec![("/requestContext/path", json!("/prod/openapi.json"))],
            "https://{host}/prod",
        ),
        (
            &mapped,
            "rest_api_domain",
            "/tokens/openapi.json",
            vec![("/requestContext/path", json!("/tokens/openapi.json"))],
            "https://{host}/tokens",
        ),
        (
            &mapped,
            "load_balancer",
            "/tokens/openapi.json",
            vec![],
            "https://{host}/tokens",
        ),
    ] {
        let place = match name.contains("v2") || name.contains("url") {
            true => "/rawPath",
            false => "/path",
        };
        let mut event = changed(name, &[(place, json!(path))]);
        for (pointer, value) in &fields {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            event.pointer_mut(parent).unwrap()[key] = value.clone();
        }
        for field in [
            "rawQueryString",
            "queryStringParameters",
            "multiValueQueryStringParameters",
        ] {
            event[field] = Value::Null;
        }
        let host = ["host", "Host"]
            .iter()
            .find_map(|it| event["headers"][it].as_str());
        let domain = event["requestContext"]["domainName"].as_str();
        let expected = expected
            .replace("{host}", host.unwrap_or_default())
            .replace("{domain}", domain.unwrap_or_default());
        let reply =
            bifold::lambda::answer(&app.app, &event.to_string(), RequestInfo::default()).await;
        let reply = document(reply.unwrap()).await;
        let body = reply["body"].as_str().unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(url(&body), expected, "{name} {path}");
    }
}
