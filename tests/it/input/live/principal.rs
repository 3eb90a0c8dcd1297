//! Only a client that reads the stream of its call can be asked on it.

use bifold::RequestInfo;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

use super::{LATEST, try_greet};
use crate::input::{Events, function, greet, legacy, named, posted, serving, text};
use crate::support::{Answer, serve};

/// The call with this `Accept`.
fn accepting(accept: &'static str) -> Request<axum::body::Body> {
    let mut request = legacy(LATEST, "greet");
    request
        .headers_mut()
        .insert("accept", accept.parse().unwrap());
    request
}

#[tokio::test(start_paused = true)]
async fn a_client_that_accepts_no_events_cannot_be_asked_and_fails_at_once() {
    let since = Instant::now();
    let app = serving(vec![function("greet", greet), function("try", try_greet)]);
    for accept in [
        "application/json",
        "text/event-stream;q=0, */*",
        "text/html",
    ] {
        let answer =
            Answer::read(serve(&app, accepting(accept), RequestInfo::default()).await).await;
        assert_eq!(
            answer.status,
            StatusCode::OK,
            "{accept}: errors of that era are plain answers"
        );
        assert_eq!(answer.json()["error"]["code"], -32021);
    }
    for accept in ["text/event-stream", "*/*", "application/json, TEXT/*"] {
        let mut events = Events::open(&app, accepting(accept)).await;
        assert_eq!(
            events.next().await["method"],
            "elicitation/create",
            "{accept}"
        );
    }
    // A batch has one response, so no message can be sent before it.
    let call = |id: u32, name: &str| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": name}});
    let request = posted("2025-03-26", json!([call(1, "greet"), call(2, "try")]));
    let answer = Answer::read(serve(&app, request, RequestInfo::default()).await)
        .await
        .json();
    assert_eq!(answer[0]["error"]["code"], -32021);
    assert!(text(&answer[1]["result"]).starts_with("missing_capability: "));
    assert_eq!(since.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_client_of_a_buffered_response_cannot_be_asked() {
    let since = Instant::now();
    let app = serving(vec![function("try", try_greet)]);
    let request = legacy(LATEST, "try");
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    let headers: std::collections::BTreeMap<_, _> = headers.collect();
    let call =
        json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "try"}});
    let event = json!({
        "version": "2.0",
        "rawPath": "/mcp",
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {"http": {"method": "POST", "path": "/mcp"}},
        "body": call.to_string(),
        "isBase64Encoded": false,
    });
    let reply = bifold::lambda::answer(&app, &event.to_string(), RequestInfo::default()).await;
    let reply = crate::lambda::document(reply.unwrap()).await;
    let message: Value = serde_json::from_str(reply["body"].as_str().unwrap()).unwrap();
    assert!(
        text(&message["result"]).starts_with("missing_capability: "),
        "{message}"
    );
    assert_eq!(since.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn only_the_principal_that_is_asked_can_answer() {
    let app = serving(vec![function("greet", greet)]);
    let of = |principal: Option<&str>| {
        let mut info = RequestInfo::default();
        info.principal = principal.map(bifold::Principal::new);
        info
    };
    let response = serve(&app, legacy(LATEST, "greet"), of(Some("ada"))).await;
    let mut events = Events(response.into_body().into_data_stream());
    let question = events.next().await;
    let id = question["id"].as_str().unwrap();
    let answer = |id: &str| json!({"jsonrpc": "2.0", "id": id, "result": named("Ada")});
    for (caller, id, status) in [
        (Some("eve"), id, StatusCode::BAD_REQUEST),
        (None, id, StatusCode::BAD_REQUEST),
        (Some("ada"), "0", StatusCode::BAD_REQUEST),
        (Some("ada"), id, StatusCode::ACCEPTED),
        (Some("ada"), id, StatusCode::BAD_REQUEST),
    ] {
        let request = posted(LATEST, answer(id));
        let answer = Answer::read(serve(&app, request, of(caller)).await).await;
        assert_eq!(answer.status, status, "{caller:?} {}", answer.text());
    }
    assert_eq!(text(&events.next().await["result"]), "Hello, Ada!");
}
