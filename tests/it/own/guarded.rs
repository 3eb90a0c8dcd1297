//! One application with a route and a guard of its own: the same behind a socket, in process and behind each integration.

use axum::extract::{ConnectInfo, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get};
use bifold::{Context, Result, Server, Tool};
use http::{HeaderMap, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::{Error, client::IntoClientRequest};

use crate::lambda::{Reply, answer, changed, event};
use crate::support::{Log, TestApp, on_socket};

/// Who calls.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Whoami {}

#[derive(Serialize, JsonSchema)]
struct Principal {
    principal: Option<String>,
}

async fn whoami(cx: Context, Whoami {}: Whoami) -> Result<Principal> {
    let principal = cx.principal().map(|it| it.id().to_owned());
    Ok(Principal { principal })
}

/// What a route of one's own knows of its client.
async fn seen(cx: Context, ConnectInfo(peer): ConnectInfo<SocketAddr>) -> String {
    assert_eq!(cx.peer(), Some(peer.ip()));
    format!(
        "{} has a peer",
        cx.principal().map_or("nobody", |it| it.id())
    )
}

/// Lets those pass who have the key, in a header or in the query.
async fn guard(request: Request, next: Next) -> Response {
    let key = request
        .headers()
        .get("x-key")
        .is_some_and(|it| it == "secret");
    if !key && request.uri().query() != Some("key=secret") {
        return (StatusCode::UNAUTHORIZED, "no key").into_response();
    }
    let cx = request.extensions().get::<Context>().unwrap();
    cx.identify("ada");
    next.run(request).await
}

pub fn server() -> Server {
    Server::new("weather", "1.0.0")
        .tools(vec![Tool::new("whoami", whoami).get("/whoami")])
        .routes(Router::new().route("/seen", get(seen)))
        .layer(from_fn(guard))
}

/// A status, the body, and whether the response has what all have.
type Seen = (u64, String, bool);

const MCP_CALL: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","arguments":{}}}"#;

/// The requests that every way sends: method, path, body, with the key or without it.
const REQUESTS: [(&str, &str, &str, bool); 8] = [
    ("GET", "/seen", "", true),
    ("GET", "/seen", "", false),
    ("GET", "/api/whoami", "", true),
    ("GET", "/api/whoami", "", false),
    ("POST", "/mcp", MCP_CALL, true),
    ("POST", "/mcp", MCP_CALL, false),
    ("GET", "/nowhere", "", true),
    ("GET", "/health", "", false),
];

async fn by_socket(address: SocketAddr) -> Vec<Seen> {
    let mut all = Vec::new();
    for (method, path, body, has_key) in REQUESTS {
        let key = if has_key { "x-key: secret\r\n" } else { "" };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\naccept: application/json\r\n{key}\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let is_signed = head.contains("x-request-id: ") && head.contains("server-timing: ");
        all.push((status, body.to_owned(), is_signed));
    }
    all
}

async fn in_process(app: &TestApp) -> Vec<Seen> {
    let mut all = Vec::new();
    for (method, path, body, has_key) in REQUESTS {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("content-type", "application/json");
        let request = match has_key {
            true => request.header("x-key", "secret"),
            false => request,
        };
        let mut request = request.body(axum::body::Body::from(body)).unwrap();
        let peer = SocketAddr::from(([192, 0, 2, 7], 1234));
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = tower::ServiceExt::oneshot(app.app.clone(), request);
        let answer = crate::support::Answer::read(response.await.unwrap()).await;
        let is_signed = !answer.header("x-request-id").is_empty();
        all.push((answer.status.as_u16().into(), answer.text(), is_signed));
    }
    all
}

/// An event of that integration for a request, with the fields that differ between the formats.
fn event_for(name: &str, (method, path, body, has_key): (&str, &str, &str, bool)) -> Value {
    let mut fields = vec![("/body", json!(body)), ("/isBase64Encoded", json!(false))];
    let key = if has_key { "secret" } else { "none" };
    match name {
        "function_url_rest" | "http_api_v2" => fields.extend([
            ("/rawPath", json!(path)),
            ("/rawQueryString", json!("")),
            ("/queryStringParameters", Value::Null),
            ("/requestContext/http/method", json!(method)),
            ("/requestContext/http/path", json!(path)),
        ]),
        _ => fields.extend([
            ("/path", json!(path)),
            ("/httpMethod", json!(method)),
            ("/queryStringParameters", Value::Null),
            ("/multiValueQueryStringParameters", Value::Null),
        ]),
    }
    let mut event = changed(name, &fields);
    // Nobody whom the integration has checked.
    let context = event["requestContext"].as_object_mut().unwrap();
    context.remove("authorizer");
    if let Some(identity) = context.get_mut("identity") {
        *identity = json!({"sourceIp": "203.0.113.10"});
    }
    for (place, value) in [("headers", json!(key)), ("multiValueHeaders", json!([key]))] {
        if let Some(headers) = event.get_mut(place).and_then(Value::as_object_mut) {
            headers.remove("accept");
            headers.remove("mcp-protocol-version");
            headers.insert("x-key".to_owned(), value.clone());
            let json = match place {
                "headers" => json!("application/json"),
                _ => json!(["application/json"]),
            };
            headers.insert("content-type".to_owned(), json);
        }
    }
    event
}

async fn by_events(app: &TestApp, name: &str) -> Vec<Seen> {
    let mut all = Vec::new();
    for request in REQUESTS {
        let reply: Reply = answer(app, &event_for(name, request)).await;
        let is_signed = !reply.header("x-request-id").is_empty();
        all.push((reply.status(), reply.text().to_owned(), is_signed));
    }
    all
}

/// Takes out what is of one request alone.
fn comparable(mut all: Vec<Seen>) -> Vec<Seen> {
    for (_, body, _) in &mut all {
        if let Ok(mut problem) = serde_json::from_str::<Value>(body)
            && problem.get("request_id").is_some()
        {
            problem["request_id"] = json!("");
            *body = problem.to_string();
        }
    }
    all
}

#[tokio::test]
async fn an_application_with_a_route_and_a_guard_is_the_same_on_every_transport() {
    let app = TestApp::serving(server()).await;
    let (address, serving) = on_socket(&app.app).await;
    let expected = comparable(in_process(&app).await);
    let statuses: Vec<u64> = expected.iter().map(|it| it.0).collect();
    assert_eq!(statuses, [200, 401, 200, 401, 200, 401, 404, 401]);
    assert_eq!(expected[0].1, "ada has a peer");
    assert_eq!(expected[2].1, r#"{"principal":"ada"}"#);
    assert!(
        expected[4].1.contains(r#"{"principal":"ada"}"#),
        "{expected:?}"
    );
    assert!(expected[6].1.contains("urn:bifold:problem:not_found"));
    assert!(expected.iter().all(|it| it.2), "{expected:?}");
    assert_eq!(comparable(by_socket(address).await), expected, "socket");
    for name in [
        "function_url_rest",
        "http_api_v2",
        "http_api_v1",
        "rest_api_rest",
        "load_balancer",
        "load_balancer_lists",
    ] {
        assert_eq!(comparable(by_events(&app, name).await), expected, "{name}");
    }
    serving.abort();
}

#[tokio::test]
async fn a_guard_stands_before_a_websocket_too() {
    let app = TestApp::serving(server()).await;
    let (address, serving) = on_socket(&app.app).await;
    let refused = connect_async(format!("ws://{address}/ws")).await;
    assert!(matches!(refused, Err(Error::Http(response)) if response.status() == 401));
    let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
    request
        .headers_mut()
        .insert("x-key", "secret".parse().unwrap());
    let (mut socket, _) = connect_async(request).await.unwrap();
    use futures_util::{SinkExt, StreamExt};
    socket.send(MCP_CALL.into()).await.unwrap();
    let told = socket.next().await.unwrap().unwrap().into_text().unwrap();
    assert!(told.contains(r#"{"principal":"ada"}"#), "{told}");
    serving.abort();
}

#[tokio::test]
async fn a_guard_decides_on_the_connections_of_a_websocket_api() {
    let app = TestApp::serving(server()).await;
    let connect = |fields: &[(&str, Value)]| changed("websocket_connect", fields);
    let status = async |event: Value| {
        let event = event.to_string();
        let reply = bifold::lambda::answer(&app.app, &event, Default::default());
        crate::lambda::document(reply.await.unwrap()).await["statusCode"].clone()
    };
    assert_eq!(status(event("websocket_connect")).await, 401);
    assert_eq!(
        status(connect(&[("/headers/x-key", json!("secret"))])).await,
        200
    );
    let query = json!({"key": "secret"});
    assert_eq!(
        status(connect(&[("/queryStringParameters", query)])).await,
        200
    );
}

#[tokio::test]
async fn what_a_guard_refuses_has_its_line_in_the_log_and_its_cors_headers() {
    let log = Log::default();
    let _guard = log.keep();
    let mut config = bifold::Config::default();
    config.allowed_origins = vec!["https://page.example".to_owned()];
    let app = TestApp::of(bifold::App::new(config, server()).unwrap()).await;
    let request = Request::get("/seen").header("origin", "https://page.example");
    let answer = app.send(request.body("".into()).unwrap()).await;
    assert_eq!(answer.status, 401);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        "https://page.example"
    );
    let lines = log.requests();
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (&lines[0]["status"], &lines[0]["protocol"]),
        (&json!(401), &json!("site"))
    );
    assert_eq!(lines[0]["request_id"], answer.header("x-request-id"));
    // The preflight carries no credentials, so it is answered before the guard.
    let request = Request::options("/seen")
        .header("origin", "https://page.example")
        .header("access-control-request-method", "GET");
    let answer = app.send(request.body("".into()).unwrap()).await;
    assert_eq!(answer.status, 204);
    let headers: &HeaderMap = &answer.headers;
    assert!(headers.contains_key("access-control-allow-methods"));
}
