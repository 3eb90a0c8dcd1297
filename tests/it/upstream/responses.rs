//! How a response is read: as a whole, in parts, and when it refuses the request.

use std::time::Duration;

use bifold::testing::{Fault, upstream};
use bifold::{Context, Error, Kind, Result};
use futures_util::{StreamExt, pin_mut, poll};
use serde_json::{Value, json};

use super::{API, app_of, refused_values};

#[tokio::test]
async fn text_bytes_and_an_empty_body_are_read() {
    let api = upstream("api")
        .on_get("/text")
        .text("größe")
        .on_get("/bytes")
        .body("image/png", vec![0, 255])
        .on_post("/none")
        .status(204)
        .start()
        .await
        .unwrap();
    let cx = app_of(&api, API, |_| {}).context();
    let client = cx.upstream(&API);
    assert_eq!(client.get("/text").text().await.unwrap(), "größe");
    assert_eq!(
        client.get("/bytes").bytes().await.unwrap(),
        [0, 255].as_slice()
    );
    client.post("/none").json::<()>().await.unwrap();
    assert_eq!(
        client.post("/none").json::<Option<u8>>().await.unwrap(),
        None
    );
    for error in [
        client.get("/bytes").text().await.err(),
        client.get("/text").json::<Value>().await.err(),
    ] {
        assert_eq!(error.unwrap().kind(), Kind::UpstreamInvalidResponse);
    }
}

#[tokio::test]
async fn a_response_is_given_whatever_its_status() {
    let api = upstream("api")
        .on_post("/notes")
        .status(409)
        .header("x-reason", "full")
        .json(json!({"code": "full"}))
        .start()
        .await
        .unwrap();
    let cx = app_of(&api, API, |_| {}).context();
    let response = cx.upstream(&API).post("/notes").send().await.unwrap();
    assert_eq!(response.status(), 409);
    assert_eq!(response.header("x-reason"), Some("full"));
    assert_eq!(
        response.json::<Value>().await.unwrap(),
        json!({"code": "full"})
    );
}

#[tokio::test]
async fn what_the_upstream_says_when_it_refuses_is_for_the_function_alone() {
    let long = "x".repeat(100_000);
    let api = upstream("api")
        .on_get("/small")
        .status(422)
        .json(json!({"code": "secret-reason"}))
        .on_get("/large")
        .status(400)
        .text(long)
        .on_get("/gone")
        .status(404)
        .text("no such note")
        .on_get("/cut")
        .status(400)
        .text("abcd")
        .fault(Fault::Truncate)
        .start()
        .await
        .unwrap();
    let cx = app_of(&api, API, |_| {}).context();
    let error = |path: &'static str| {
        let request = cx.upstream(&API).get(path);
        async move { request.json::<Value>().await.err().unwrap() }
    };
    let small = error("/small").await;
    assert_eq!(
        small.upstream_body(),
        Some(br#"{"code":"secret-reason"}"#.as_slice())
    );
    assert_eq!(small.kind(), Kind::UpstreamError);
    let said = format!(
        "{small} {small:?} {}",
        serde_json::to_string(&small.detail()).unwrap()
    );
    assert!(!said.contains("secret-reason"), "{said}");
    assert_eq!(
        error("/large").await.upstream_body().map(<[u8]>::len),
        Some(64 << 10)
    );
    let gone = error("/gone").await;
    assert_eq!(
        (gone.kind(), gone.upstream_body()),
        (Kind::NotFound, Some(b"no such note".as_slice()))
    );
    // The second call gets it from the cache of failures.
    assert_eq!(
        error("/gone").await.upstream_body(),
        Some(b"no such note".as_slice())
    );
    assert_eq!(api.count("GET", "/gone"), 1);
    assert_eq!(error("/cut").await.upstream_body(), Some(b"ab".as_slice()));
}

#[tokio::test]
async fn a_body_is_read_in_parts_however_large_and_in_one_piece_only_up_to_the_limit() {
    let body = vec![7; 3 << 20];
    let api = upstream("api")
        .on_get("/export")
        .body("text/csv", body)
        .start()
        .await
        .unwrap();
    let small = API.max_bytes(1 << 20);
    let cx = app_of(&api, small, |_| {}).context();
    let get = || cx.upstream(&API).get("/export");
    let (mut bytes, mut chunks) = (0, 0);
    let stream = get().send().await.unwrap().into_stream();
    pin_mut!(stream);
    while let Some(chunk) = stream.next().await {
        bytes += chunk.unwrap().len();
        chunks += 1;
    }
    assert_eq!(bytes, 3 << 20);
    assert!(chunks > 1);
    for refused in [
        get().bytes().await.err(),
        get().send().await.unwrap().bytes().await.err(),
    ] {
        let refused = refused.unwrap();
        assert_eq!(refused.kind(), Kind::UpstreamInvalidResponse);
        assert!(refused.message().contains("1048576"), "{refused}");
    }
}

#[tokio::test]
async fn a_response_that_is_dropped_lets_the_next_request_start() {
    let api = upstream("api")
        .on_get("/slow")
        .text("abcd")
        .fault(Fault::Slow(Duration::from_secs(3_600)))
        .on_get("/next")
        .text("next")
        .start()
        .await
        .unwrap();
    let cx = app_of(&api, API.in_flight(1), |_| {}).context();
    let mut slow = cx.upstream(&API).get("/slow").send().await.unwrap();
    assert_eq!(slow.chunk().await.unwrap().unwrap(), "ab");
    let next = cx.upstream(&API).get("/next").text();
    pin_mut!(next);
    assert!(poll!(&mut next).is_pending());
    assert_eq!(api.count("GET", "/next"), 0);
    drop(slow);
    assert_eq!(next.await.unwrap(), "next");
}

#[tokio::test]
async fn an_error_body_reaches_no_caller_on_its_own() {
    let (_api, app) = refused_values(async |cx: Context| -> Result<Value> {
        let asked = cx.upstream(&API).post("/refused").json().await;
        asked.map_err(|error: Error| match error.upstream_body() {
            Some(body) if body.starts_with(b"{") => error,
            _ => Error::internal("there is no body"),
        })
    })
    .await;
    let answer = app.get("/api/ask").await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert!(answer.text().contains("HTTP 402"), "{}", answer.text());
    assert!(!answer.text().contains("balance"), "{}", answer.text());
}
