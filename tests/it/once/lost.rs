//! Calls whose process ended while they ran.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::{mcp, rest, result, serving};

#[tokio::test(start_paused = true)]
async fn a_call_whose_process_has_ended_is_not_made_again_and_its_caller_is_told() {
    let (app, effects) = serving().await;
    let arguments = json!({"id": 7, "seconds": 20});
    // The threads and tasks of a process that ends stop wherever they are; the store of a table stays.
    let (other, call) = (app.app.clone(), rest("pay", "k", &arguments));
    let process = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        runtime.block_on(async {
            let running = other.serve(call, Default::default());
            let _ = tokio::time::timeout(Duration::from_millis(50), running).await;
        });
    });
    process.join().unwrap();
    assert_eq!(effects.paid(), [(7, 1)].into());
    let since = Instant::now();
    for is_first in [true, false] {
        let told = app.send(rest("pay", "k", &arguments)).await;
        assert_eq!(told.status, 409, "{}", told.text());
        assert_eq!(told.json()["kind"], "idempotency_outcome_unknown");
        let on_mcp = result(&app.send(mcp("pay", "k", &arguments)).await);
        assert_eq!(
            on_mcp["_meta"]["bifold/error"]["kind"],
            "idempotency_outcome_unknown"
        );
        // The first one waits for a sign of life, the others know.
        assert_eq!(since.elapsed(), Duration::from_secs(15), "{is_first}");
    }
    assert_eq!(effects.paid(), [(7, 1)].into());
    // A call that runs on gives signs of life, so that it may take longer than that.
    let arguments = json!({"id": 8, "seconds": 28});
    let first = app.send(rest("pay", "k8", &arguments));
    let (first, second) = tokio::join!(first, async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        app.send(rest("pay", "k8", &arguments)).await
    });
    assert_eq!((first.text(), second.status.as_u16()), (second.text(), 200));
}
