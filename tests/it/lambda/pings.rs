//! Warm-up pings: they succeed at once, do nothing, and are not an error.

use bifold::RequestInfo;
use serde_json::{Value, json};

use super::document;
use crate::support::{Log, TestApp};

#[tokio::test]
async fn a_ping_succeeds_does_nothing_and_has_no_request_line() {
    let log = Log::default();
    let _guard = log.keep();
    let app = TestApp::start().await;
    let schedule = json!({
        "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
        "source": "aws.events", "account": "123456789012", "time": "2025-11-18T12:00:00Z", "region": "us-west-2",
        "resources": ["arn:aws:events:us-west-2:123456789012:rule/warm"], "detail": {},
    });
    let mut scheduler = schedule.clone();
    scheduler["source"] = json!("aws.scheduler");
    let pings = [
        json!({}),
        schedule,
        scheduler,
        json!({"source": "serverless-plugin-warmup"}),
        json!({"source": "serverless-plugin-warmup", "extra": {"a": 1}}),
        json!({"source": "serverless-plugin-lambda-warmup"}),
        json!({"warmer": true, "concurrency": 3}),
        json!({"warmup": true}),
        json!({"#warmup": true}),
    ];
    for (count, ping) in pings.iter().enumerate() {
        let reply =
            bifold::lambda::answer(&app.app, &ping.to_string(), RequestInfo::default()).await;
        assert_eq!(document(reply.unwrap()).await, Value::Null, "{ping}");
        let told = log.lines("a warm-up ping: nothing to do");
        assert_eq!(told.len(), count + 1, "{ping}");
        assert_eq!(told[count]["level"], "INFO", "{ping}");
    }
    assert_eq!(log.requests(), [Value::Null; 0]);
    assert!(app.replay.seen().is_empty());
    assert_eq!(app.get("/health").await.json()["requests"], 1);
}

#[tokio::test]
async fn an_event_that_is_not_a_ping_is_still_an_error() {
    let app = TestApp::start().await;
    for event in [
        json!({"source": "aws.s3", "detail-type": "Object Created"}),
        json!({"source": "com.example", "detail-type": "Scheduled Event"}),
        json!({"source": "serverless-plugin-other"}),
        json!({"warmer": false}),
        json!({"warmer": null}),
        json!({"key1": "value1", "key2": "value2"}),
        json!({"Records": []}),
        json!([]),
        json!(null),
    ] {
        let reply =
            bifold::lambda::answer(&app.app, &event.to_string(), RequestInfo::default()).await;
        assert!(reply.is_err(), "{event}");
    }
}

#[tokio::test]
async fn a_request_with_the_fields_of_a_ping_is_a_request() {
    let app = TestApp::start().await;
    let mut event = super::event("function_url_rest");
    event["source"] = json!("serverless-plugin-warmup");
    event["warmer"] = json!(true);
    assert_eq!(super::answer(&app, &event).await.status(), 200);
}
