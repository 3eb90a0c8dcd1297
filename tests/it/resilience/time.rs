//! Time: what is slow ends as a typed failure, when the settings say, and takes nothing else with it.
//!
//! Time is paused. It stands still while anything runs, and moves only where a test moves it: left to itself it would
//! leap whenever the runtime waits for a socket.

use std::time::Duration;

use bifold::provenance::replay::VESTING;
use bifold::testing::{Canned, Fault};
use bifold::{Config, RequestInfo, TimeLeft};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::raw::Raw;
use super::{ACCOUNT, GOOD, assert_is};
use crate::support::{TestApp, serve};
use crate::tools::ask::{Failure, about, ask, call, fail, interrupted, of_wallet, until};

const SECOND: Duration = Duration::from_secs(1);

fn hanging() -> Canned {
    Canned::json("").fault(Fault::Hang)
}

/// Runs `call`, and each time the upstream has been asked once more, moves time by `step`.
/// A call that is still waiting then waits for ever, which `until` does not allow.
async fn stepping<T>(
    step: Duration,
    asked: impl Fn() -> usize,
    call: impl Future<Output = T>,
) -> T {
    let steps = async {
        for number in 1.. {
            until(|| asked() >= number).await;
            // What the upstream has sent reaches its reader before time moves.
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

/// The failure of an account whose explorer hangs, and time moves by `step` on each protocol.
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
async fn a_hung_upstream_is_a_timeout_after_the_time_of_the_settings() {
    assert_timed_out(&hung(10 * SECOND, |_| {}).await, 10_000);
    let failure = hung(SECOND, |config| config.upstream_timeout = SECOND).await;
    assert_timed_out(&failure, 1000);
}

#[tokio::test(start_paused = true)]
async fn a_hung_upstream_leaves_the_call_enough_of_its_time_to_answer() {
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
async fn an_answer_that_is_late_but_in_time_is_an_answer() {
    let app = TestApp::start().await;
    let late = Canned::json(GOOD).fault(Fault::Delay(9 * SECOND));
    app.replay.answer("/explorer/", late);
    let call = ask(&app, ACCOUNT, about(VESTING));
    let answer = stepping(9 * SECOND, || app.replay.seen().len(), call).await;
    assert_eq!(answer["account_type"], "Base Account");
}

#[tokio::test(start_paused = true)]
async fn a_hung_part_of_an_aggregate_is_lost_and_the_rest_is_kept() {
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
async fn parts_that_are_slow_together_take_the_time_of_one() {
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
async fn a_test_of_the_server_whose_time_runs_out_is_no_success() {
    let app = TestApp::with(|config| config.call_timeout = SECOND).await;
    app.replay.answer("/explorer/", hanging());
    let question = json!({"function_name": "fetch_current_hash_statistics", "repeat": 2});
    let call = ask(&app, "mcp_test_server", question);
    let report = stepping(Duration::from_millis(900), || app.replay.seen().len(), call).await;
    assert_eq!(report["total_calls"], 2);
    assert_eq!(report["successful_calls"], 0);
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_waits_less_long_shortens_the_call() {
    let app = TestApp::start().await;
    app.replay.answer("/explorer/", hanging());
    let request_info = {
        let mut info = RequestInfo::default();
        info.time_left = Some(TimeLeft::of(4 * SECOND));
        info
    };
    let request = call(ACCOUNT, &about(VESTING).to_string());
    let served = serve(&app.app, request, request_info);
    // Half a second stays for the platform, and a quarter of one for the answer.
    let step = Duration::from_millis(3250);
    let response = stepping(step, || app.replay.seen().len(), served).await;
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
    let text = String::from_utf8(body.unwrap().into()).unwrap();
    assert!(text.contains("did not answer within 3250 ms"), "{text}");
}

#[tokio::test]
async fn a_client_that_leaves_takes_the_request_to_the_upstream_with_it() {
    let raw = Raw::saying("").await;
    let app = raw.app().await;
    let request = call(ACCOUNT, &about(VESTING).to_string());
    interrupted(app.send(request), || !raw.heads().is_empty()).await;
    until(|| raw.closed() == 1).await;
}

/// Runs `call` while paused time stands still.
async fn awake<T>(call: impl Future<Output = T>) -> T {
    stepping(Duration::ZERO, || 0, call).await
}
