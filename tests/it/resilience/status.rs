//! An upstream with an error status: its meaning for the caller, and `Retry-After`.

use bifold::provenance::replay::PLAIN;
use bifold::testing::Canned;
use http::StatusCode;
use serde_json::{Value, json};

use super::{GOOD, STATISTICS, assert_is, failing};
use crate::provenance::ask::{about, answering, fail, of_wallet};

#[tokio::test]
async fn an_error_status_is_an_upstream_error_and_retryable_from_500_on() {
    for (status, retryable) in [
        (400, false),
        (401, false),
        (403, false),
        (410, false),
        (500, true),
        (501, true),
        (502, true),
        (503, true),
        (504, true),
    ] {
        // The body of an error is not read, even if it is valid.
        for (content_type, body) in [("application/json", GOOD), ("text/plain", "Validation")] {
            let failure = failing(Canned::status(status, content_type, body)).await;
            assert_is(&failure, "upstream_error", 502, Some(status), retryable);
            assert!(failure.message.contains(&status.to_string()));
            assert_eq!(failure.retry_after, "");
        }
    }
}

#[tokio::test]
async fn a_wallet_that_the_explorer_does_not_have_is_not_found() {
    let app = answering(&of_wallet("v2", PLAIN, "/"), Canned::status(404, "", "")).await;
    for function in [
        "fetch_delegated_rewards_amount",
        "fetch_delegated_staked_amount",
        "fetch_total_delegation_data",
        "fetch_wallet_liquid_balance",
    ] {
        let failure = fail(&app, function, about(PLAIN)).await;
        assert_is(&failure, "not_found", 404, Some(404), false);
    }
}

#[tokio::test]
async fn a_404_for_a_list_is_an_upstream_failure() {
    // The caller named nothing that could be missing: a 404 would mean that the requested path does not exist.
    let app = answering("/", Canned::status(404, "", "")).await;
    for function in [
        STATISTICS,
        "fetch_current_fm_data",
        "fetch_figure_markets_assets_info",
    ] {
        let failure = fail(&app, function, json!({})).await;
        assert_eq!(failure.status, Some(StatusCode::BAD_GATEWAY), "{failure:?}");
        assert_eq!(failure.detail["kind"], "upstream_error");
        assert_eq!(failure.detail["upstream"]["status"], 404);
    }
}

#[tokio::test]
async fn a_429_of_an_upstream_is_a_503_with_retry_after() {
    for (wait, header, milliseconds) in [
        (None, "1", None),
        (Some("7"), "7", Some(7000)),
        (Some(" 90 "), "90", Some(90_000)),
        (Some("0"), "1", Some(0)),
        (Some("Wed, 21 Oct 2015 07:28:00 GMT"), "1", None),
        (Some("soon"), "1", None),
    ] {
        let mut canned = Canned::status(429, "text/plain", "slow down");
        if let Some(wait) = wait {
            canned = canned.header("retry-after", wait);
        }
        let mut failure = failing(canned).await;
        assert_eq!(failure.retry_after, header, "{wait:?}");
        let told = failure.detail.as_object_mut().unwrap();
        assert_eq!(told.remove("retry_after_ms"), milliseconds.map(Value::from));
        assert_is(&failure, "rate_limited", 503, Some(429), true);
    }
}

#[tokio::test]
async fn a_wait_of_any_length_is_the_same_in_the_header_and_in_the_detail() {
    for wait in ["2", "86400", "18446744073709551", "18446744073709551615"] {
        let canned = Canned::status(429, "", "").header("retry-after", wait);
        let failure = failing(canned).await;
        let seconds: u64 = failure.retry_after.parse().unwrap();
        // If the upstream names no wait, the header says one second and the detail says nothing.
        let milliseconds = failure.detail["retry_after_ms"].as_u64();
        assert!(
            milliseconds == seconds.checked_mul(1000) || milliseconds.is_none() && seconds == 1,
            "{failure:?}"
        );
        // A client in JavaScript must be able to read it.
        assert!(milliseconds.is_none_or(|it| it < 1 << 53), "{failure:?}");
    }
}

#[tokio::test]
async fn an_upstream_error_passes_retry_after_on() {
    let canned = Canned::status(503, "", "").header("retry-after", "3");
    let failure = failing(canned).await;
    assert_eq!(failure.retry_after, "3");
    assert_eq!(failure.detail["kind"], "upstream_error");
    assert_eq!(failure.detail["retry_after_ms"], 3000);
}
