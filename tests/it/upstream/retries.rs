//! Which requests are tried again: those that only read, and those with an idempotency key.

use std::time::Duration;

use bifold::testing::{CannedUpstream, Fault, upstream};
use bifold::{Context, Kind};
use http::Method;
use serde_json::Value;

use super::{API, app_of};

#[tokio::test]
async fn only_requests_that_may_be_repeated_are_tried_again() {
    for (method, has_key, count) in [
        ("GET", false, 2),
        ("HEAD", false, 2),
        ("POST", false, 1),
        ("PUT", false, 1),
        ("PATCH", false, 1),
        ("DELETE", false, 1),
        ("POST", true, 2),
        ("DELETE", true, 2),
    ] {
        for fault in [None, Some(Fault::Reset)] {
            let (api, cx) = failing_once(method, fault).await;
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let mut request = cx.upstream(&API).request(method.clone(), "/x");
            if has_key {
                request = request.idempotency_key("key-1");
            }
            let sent = request.send().await;
            assert_eq!(api.received().len(), count, "{method} {has_key} {fault:?}");
            match (count, fault) {
                (2, _) => assert_eq!(sent.unwrap().status(), 200),
                (_, None) => assert_eq!(sent.unwrap().status(), 503),
                _ => assert_eq!(sent.err().unwrap().kind(), Kind::UpstreamUnreachable),
            }
            let keys = api.received();
            let keys = keys.iter().map(|it| it.header("idempotency-key"));
            assert!(keys.into_iter().all(|it| it == has_key.then_some("key-1")));
        }
    }
}

#[tokio::test]
async fn a_write_that_gets_no_response_has_the_whole_time_and_is_sent_once() {
    let api = upstream("api")
        .on_post("/x")
        .fault(Fault::Hang)
        .start()
        .await
        .unwrap();
    let app = app_of(&api, API, |config| {
        config.upstream_timeout = Duration::from_millis(200);
    });
    let since = std::time::Instant::now();
    let error = app
        .context()
        .upstream(&API)
        .post("/x")
        .text()
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind(), Kind::UpstreamTimeout);
    assert!(since.elapsed() >= Duration::from_millis(190));
    assert_eq!(api.received().len(), 1);
}

#[tokio::test]
async fn failures_of_writes_open_the_breaker_of_their_path() {
    let api = upstream("api")
        .on_post("/x")
        .status(503)
        .on_get("/y")
        .json(1)
        .start()
        .await
        .unwrap();
    let app = app_of(
        &api,
        API.classes(|path| if path == "/x" { "x" } else { "y" }),
        |_| {},
    );
    let client = app.context().upstream(&API);
    for _ in 0..5 {
        let error = client.post("/x").json::<Value>().await.err().unwrap();
        assert_eq!(error.kind(), Kind::UpstreamError);
    }
    let error = client.post("/x").json::<Value>().await.err().unwrap();
    assert_eq!(error.kind(), Kind::UpstreamUnavailable);
    assert_eq!(api.count("POST", "/x"), 5);
    assert_eq!(client.get("/y").json::<u8>().await.unwrap(), 1);
}

#[tokio::test]
async fn a_write_without_a_permit_is_refused_before_it_is_sent() {
    let api = upstream("api").on_post("/x").json(1).start().await.unwrap();
    let declared = API.rate(1, Duration::from_secs(3_600));
    let app = app_of(&api, declared, |_| {});
    let client = app.context().upstream(&API);
    client.post("/x").json::<u8>().await.unwrap();
    let error = client.post("/x").json::<u8>().await.err().unwrap();
    assert_eq!(error.kind(), Kind::RateLimited);
    assert_eq!(api.received().len(), 1);
}

async fn failing_once(method: &str, fault: Option<Fault>) -> (CannedUpstream, Context) {
    let mut first = upstream("api").on(method, "/x").times(1).status(503);
    if let Some(fault) = fault {
        first = first.fault(fault);
    }
    let api = first
        .on(method, "/x")
        .header("x-second", "1")
        .start()
        .await
        .unwrap();
    let cx = app_of(&api, API, |_| {}).context();
    (api, cx)
}
