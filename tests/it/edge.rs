//! What every request meets before it is routed: its host and origin, the spelling of its path, and what stands on every
//! answer.

mod hosts;
mod nosniff;
mod paths;

use std::net::SocketAddr;

use bifold::RequestInfo;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::lambda::{changed, document};
use crate::support::TestApp;

/// What a server on a socket answers to the head of a request, which ends here, and that body.
struct Raw {
    status: u16,
    headers: HeaderMap,
    body: String,
}

async fn raw(address: SocketAddr, head: &str, body: &str) -> Raw {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!(
        "{head}connection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    let headers = headers.map(|(name, value)| {
        let name: HeaderName = name.parse().unwrap();
        (name, value.parse::<HeaderValue>().unwrap())
    });
    Raw {
        status: status.parse().unwrap(),
        headers: headers.collect(),
        body: body.to_owned(),
    }
}

/// An event of each integration, and where that has its method and its path.
const INTEGRATIONS: [(&str, &str, &str); 6] = [
    (
        "function_url_rest",
        "/requestContext/http/method",
        "/rawPath",
    ),
    ("http_api_v2", "/requestContext/http/method", "/rawPath"),
    ("http_api_v1", "/httpMethod", "/path"),
    ("rest_api_rest", "/httpMethod", "/path"),
    ("load_balancer", "/httpMethod", "/path"),
    ("load_balancer_lists", "/httpMethod", "/path"),
];

/// The event as a request of that method for that path, without a query or a body.
fn asking((name, method_at, path_at): (&str, &str, &str), method: &str, path: &str) -> Value {
    let nothing = [
        ("/rawQueryString", Value::from("")),
        ("/queryStringParameters", Value::Null),
        ("/multiValueQueryStringParameters", Value::Null),
        ("/body", Value::Null),
        ("/isBase64Encoded", Value::Null),
        (method_at, method.into()),
        (path_at, path.into()),
    ];
    changed(name, &nothing)
}

/// Gives the event that header, as its integration writes it.
fn with_header(event: &mut Value, name: &str, value: &str) {
    for (field, value) in [
        ("headers", Value::from(value)),
        ("multiValueHeaders", Value::from(vec![value])),
    ] {
        if let Some(headers) = event[field].as_object_mut() {
            headers.retain(|it, _| !it.eq_ignore_ascii_case(name));
            headers.insert(name.to_owned(), value);
        }
    }
}

/// What goes back to the platform.
async fn invoked(app: &TestApp, event: &Value) -> Value {
    let reply = bifold::lambda::answer(&app.app, &event.to_string(), RequestInfo::default()).await;
    document(reply.unwrap()).await
}

/// A header of what goes back, in either of its shapes.
fn header<'v>(answer: &'v Value, name: &str) -> &'v str {
    let (one, many) = (
        &answer["headers"][name],
        &answer["multiValueHeaders"][name][0],
    );
    one.as_str().or(many.as_str()).unwrap_or("")
}
