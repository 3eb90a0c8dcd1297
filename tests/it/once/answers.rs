//! The answers of repeated calls.

use serde_json::json;

use super::{mcp, rest, result, serving};

#[tokio::test]
async fn every_kind_of_answer_comes_again_as_it_was() {
    let (app, effects) = serving().await;
    for name in ["counted", "text", "file", "blocks", "created", "nothing"] {
        let first = app.send(rest(name, name, &json!({}))).await;
        let again = app.send(rest(name, name, &json!({}))).await;
        assert_eq!(
            (first.status, &first.body),
            (again.status, &again.body),
            "{name}"
        );
        for header in [
            "content-type",
            "location",
            "content-disposition",
            "x-content-type-options",
        ] {
            assert_eq!(
                first.header(header),
                again.header(header),
                "{name} {header}"
            );
        }
        assert_eq!(again.header("idempotent-replayed"), "true", "{name}");
        let key = format!("{name}-mcp");
        let mut first = result(&app.send(mcp(name, &key, &json!({}))).await);
        let mut again = result(&app.send(mcp(name, &key, &json!({}))).await);
        assert_eq!(
            again["_meta"]["bifold/idempotency"]["replayed"], true,
            "{name}: {again}"
        );
        for result in [&mut first, &mut again] {
            result.as_object_mut().unwrap().remove("_meta");
        }
        assert_eq!(first, again, "{name}");
    }
    assert_eq!(effects.paid(), [(1, 12)].into());
}

#[tokio::test]
async fn a_call_that_failed_may_be_made_again() {
    let (app, effects) = serving().await;
    let arguments = json!({"id": 7, "failures": 2});
    for _ in 0..2 {
        let failed = app.send(rest("pay", "k", &arguments)).await;
        assert_eq!(failed.json()["kind"], "failed");
    }
    let paid = app.send(rest("pay", "k", &arguments)).await;
    assert_eq!(
        (paid.status.as_u16(), paid.header("idempotent-replayed")),
        (200, "")
    );
    assert_eq!(
        app.send(rest("pay", "k", &arguments)).await.text(),
        paid.text()
    );
    // So may one whose arguments were wrong, with other ones.
    assert_eq!(
        app.send(rest("pay", "w", &json!({"id": "x"}))).await.status,
        400
    );
    assert_eq!(
        app.send(rest("pay", "w", &json!({"id": 8}))).await.status,
        200
    );
    assert_eq!(effects.paid(), [(7, 1), (8, 1)].into());
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_kept_and_the_call_is_not_made_again() {
    let (app, effects) = serving().await;
    let arguments = json!({"id": 7, "bytes": 300_000});
    assert_eq!(app.send(rest("pay", "k", &arguments)).await.status, 200);
    let refused = app.send(rest("pay", "k", &arguments)).await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert_eq!(refused.json()["kind"], "idempotency_answer_not_kept");
    assert_eq!(refused.json()["retryable"], false);
    assert_eq!(effects.paid(), [(7, 1)].into());
}

#[tokio::test(start_paused = true)]
async fn after_a_day_a_key_is_free() {
    let (app, effects) = serving().await;
    let call = async || app.send(rest("pay", "k", &json!({"id": 7}))).await.text();
    let first = call().await;
    tokio::time::advance(std::time::Duration::from_secs(24 * 3600 - 1)).await;
    assert_eq!(call().await, first);
    tokio::time::advance(std::time::Duration::from_secs(2)).await;
    assert_ne!(call().await, first);
    assert_eq!(effects.paid(), [(7, 2)].into());
}
