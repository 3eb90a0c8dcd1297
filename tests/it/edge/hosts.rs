//! Hosts and origins: one rule for every path, every protocol, every listener and every integration.

use bifold::{App, Config, Server};
use http::Request;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{INTEGRATIONS, Raw, asking, invoked, raw, with_header};
use crate::lambda::changed;
use crate::support::{TestApp, on_socket};

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

/// Requests of every kind of path: the first line, and the body.
const REQUESTS: [(&str, &str); 8] = [
    ("GET /health", ""),
    ("GET /docs", ""),
    ("GET /api/registry_summary", ""),
    ("POST /api/get_registry_summary", "{}"),
    ("GET /no/such", ""),
    ("GET /ws", ""),
    ("POST /mcp", PING),
    ("OPTIONS /mcp", ""),
];

/// The stable kind of a refusal; for `/mcp`, the status of its protocol error.
#[track_caller]
fn refused(answer: &Raw, line: &str, status: u16, class: &str) {
    assert_eq!(answer.status, status, "{line}: {}", answer.body);
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    match line.contains(" /mcp") {
        true => assert_eq!(body["error"]["code"], -32600, "{line}: {body}"),
        false => assert_eq!(
            body["type"],
            format!("urn:bifold:problem:{class}"),
            "{line}"
        ),
    }
}

#[tokio::test]
async fn a_missing_repeated_or_invalid_host_is_a_bad_request_on_every_path() {
    let app = TestApp::start().await;
    let (address, serving) = on_socket(&app.app).await;
    for (line, body) in REQUESTS {
        for hosts in [
            "",
            "host: localhost\r\nhost: localhost\r\n",
            "host: localhost\r\nHost: evil.example\r\n",
            "host: \r\n",
            "host: a b\r\n",
            "host: user@localhost\r\n",
            "host: localhost:port\r\n",
            "host: localhost:+80\r\n",
            "host: localhost:65536\r\n",
            "host: localhost/evil\r\n",
            "host: localhost, evil.example\r\n",
            "host: [::1\r\n",
            "host: [zz]\r\n",
            "host: .\r\n",
        ] {
            let answer = raw(address, &format!("{line} HTTP/1.1\r\n{hosts}"), body).await;
            refused(&answer, line, 400, "bad_request");
        }
    }
    serving.abort();
}

#[tokio::test]
async fn http_1_0_needs_no_host_and_an_absolute_target_brings_its_own() {
    let app = TestApp::start().await;
    let (address, serving) = on_socket(&app.app).await;
    for (head, status) in [
        ("GET /health HTTP/1.0\r\n", 200),
        ("GET /health HTTP/1.0\r\nhost: evil.example\r\n", 403),
        ("GET http://localhost/health HTTP/1.1\r\n", 200),
        (
            "GET http://localhost:1/health HTTP/1.1\r\nhost: evil.example\r\n",
            200,
        ),
        (
            "GET http://evil.example/health HTTP/1.1\r\nhost: localhost\r\n",
            403,
        ),
        (
            "GET http://user@localhost/health HTTP/1.1\r\nhost: localhost\r\n",
            400,
        ),
    ] {
        let answer = raw(address, head, "").await;
        assert_eq!(answer.status, status, "{head}: {}", answer.body);
    }
    serving.abort();
}

#[tokio::test]
async fn on_loopback_every_local_name_is_accepted_and_a_refusal_names_the_setting() {
    let app = TestApp::with(|config| {
        config.allowed_origins = vec!["https://admitted.example".to_owned()];
        config.public_url = Some("https://public.example/v1".to_owned());
    })
    .await;
    let (address, serving) = on_socket(&app.app).await;
    for host in [
        "localhost",
        "LocalHost:1",
        "localhost.",
        "localhost.:8787",
        "app.localhost",
        "a.b.localhost.:80",
        "127.0.0.1",
        "127.255.3.4:8787",
        "[::1]",
        "[::1]:8787",
        "[0:0:0:0:0:0:0:1]",
        "admitted.example",
        "Admitted.Example:8443",
        "public.example",
    ] {
        let answer = raw(
            address,
            &format!("GET /health HTTP/1.1\r\nhost: {host}\r\n"),
            "",
        )
        .await;
        assert_eq!(answer.status, 200, "{host}: {}", answer.body);
    }
    for host in [
        "evil.example",
        "localhost.evil.example",
        "evillocalhost",
        "127.0.0.1.evil.example",
        "128.0.0.1",
        "10.0.0.1",
        "0.0.0.0",
        "[::2]",
        "sub.admitted.example",
    ] {
        for (line, body) in REQUESTS {
            let answer = raw(
                address,
                &format!("{line} HTTP/1.1\r\nhost: {host}\r\n"),
                body,
            )
            .await;
            refused(&answer, line, 403, "foreign_host");
            assert!(
                answer.body.contains("BIFOLD_ALLOWED_HOSTS"),
                "{}",
                answer.body
            );
        }
    }
    let long = "a".repeat(5000);
    let answer = raw(address, &format!("GET / HTTP/1.1\r\nhost: {long}\r\n"), "").await;
    assert!(answer.body.len() < 1000, "{}", answer.body);
    serving.abort();
}

fn listing(config: &mut Config) {
    let hosts = ["api.example.com", "*.Example.org", "only.example:8443"];
    config.allowed_hosts = hosts.map(str::to_owned).to_vec();
    config.allowed_origins = vec!["https://page.example".to_owned()];
}

/// Hosts, and whether the list has them.
const LISTED: [(&str, bool); 14] = [
    ("api.example.com", true),
    ("API.example.com.", true),
    ("api.example.com:8080", true),
    ("a.example.org", true),
    ("a.b.EXAMPLE.org:1", true),
    ("only.example:8443", true),
    ("page.example", true),
    ("only.example", false),
    ("only.example:8444", false),
    ("example.org", false),
    ("badexample.org", false),
    ("sub.api.example.com", false),
    ("localhost", false),
    ("127.0.0.1:8787", false),
];

#[tokio::test]
async fn with_a_list_all_other_hosts_are_refused_on_every_listener_and_path() {
    let app = TestApp::with(listing).await;
    let loopback = on_socket(&app.app).await;
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let everywhere = bifold::local::serve(app.app.clone(), listener, std::future::pending());
    let everywhere = tokio::spawn(everywhere);
    for address in [loopback.0, ([127, 0, 0, 1], port).into()] {
        for (host, is_taken) in LISTED {
            for (line, body) in REQUESTS {
                let head = format!("{line} HTTP/1.1\r\nhost: {host}\r\n");
                let answer = raw(address, &head, body).await;
                match is_taken {
                    true => assert_ne!(answer.status, 403, "{line} {host}"),
                    false => refused(&answer, line, 403, "foreign_host"),
                }
            }
        }
    }
    loopback.1.abort();
    everywhere.abort();
}

#[tokio::test]
async fn a_public_listener_accepts_every_host_without_a_list() {
    let app = TestApp::start().await;
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = bifold::local::serve(app.app.clone(), listener, std::future::pending());
    let serving = tokio::spawn(serving);
    for (host, status) in [("any.example", 200), ("10.0.0.7:80", 200), ("a b", 400)] {
        let head = format!("GET /health HTTP/1.1\r\nhost: {host}\r\n");
        let answer = raw(([127, 0, 0, 1], port).into(), &head, "").await;
        assert_eq!(answer.status, status, "{host}");
    }
    serving.abort();
}

#[tokio::test]
async fn the_list_of_hosts_applies_to_every_integration() {
    let (listed, open) = (TestApp::with(listing).await, TestApp::start().await);
    for integration in INTEGRATIONS {
        for (host, is_taken) in LISTED {
            for path in ["/health", "/mcp", "/no/such"] {
                let shown = format!("{} {host} {path}", integration.0);
                let mut event = asking(integration, "GET", path);
                with_header(&mut event, "host", host);
                let answer = invoked(&listed, &event).await;
                assert_eq!(answer["statusCode"] != 403, is_taken, "{shown}: {answer}");
                // Without a list, the integration is responsible for the host.
                assert_ne!(invoked(&open, &event).await["statusCode"], 403, "{shown}");
            }
        }
        // The health check of a load balancer has no host name.
        let mut event = asking(integration, "GET", "/health");
        for field in ["headers", "multiValueHeaders"] {
            event[field] = Value::Null;
        }
        assert_eq!(invoked(&listed, &event).await["statusCode"], 200);
    }
    for (host, status) in [
        ("api.example.com", 200),
        ("evil.example", 403),
        ("a b", 403),
    ] {
        let mut event = changed("websocket_connect", &[]);
        with_header(&mut event, "Host", host);
        assert_eq!(
            invoked(&listed, &event).await,
            json!({"statusCode": status}),
            "{host}"
        );
    }
}

#[tokio::test]
async fn at_the_mcp_endpoint_an_invalid_host_is_a_protocol_error() {
    let app = TestApp::start().await;
    for integration in INTEGRATIONS {
        for (path, is_message) in [("/mcp", true), ("/api/registry_summary", false)] {
            let mut event = asking(integration, "POST", path);
            with_header(&mut event, "host", "a b");
            let answer = invoked(&app, &event).await;
            assert_eq!(answer["statusCode"], 400, "{answer}");
            let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
            assert_eq!(body["jsonrpc"] == "2.0", is_message, "{body}");
            assert_eq!(body["type"].is_string(), !is_message, "{body}");
        }
    }
}

#[tokio::test]
async fn an_origin_with_user_information_or_a_second_one_is_refused_on_every_path() {
    let app = TestApp::with(|config| {
        config.allowed_origins = vec!["https://page.example".to_owned()];
    })
    .await;
    let (address, serving) = on_socket(&app.app).await;
    for (line, body) in REQUESTS {
        for origins in [
            "origin: http://user@localhost\r\n",
            "origin: http://user:password@127.0.0.1:8787\r\n",
            "origin: https://page.example@evil.example\r\n",
            "origin: https://evil@page.example\r\n",
            "origin: https://page.example\r\norigin: https://evil.example\r\n",
        ] {
            let asks = "access-control-request-method: POST\r\n";
            let head = format!("{line} HTTP/1.1\r\nhost: localhost\r\n{asks}{origins}");
            let answer = raw(address, &head, body).await;
            refused(&answer, line, 403, "forbidden_origin");
            assert!(!answer.headers.contains_key("access-control-allow-origin"));
        }
    }
    serving.abort();
    for integration in INTEGRATIONS {
        let mut event = asking(integration, "GET", "/health");
        with_header(&mut event, "origin", "https://user@page.example");
        assert_eq!(
            invoked(&app, &event).await["statusCode"],
            403,
            "{}",
            integration.0
        );
    }
    let mut event = changed("websocket_connect", &[]);
    with_header(&mut event, "Origin", "https://user@page.example");
    assert_eq!(invoked(&app, &event).await, json!({"statusCode": 403}));
}

#[tokio::test]
async fn a_program_that_embeds_the_library_may_omit_the_host() {
    let app = TestApp::start().await;
    let request = Request::get("/health").body("".into()).unwrap();
    assert_eq!(app.send(request).await.status, 200);
}

#[test]
fn an_invalid_host_in_the_list_fails_the_start() {
    for host in [
        "",
        "*",
        "*.",
        "https://a.example",
        "a b",
        "a.example:x",
        "a/b",
        "*.*.example",
    ] {
        let mut config = Config::default();
        config.allowed_hosts = vec![host.to_owned()];
        let said = App::new(config, Server::new("it", "1")).err().unwrap();
        assert!(
            said.to_string().contains("BIFOLD_ALLOWED_HOSTS"),
            "{host}: {said}"
        );
    }
}
