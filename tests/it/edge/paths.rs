//! Equivalent paths (RFC 3986 §6.2.2) are the same resource: served, and not redirected.

use bifold::provenance::replay::VESTING;
use http::{Method, Request};
use serde_json::{Value, json};

use super::{INTEGRATIONS, asking, header, invoked, raw, with_header};
use crate::rest::echoing;
use crate::support::{Log, TestApp, on_socket};

/// Spellings of one path each.
const SPELLINGS: [(&str, &[&str]); 7] = [
    (
        "/mcp",
        &["/mcp/", "//mcp", "/%6dcp", "/%6D%63%70//", "///mcp///"],
    ),
    (
        "/api/registry_summary",
        &[
            "/api/registry_summary/",
            "//api/registry_summary",
            "//api//registry_summary",
            "/api/registry%5Fsummary",
            "/api/registry%5fsummary/",
            "/%61pi/registry_summary",
        ],
    ),
    ("/health", &["/health/", "//health//", "/he%61lth"]),
    ("/docs", &["/docs/", "//docs", "/d%6Fcs/"]),
    ("/docs/app", &["/docs/app/", "//docs//app"]),
    ("/openapi.json", &["/openapi.json/", "/openapi%2Ejson"]),
    ("/", &["//", "///"]),
];

#[tokio::test]
async fn every_spelling_is_served_with_every_method() {
    let app = TestApp::start().await;
    for (path, spellings) in SPELLINGS {
        for method in [Method::GET, Method::HEAD, Method::POST, Method::DELETE] {
            let ask = |path: &str| {
                let request = Request::builder().method(&method).uri(path);
                app.send(request.body("".into()).unwrap())
            };
            let expected = ask(path).await;
            for spelling in spellings {
                let answer = ask(spelling).await;
                let shown = format!("{method} {spelling}");
                assert_eq!(answer.status, expected.status, "{shown}");
                for name in ["content-type", "allow", "etag"] {
                    assert_eq!(
                        answer.header(name),
                        expected.header(name),
                        "{shown}: {name}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn every_spelling_works_for_preflights_and_messages() {
    let app = TestApp::start().await;
    let (address, serving) = on_socket(&app.app).await;
    for (path, spellings) in SPELLINGS {
        for spelling in spellings {
            let asks = "origin: http://localhost:1\r\naccess-control-request-method: POST\r\n";
            let head = format!("OPTIONS {spelling} HTTP/1.1\r\nhost: localhost\r\n{asks}");
            assert_eq!(raw(address, &head, "").await.status, 204, "{spelling}");
            if path == "/mcp" {
                let head = format!("POST {spelling} HTTP/1.1\r\nhost: localhost\r\n");
                let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
                let answer = raw(address, &head, ping).await;
                assert_eq!(answer.body, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
            }
        }
    }
    let head = "GET http://localhost//health/ HTTP/1.1\r\n";
    assert_eq!(raw(address, head, "").await.status, 200);
    let head = "GET //ws/ HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nsec-websocket-version: 8\r\n";
    assert_eq!(raw(address, head, "").await.status, 426);
    serving.abort();
}

#[tokio::test]
async fn every_spelling_works_behind_every_integration_with_a_stage_and_a_base_path() {
    let app = TestApp::start().await;
    let mapped = TestApp::with(|config| config.base_path = "/tokens".to_owned()).await;
    for integration in INTEGRATIONS {
        for (path, spellings) in SPELLINGS {
            for method in ["GET", "HEAD", "OPTIONS"] {
                let ask = async |app: &TestApp, path: &str| {
                    let mut event = asking(integration, method, path);
                    let host = match integration.0 {
                        name if name.starts_with("load") => "lb.example.com",
                        _ => "api.example.com",
                    };
                    with_header(&mut event, "host", host);
                    with_header(&mut event, "origin", &format!("https://{host}"));
                    with_header(&mut event, "access-control-request-method", "POST");
                    invoked(app, &event).await
                };
                let expected = ask(&app, path).await;
                for spelling in spellings {
                    let shown = format!("{} {method} {spelling}", integration.0);
                    for (app, path) in [
                        (&app, (*spelling).to_owned()),
                        (&mapped, format!("//tokens{spelling}")),
                        (&mapped, format!("/t%6Fkens{spelling}")),
                    ] {
                        let answer = ask(app, &path).await;
                        assert_eq!(answer["statusCode"], expected["statusCode"], "{shown}");
                        let kind = header(&answer, "content-type");
                        assert_eq!(kind, header(&expected, "content-type"), "{shown}");
                    }
                }
            }
        }
    }
    for path in ["/prod//health", "//prod/health/", "/pr%6Fd/health"] {
        let event = asking(INTEGRATIONS[1], "GET", path);
        let mut event = event;
        event["requestContext"]["stage"] = json!("prod");
        assert_eq!(invoked(&app, &event).await["statusCode"], 200, "{path}");
    }
}

#[tokio::test]
async fn an_argument_keeps_its_slash_and_its_encoding() {
    let app = echoing().await;
    for (path, expected) in [
        ("/api/say/a%2Fb", "a/b"),
        ("/api/say/a%2fb/", "a/b"),
        ("//api//say/a%2F%2Fb", "a//b"),
        ("/api/say/a%252Fb", "a%2Fb"),
        ("/api/say/%61%7E", "a~"),
        ("/api/say/%2F", "/"),
        ("/api/say/a%20b", "a b"),
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert!(
            answer.text().contains(&json!(expected).to_string()),
            "{path}: {}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn dot_segments_are_not_found() {
    let app = TestApp::start().await;
    for path in [
        "/api/../mcp",
        "/api/%2e%2e/health",
        "/./health",
        "/%2e/health",
    ] {
        assert_eq!(app.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_log_names_the_same_protocol_for_every_spelling() {
    let log = Log::default();
    let _guard = log.keep();
    let app = TestApp::start().await;
    for (path, protocol) in [
        ("//mcp/", "mcp"),
        ("/%6dcp", "mcp"),
        ("//api/registry%5Fsummary/", "rest"),
        ("//ws", "ws"),
        ("/health/", "site"),
    ] {
        app.get(path).await;
        let line: Value = log.requests().pop().unwrap();
        assert_eq!(line["protocol"], protocol, "{path}: {line}");
    }
    app.get(&format!("//api//account_info/{VESTING}/")).await;
    let line: Value = log.requests().pop().unwrap();
    assert_eq!(line["function"], "fetch_account_info", "{line}");
}
