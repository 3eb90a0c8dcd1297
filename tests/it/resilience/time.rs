//! Timeouts: slow work ends as a typed failure after the configured time, and affects nothing else.
//!
//! Time is paused and advances only where a test advances it: automatic advance would jump whenever the runtime waits
//! for a socket.

use std::time::Duration;

use bifold::provenance::replay::VESTING;
use bifold::testing::{Canned, Fault};
use bifold::{Config, RequestInfo, TimeLeft};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::raw::Raw;
use super::{ACCOUNT, GOOD, assert_is};
use crate::provenance::ask::{Failure, about, ask, call, fail, interrupted, of_wallet, until};
use crate::support::{TestApp, serve};

const SECOND: Duration = Duration::from_secs(1);

fn hanging() -> Canned {
    Canned::json("").fault(Fault::Hang)
}

/// Runs `call`, and advances time by `step` after each new upstream request. A call that then still waits would wait
/// forever; `until` prevents that.
async fn stepping<T>(
    step: Duration,
    asked: impl Fn() -> usize,
    call: impl Future<Output = T>,
) -> T {
    let steps = async {
        for number in 1.. {
            until(|| asked() >= number).await;
            // The upstream's response reaches its reader before time advances.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            tokio::time::advance(step).await;
        }
    };
    tokio::select! {
        biased;
        done = call => done,
        () = steps => unreachable!("numbers do not end"),
    }
}

/// The failure of an account whose explorer hangs, with time advanced by `step` on each protocol.
async fn hung(step: Duration, change: impl FnOnce(&mut Config)) -> Failure {
    let app = TestApp::with(change).await;
    app.replay.answer("/explorer/", hanging());
    let call = fail(&app, ACCOUNT, about(VESTING));
    stepping(step, || app.replay.seen().len(), call).await
}

fn assert_timed_out(failure: &Failure, milliseconds: u32) {
    assert_is(failure, "upstream_timeout", 504, None, true);
    let message = format!("upstream `explorer` did not answer within {milliseconds} ms");
    assert_eq!(failure.message, message);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_upstream_is_a_timeout_after_the_configured_time() {
    assert_timed_out(&hung(10 * SECOND, |_| {}).await, 10_000);
    let failure = hung(SECOND, |config| config.upstream_timeout = SECOND).await;
    assert_timed_out(&failure, 1000);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_upstream_leaves_the_call_enough_time_to_answer() {
    for (limit, budget) in [(1000, 900), (5000, 4750), (30_000, 10_000), (10, 9)] {
        let limit = Duration::from_millis(limit);
        let step = Duration::from_millis(budget.into());
        let failure = hung(step, |config| config.call_timeout = limit).await;
        assert_timed_out(&failure, budget);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_end_is_a_timeout() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n";
    let raw = Raw::saying(format!("{head}{{\"accountType\":")).await;
    let app = raw.app().await;
    let call = fail(&app, ACCOUNT, about(VESTING));
    let failure = stepping(10 * SECOND, || raw.heads().len(), call).await;
    assert_timed_out(&failure, 10_000);
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_within_the_timeout_is_used() {
    let app = TestApp::start().await;
    let late = Canned::json(GOOD).fault(Fault::Delay(9 * SECOND));
    app.replay.answer("/explorer/", late);
    let call = ask(&app, ACCOUNT, about(VESTING));
    let answer = stepping(9 * SECOND, || app.replay.seen().len(), call).await;
    assert_eq!(answer["account_type"], "Base Account");
}

#[tokio::test(start_paused = true)]
async fn a_hanging_part_of_an_aggregate_is_missing_and_the_rest_is_kept() {
    let app = TestApp::with(|config| config.call_timeout = SECOND).await;
    let full = ask(&app, "fetch_complete_wallet_summary", about(VESTING));
    let mut expected = awake(full).await;
    let lost = json!({
        "part": "balances",
        "kind": "upstream_timeout",
        "message": "upstream `explorer` did not answer within 900 ms",
    });
    expected["balances"] = Value::Null;
    for total in ["liquid", "spendable", "locked", "wallet_total"] {
        expected["totals"][total] = Value::Null;
    }
    expected["incomplete"] = json!([lost]);

    app.replay.forget();
    app.replay
        .answer(&of_wallet("v3", VESTING, "/balances"), hanging());
    let call = ask(&app, "fetch_complete_wallet_summary", about(VESTING));
    // The eighth request of a summary is its last.
    let asked = || app.replay.seen().len() / 8;
    let answer = stepping(Duration::from_millis(900), asked, call).await;
    assert_eq!(answer, expected);
}

#[tokio::test(start_paused = true)]
async fn slow_parts_run_concurrently() {
    let app = TestApp::start().await;
    for (rest, body) in [
        ("/rewards", r#"{"total": []}"#),
        ("/delegations", r#"{"results": []}"#),
        ("/unbonding", r#"{"records": []}"#),
        ("/redelegations", r#"{"records": []}"#),
    ] {
        let slow = Canned::json(body).fault(Fault::Delay(SECOND));
        app.replay.answer(&of_wallet("v2", VESTING, rest), slow);
    }
    let since = Instant::now();
    let call = ask(&app, "fetch_total_delegation_data", about(VESTING));
    let asked = || app.replay.seen().len() / 4;
    let answer = stepping(SECOND, asked, call).await;
    assert_eq!(answer["incomplete"], json!([]));
    assert_eq!(since.elapsed(), 3 * SECOND, "one second on each protocol");
}

#[tokio::test(start_paused = true)]
async fn a_server_test_that_exceeds_its_deadline_fails() {
    let app = TestApp::with(|config| config.call_timeout = SECOND).await;
    app.replay.answer("/explorer/", hanging());
    let question = json!({"function_name": "fetch_current_hash_statistics", "repeat": 2});
    let call = ask(&app, "mcp_test_server", question);
    let report = stepping(Duration::from_millis(900), || app.replay.seen().len(), call).await;
    assert_eq!(report["total_calls"], 2);
    assert_eq!(report["successful_calls"], 0);
}

#[tokio::test(start_paused = true)]
async fn a_shorter_time_limit_of_the_platform_shortens_the_call() {
    let app = TestApp::start().await;
    app.replay.answer("/explorer/", hanging());
    let request_info = {
        let mut info = RequestInfo::default();
        info.time_left = Some(TimeLeft::of(4 * SECOND));
        info
    };
    let request = call(ACCOUNT, &about(VESTING).to_string());
    let served = serve(&app.app, request, request_info);
    // Half a second is reserved for the platform, and a quarter of a second for the answer.
    let step = Duration::from_millis(3250);
    let response = stepping(step, || app.replay.seen().len(), served).await;
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
    let text = String::from_utf8(body.unwrap().into()).unwrap();
    assert!(text.contains("did not answer within 3250 ms"), "{text}");
}

#[tokio::test]
async fn a_client_that_disconnects_cancels_the_upstream_request() {
    let raw = Raw::saying("").await;
    let app = raw.app().await;
    let request = call(ACCOUNT, &about(VESTING).to_string());
    interrupted(app.send(request), || !raw.heads().is_empty()).await;
    until(|| raw.closed() == 1).await;
}

/// Runs `call` while paused time does not advance.
async fn awake<T>(call: impl Future<Output = T>) -> T {
    stepping(Duration::ZERO, || 0, call).await
}
