//! The checks of every request before routing: host, origin and the spelling of the path; and the headers of every
//! response.

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

/// The response of a server on a socket to a request with this head and body.
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

/// An event of each integration, and the fields with its method and its path.
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

/// The event with this method and path, without a query and a body.
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

/// Adds a header to the event, in the format of its integration.
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

/// The response that is posted to the platform.
async fn invoked(app: &TestApp, event: &Value) -> Value {
    let reply = bifold::lambda::answer(&app.app, &event.to_string(), RequestInfo::default()).await;
    document(reply.unwrap()).await
}

/// A header of the response, in either of its formats.
fn header<'v>(answer: &'v Value, name: &str) -> &'v str {
    let (one, many) = (
        &answer["headers"][name],
        &answer["multiValueHeaders"][name][0],
    );
    one.as_str().or(many.as_str()).unwrap_or("")
}
