//! Our mapping of events beside that of `lambda_http`: they agree, except where that crate has one of its known defects.

#![cfg(test)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use axum::body::to_bytes;
use fastrand::Rng;
use http::{HeaderMap, Method, Uri};
use lambda_http::RequestExt;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::http::path;
use crate::lambda::events::event::Event;
use crate::lambda::events::generated::generated;
use crate::lambda::events::request_parts::without_stage;

/// The recorded events that are HTTP requests.
const RECORDED: [&str; 10] = [
    include_str!("../../../tests/it/events/function_url_mcp.json"),
    include_str!("../../../tests/it/events/function_url_rest.json"),
    include_str!("../../../tests/it/events/http_api_domain.json"),
    include_str!("../../../tests/it/events/http_api_v1.json"),
    include_str!("../../../tests/it/events/http_api_v2.json"),
    include_str!("../../../tests/it/events/load_balancer.json"),
    include_str!("../../../tests/it/events/load_balancer_lists.json"),
    include_str!("../../../tests/it/events/rest_api_domain.json"),
    include_str!("../../../tests/it/events/rest_api_mcp.json"),
    include_str!("../../../tests/it/events/rest_api_rest.json"),
];

/// What both mappings make of an event.
#[derive(Debug, PartialEq)]
struct Seen {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

async fn ours(event: &Value) -> Result<Seen, String> {
    let text = event.to_string();
    let Ok(Event::Http(event)) = Event::parse(&text) else {
        return Err("no HTTP request".to_owned());
    };
    let (parts, body) = event.request("", false)?.into_parts();
    Ok(Seen {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: pairs(&parts.uri),
        headers: lines(&parts.headers),
        body: to_bytes(body, usize::MAX).await.unwrap().into(),
    })
}

/// What `lambda_http` makes of an event; its own error, or its panic.
fn theirs(event: &Value) -> Result<Seen, String> {
    let text = event.to_string();
    let read = catch_unwind(AssertUnwindSafe(|| lambda_http::request::from_str(&text)));
    let request = match read {
        Ok(Ok(request)) => request,
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err("panic".to_owned()),
    };
    let mut query: Vec<_> = request
        .query_string_parameters()
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    query.sort();
    Ok(Seen {
        method: request.method().clone(),
        path: our_path(event, request.raw_http_path()),
        query,
        headers: lines(request.headers()),
        body: request.body().to_vec(),
    })
}

/// A raw path as our mapping is meant to pass it on: without the stage, in its one spelling.
fn our_path(event: &Value, raw: &str) -> String {
    let context = &event["requestContext"];
    let stage = context["stage"]
        .as_str()
        .filter(|_| event["version"].is_string());
    let normal = path::normal(raw);
    without_stage(&normal, stage, context["domainName"].as_str()).to_owned()
}

fn pairs(uri: &Uri) -> Vec<(String, String)> {
    let decoded = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    };
    let query = uri.query().unwrap_or_default().split('&');
    let mut pairs: Vec<_> = query
        .filter(|it| !it.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect();
    pairs.sort();
    pairs
}

fn lines(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let lines = headers.iter();
    let mut lines: Vec<_> = lines
        .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
        .collect();
    lines.sort();
    lines
}

/// Whether a header comes with several values in payload 1.0, of which `lambda_http` keeps the last one.
fn repeats_headers(event: &Value) -> bool {
    let several = |it: &Value| it.as_array().is_some_and(|it| it.len() > 1);
    let lists = event["multiValueHeaders"].as_object();
    event["headers"].is_object() && lists.is_some_and(|it| it.values().any(several))
}

/// Compares both mappings of an event. Says whether `lambda_http` has lost repeated headers, which is the only difference
/// there may be.
async fn loses_headers(event: &Value) -> bool {
    let own = ours(event).await.unwrap();
    let mut other = theirs(event).unwrap_or_else(|error| panic!("{error}: {event}"));
    let loses = own.headers != other.headers && repeats_headers(event);
    if loses {
        // What is left is also ours.
        let kept = |line| own.headers.contains(line);
        assert!(other.headers.iter().all(kept), "{event}");
        other.headers.clone_from(&own.headers);
    }
    assert_eq!(own, other, "{event}");
    loses
}

#[tokio::test]
async fn both_mappings_agree_on_every_recorded_event() {
    for event in RECORDED {
        let event = serde_json::from_str(event).unwrap();
        assert!(!loses_headers(&event).await, "{event}");
    }
}

#[tokio::test]
async fn both_mappings_agree_on_generated_events_but_for_repeated_headers() {
    let mut rng = Rng::with_seed(13);
    let mut losses = 0;
    for number in 0..500 {
        losses += u32::from(loses_headers(&generated(&mut rng, number % 6)).await);
    }
    assert!(losses > 0, "the defect is gone");
}

/// What `lambda_http` refuses, or panics on, or changes, as it was found; a version that does not is a reason to look again.
#[tokio::test]
async fn the_other_defects_of_the_oracle_are_as_documented() {
    let url: Value = serde_json::from_str(RECORDED[1]).unwrap();
    let with = |pointer: &str, value: Value| {
        let mut event = url.clone();
        *event.pointer_mut(pointer).unwrap() = value;
        event
    };
    for (event, status) in [
        (with("/rawQueryString", json!("a= b")), Err(())),
        (with("/rawQueryString", json!("a=\u{1}")), Err(())),
        (with("/headers/host", json!("a b")), Ok(())),
        (with("/headers/host", json!("host:port")), Ok(())),
        (
            {
                let mut event = with("/isBase64Encoded", json!(true));
                event["body"] = json!("%");
                event
            },
            Err(()),
        ),
    ] {
        assert_eq!(theirs(&event).unwrap_err(), "panic", "{event}");
        assert_eq!(
            ours(&event).await.map(drop).map_err(drop),
            status,
            "{event}"
        );
    }
    for event in [
        with("/headers/accept", json!("a\u{1}")),
        with("/requestContext/http/method", json!("G T")),
    ] {
        assert!(
            theirs(&event)
                .unwrap_err()
                .contains("expects a JSON payload")
        );
        assert!(
            ours(&event).await.unwrap_err().contains("characters"),
            "{event}"
        );
    }
    let uri = |event: &Value| {
        let request = lambda_http::request::from_str(&event.to_string());
        request.unwrap().uri().path().to_owned()
    };
    let climbing = with("/rawPath", json!("/api/../mcp"));
    assert_eq!(uri(&climbing), "/mcp");
    assert_eq!(ours(&climbing).await.unwrap().path, "/api/../mcp");
    let homeless = with("/headers/host", json!(""));
    assert_eq!(uri(&homeless), "/crypto_token_price");
    let path = ours(&homeless).await.unwrap().path;
    assert_eq!(path, "/api/crypto_token_price");
}
