//! The plane between functions and upstreams: one call when many ask, an answer in time whatever the upstream does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bifold::replay::{Canned, Fault, Plan, VESTING};
use bifold::{Deadline, Error, Kind, Once};
use futures_util::future::join_all;
use http::{Request, StatusCode};
use serde_json::json;

use crate::support::{Answer, TestApp};

const STATS: &str = "/api/current_hash_statistics";
const STATS_UPSTREAM: &str = "/explorer/api/v3/utility_token/stats";
/// The statistics are fresh for a minute, and may stand in for an hour more.
const FRESH: Duration = Duration::from_secs(60);
const STALE: Duration = Duration::from_secs(3_600);

/// Lets time pass at once. Time runs on afterwards: sockets and a clock that stands still do not go together.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

fn failing() -> Canned {
    Canned::status(500, "text/plain", "down")
}

fn stats(max_supply: &str) -> Canned {
    let coin = |amount: &str| json!({ "amount": amount, "denom": "nhash" });
    let body = json!({
        "maxSupply": coin(max_supply), "currentSupply": coin("10"), "circulation": coin("1"),
        "communityPool": coin("1"), "bonded": coin("1"), "burned": coin("0"),
    });
    Canned::json(body.to_string())
}

fn max_supply(answer: &Answer) -> String {
    answer.json()["maxSupply"]["amount"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The number after `key` in a header; a test's own milliseconds may take one second off it.
fn seconds(answer: &Answer, header: &str, key: &str) -> i64 {
    let text = answer.header(header);
    let number = text.split_once(key).map(|it| it.1);
    number
        .and_then(|it| it.parse().ok())
        .unwrap_or_else(|| panic!("`{header}: {text}` has no `{key}`"))
}

#[tokio::test]
async fn a_thousand_who_ask_the_same_at_once_cause_one_upstream_call() {
    let app = TestApp::plane().await;
    app.replay.answer(
        STATS_UPSTREAM,
        stats("11").fault(Fault::Delay(Duration::from_millis(50))),
    );
    let answers = join_all((0..1000).map(|_| app.get(STATS))).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK));
    assert_eq!(app.replay.seen().len(), 1);
}

#[tokio::test]
async fn an_answer_is_used_again_until_its_time_is_over() {
    let app = TestApp::plane().await;
    app.get(STATS).await;
    pass(FRESH - Duration::from_secs(1)).await;
    let hit = app.get(STATS).await;
    assert_eq!(app.replay.seen().len(), 1);
    assert_eq!(hit.header("age"), "59");
    assert!((0..=1).contains(&seconds(&hit, "cache-status", "bifold; hit; ttl=")));
    pass(Duration::from_secs(2)).await;
    let miss = app.get(STATS).await;
    assert_eq!(app.replay.seen().len(), 2);
    assert_eq!(
        (miss.header("cache-status"), miss.header("age")),
        ("bifold; fwd=miss", "")
    );
}

#[tokio::test]
async fn what_is_kept_stays_within_its_bytes() {
    let app = TestApp::plane_with(|config| config.cache_bytes = 16 << 10).await;
    let wallet = |byte: u8| {
        let hrp = bech32::Hrp::parse("pb").unwrap();
        bech32::encode::<bech32::Bech32>(hrp, &[byte; 20]).unwrap()
    };
    for byte in 0..200 {
        let path = format!("/api/account_info/{}", wallet(byte));
        assert_eq!(app.get(&path).await.status, StatusCode::OK);
    }
    app.replay.forget();
    for byte in 0..200 {
        app.get(&format!("/api/account_info/{}", wallet(byte)))
            .await;
    }
    // Each answer is about half a kilobyte with its overhead, so a few dozen of them are kept and the others are not.
    let asked = app.replay.seen().len();
    assert!((150..200).contains(&asked), "{asked}");
}

#[tokio::test]
async fn who_started_the_call_may_go_away_without_harm_to_the_others() {
    let app = TestApp::plane().await;
    app.replay.answer(
        STATS_UPSTREAM,
        stats("11").fault(Fault::Delay(Duration::from_millis(50))),
    );
    let mut leader = Box::pin(app.get(STATS));
    let mut follower = Box::pin(app.get(STATS));
    assert!(futures_util::poll!(&mut leader).is_pending());
    assert!(futures_util::poll!(&mut follower).is_pending());
    drop(leader);
    assert_eq!(follower.await.status, StatusCode::OK);
    assert_eq!(app.replay.seen().len(), 1);
}

#[tokio::test]
async fn when_all_have_gone_away_the_call_is_given_up() {
    let app = TestApp::plane().await;
    app.replay
        .answer_times(STATS_UPSTREAM, stats("11").fault(Fault::Hang), 1);
    let mut only = Box::pin(app.get(STATS));
    while app.replay.seen().is_empty() {
        assert!(futures_util::poll!(&mut only).is_pending());
        tokio::task::yield_now().await;
    }
    drop(only);
    // A call that still ran would be joined, and would hang.
    assert_eq!(app.get(STATS).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_failure_reaches_all_who_wait_and_is_not_kept() {
    let app = TestApp::plane().await;
    app.replay.answer_times(
        STATS_UPSTREAM,
        failing().fault(Fault::Delay(Duration::from_millis(50))),
        1,
    );
    let answers = join_all((0..10).map(|_| app.get(STATS))).await;
    assert!(
        answers
            .iter()
            .all(|answer| answer.status == StatusCode::BAD_GATEWAY)
    );
    assert_eq!(app.replay.seen().len(), 1);
    assert_eq!(app.get(STATS).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_answer_of_another_shape_is_not_kept() {
    let app = TestApp::plane().await;
    app.replay
        .answer_times(STATS_UPSTREAM, Canned::json("[]"), 1);
    assert_eq!(app.get(STATS).await.status, StatusCode::BAD_GATEWAY);
    assert_eq!(app.get(STATS).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_old_answer_stands_in_for_an_upstream_that_fails_and_says_so_on_both_faces() {
    for fault in [
        failing(),
        Canned::json("[]"),
        stats("12").fault(Fault::Truncate),
    ] {
        let app = TestApp::plane().await;
        app.replay.answer_times(STATS_UPSTREAM, stats("11"), 1);
        app.get(STATS).await;
        app.replay.answer(STATS_UPSTREAM, fault);
        pass(FRESH + Duration::from_secs(30)).await;
        let rest = app.get(STATS).await;
        assert_eq!(
            (rest.status, max_supply(&rest).as_str()),
            (StatusCode::OK, "11")
        );
        assert_eq!(rest.header("age"), "90");
        assert!(
            rest.header("cache-status")
                .starts_with("bifold; hit; ttl=-3"),
            "{}",
            rest.header("cache-status")
        );
        assert_eq!(rest.header("cache-control"), "public, max-age=0");
        let mcp = app.tool("fetch_current_hash_statistics", json!({})).await;
        let cache = &mcp["_meta"]["bifold/cache"];
        assert_eq!(cache["hit"], true);
        assert!(
            (-31_000..=-30_000).contains(&cache["ttlMs"].as_i64().unwrap()),
            "{cache}"
        );
        assert_eq!(mcp["structuredContent"], rest.json());
        pass(STALE).await;
        assert_eq!(app.get(STATS).await.status, StatusCode::BAD_GATEWAY);
    }
}

#[tokio::test]
async fn an_old_answer_does_not_hide_that_something_is_gone() {
    let app = TestApp::plane().await;
    let account = format!("/api/account_info/{VESTING}");
    app.get(&account).await;
    app.replay
        .answer("/explorer/api/v2/accounts", Canned::status(404, "", ""));
    pass(FRESH).await;
    assert_eq!(app.get(&account).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_upstream_with_tags_is_asked_only_for_what_is_new() {
    let app = TestApp::plane().await;
    app.replay
        .answer(STATS_UPSTREAM, stats("11").header("etag", "\"one\""));
    app.get(STATS).await;
    // The same tag with another body shows that the body was not sent again.
    app.replay
        .answer(STATS_UPSTREAM, stats("12").header("etag", "\"one\""));
    pass(FRESH).await;
    let renewed = app.get(STATS).await;
    assert_eq!(
        (max_supply(&renewed).as_str(), app.replay.seen().len()),
        ("11", 2)
    );
    assert!((59..=60).contains(&seconds(&renewed, "cache-control", "public, max-age=")));
    app.replay
        .answer(STATS_UPSTREAM, stats("13").header("etag", "\"two\""));
    pass(FRESH).await;
    assert_eq!(max_supply(&app.get(STATS).await), "13");
}

#[tokio::test]
async fn freshness_flows_out_so_that_a_cache_in_front_works() {
    let app = TestApp::plane().await;
    let first = app.get(STATS).await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"'), "{tag}");
    assert!((59..=60).contains(&seconds(&first, "cache-control", "public, max-age=")));
    for (known, status) in [
        (tag.as_str(), 304),
        (&format!("W/{tag}"), 304),
        (&format!("\"other\", {tag}"), 304),
        ("*", 304),
        ("\"other\"", 200),
    ] {
        let request = Request::get(STATS).header("if-none-match", known);
        let answer = app
            .send(request.body(axum::body::Body::empty()).unwrap())
            .await;
        assert_eq!(answer.status.as_u16(), status, "{known}");
        assert_eq!(answer.body.is_empty(), status == 304);
        assert_eq!(answer.header("etag"), tag);
    }
    let own = app.get("/api/registry_summary").await;
    assert_eq!(
        (own.header("cache-control"), own.header("cache-status")),
        ("no-cache", "")
    );
    assert_eq!(
        app.get("/api/account_info/x").await.header("cache-control"),
        "no-store"
    );
    let mcp = app.tool("fetch_current_hash_statistics", json!({})).await;
    assert_eq!(mcp["_meta"]["bifold/cache"]["hit"], true);
}

#[tokio::test]
async fn what_is_made_of_many_parts_is_as_fresh_as_the_oldest() {
    let app = TestApp::plane().await;
    app.get("/api/figure_markets_assets_info").await;
    app.get(STATS).await;
    pass(Duration::from_secs(30)).await;
    let overview = app.get("/api/market_overview_summary").await;
    // Markets and trades came just now and are good for ten seconds; the statistics are half a minute old.
    assert_eq!(overview.header("cache-status"), "bifold; fwd=miss");
    assert!((9..=10).contains(&seconds(&overview, "cache-control", "public, max-age=")));
    let hit = app.get("/api/market_overview_summary").await;
    assert_eq!(hit.header("age"), "30");
    assert!((9..=10).contains(&seconds(&hit, "cache-status", "bifold; hit; ttl=")));
}

#[tokio::test]
async fn an_answer_that_its_function_cannot_use_is_not_kept_either() {
    let app = TestApp::plane().await;
    // Well in form, but its parts are larger than the whole.
    let impossible = r#"{"maxSupply":{"amount":"1","denom":"nhash"},"currentSupply":{"amount":"1","denom":"nhash"},"circulation":{"amount":"2","denom":"nhash"},"communityPool":{"amount":"0","denom":"nhash"},"bonded":{"amount":"0","denom":"nhash"},"burned":{"amount":"0","denom":"nhash"}}"#;
    for path in [STATS, "/api/market_overview_summary"] {
        app.replay
            .answer_times(STATS_UPSTREAM, Canned::json(impossible), 1);
        let lost = app.get(path).await;
        assert!(
            lost.text().contains("upstream_invalid_response"),
            "{}",
            lost.text()
        );
        assert!(
            !app.get(path)
                .await
                .text()
                .contains("upstream_invalid_response")
        );
        pass(FRESH).await;
    }
}

#[tokio::test]
async fn a_large_answer_is_kept_whatever_the_machine() {
    let app = TestApp::plane().await;
    let recorded = include_str!("../../src/replay/recorded/explorer_v3_utility_token_stats.json");
    let large = recorded.to_owned() + &" ".repeat(2 << 20);
    app.replay.answer(STATS_UPSTREAM, Canned::json(large));
    for _ in 0..2 {
        assert_eq!(app.get(STATS).await.status, StatusCode::OK);
    }
    assert_eq!(app.replay.seen().len(), 1);
}

#[tokio::test]
async fn an_old_answer_that_may_stand_in_is_not_kept_waiting_for_further_tries() {
    let app = TestApp::plane().await;
    app.get(STATS).await;
    app.replay
        .answer(STATS_UPSTREAM, Canned::status(503, "", ""));
    app.replay.forget();
    pass(FRESH + Duration::from_secs(1)).await;
    assert!(
        app.get(STATS)
            .await
            .header("cache-status")
            .contains("ttl=-")
    );
    assert_eq!(app.replay.seen().len(), 1);
}

#[tokio::test]
async fn an_answer_that_lacks_a_part_is_kept_by_nobody() {
    let app = TestApp::plane().await;
    app.replay.answer("/lcd", Canned::status(500, "", ""));
    let path = format!("/api/complete_wallet_summary/{VESTING}");
    let partial = app.get(&path).await;
    assert_eq!(partial.json()["incomplete"][0]["part"], "committed");
    assert_eq!(partial.header("cache-control"), "public, max-age=0");
    let mcp = app
        .tool(
            "fetch_complete_wallet_summary",
            json!({"wallet_address": VESTING}),
        )
        .await;
    assert_eq!(mcp["_meta"]["bifold/cache"]["ttlMs"], 0);
}

#[tokio::test]
async fn transient_failures_are_tried_again_three_times_at_the_most() {
    let app = TestApp::plane().await;
    app.replay
        .answer_times(STATS_UPSTREAM, Canned::status(503, "", ""), 2);
    assert_eq!(app.get(STATS).await.status, StatusCode::OK);
    assert_eq!(app.replay.seen().len(), 3);
    let app = TestApp::plane().await;
    app.replay
        .answer(STATS_UPSTREAM, Canned::status(503, "", ""));
    assert_eq!(app.get(STATS).await.json()["kind"], "upstream_error");
    assert_eq!(app.replay.seen().len(), 3);
    let app = TestApp::plane().await;
    app.replay
        .answer(STATS_UPSTREAM, Canned::status(400, "", ""));
    assert_eq!(app.get(STATS).await.status, StatusCode::BAD_GATEWAY);
    assert_eq!(app.replay.seen().len(), 1);
}

#[tokio::test]
async fn an_upstream_that_fails_again_and_again_is_left_alone_and_then_probed() {
    let app = TestApp::plane_with(|config| config.upstream_tries = 1).await;
    app.replay.answer_times(STATS_UPSTREAM, failing(), 5);
    for _ in 0..5 {
        assert_eq!(app.get(STATS).await.json()["kind"], "upstream_error");
    }
    let open = app.get(STATS).await;
    assert_eq!(
        (open.status, open.header("retry-after")),
        (StatusCode::SERVICE_UNAVAILABLE, "5")
    );
    assert_eq!(open.json()["kind"], "upstream_unavailable");
    assert_eq!(app.replay.seen().len(), 5);
    // Another upstream is not its business.
    assert_eq!(
        app.get("/api/figure_markets_data").await.status,
        StatusCode::OK
    );
    pass(Duration::from_secs(5)).await;
    assert_eq!(app.get(STATS).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_upstream_is_asked_by_so_many_at_once_as_it_declares() {
    let app = TestApp::plane_with(|config| config.upstream_limits = true).await;
    app.replay.follow(Plan::parse("explorer=delay:20").unwrap());
    let wallets = [
        VESTING,
        bifold::replay::PLAIN,
        bifold::replay::MOVING,
        bifold::replay::PERIODIC,
    ];
    let paths = wallets.iter().flat_map(|wallet| {
        [
            format!("/api/account_info/{wallet}"),
            format!("/api/total_delegation_data/{wallet}"),
        ]
    });
    let answers = join_all(paths.map(async |path| app.get(&path).await.status)).await;
    assert!(
        answers.iter().all(|status| *status == StatusCode::OK),
        "{answers:?}"
    );
    assert_eq!(app.replay.most_at_once(), 4);
}

#[tokio::test]
async fn a_call_that_cannot_have_its_turn_in_time_is_refused_at_once() {
    let app = TestApp::plane_with(|config| {
        config.upstream_limits = true;
        config.call_timeout = Duration::from_secs(1);
        config.cache_bytes = 0;
    })
    .await;
    let path = format!("/api/available_committed_amount/{VESTING}");
    for _ in 0..5 {
        assert_eq!(app.get(&path).await.status, StatusCode::OK);
    }
    let refused = app.get(&path).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.json()["kind"], "rate_limited");
    assert!(
        matches!(refused.header("retry-after"), "1" | "2"),
        "{}",
        refused.header("retry-after")
    );
    assert_eq!(app.replay.seen().len(), 5);
}

#[tokio::test]
async fn a_value_is_built_once_for_all_who_ask_first() {
    let (once, built) = (Once::new(), Arc::new(AtomicUsize::new(0)));
    let get = async || {
        let built = built.clone();
        once.get(Deadline::after(FRESH), || async move {
            tokio::task::yield_now().await;
            Ok(built.fetch_add(1, Ordering::SeqCst))
        })
        .await
    };
    let values = join_all((0..20).map(|_| get())).await;
    assert!(values.into_iter().all(|value| *value.unwrap() == 0));
    assert_eq!(*get().await.unwrap(), 0);
    assert_eq!(built.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_value_is_built_once_on_many_threads_too() {
    for _ in 0..5_000 {
        let (once, built) = (Arc::new(Once::new()), Arc::new(AtomicUsize::new(0)));
        let callers = (0..8).map(|_| {
            let (once, built) = (once.clone(), built.clone());
            tokio::spawn(async move {
                let build = || async move { Ok(built.fetch_add(1, Ordering::SeqCst)) };
                once.get(Deadline::after(FRESH), build).await.map(|it| *it)
            })
        });
        for value in join_all(callers).await {
            assert_eq!(value.unwrap().unwrap(), 0);
        }
    }
}

#[tokio::test]
async fn a_builder_that_panics_at_once_holds_nobody_up() {
    use futures_util::FutureExt;
    let once: Once<u8> = Once::new();
    let (sent, done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let panics = || -> std::future::Ready<bifold::Result<u8>> { panic!("a defect") };
            let broken = std::panic::AssertUnwindSafe(once.get(Deadline::after(FRESH), panics));
            assert!(broken.catch_unwind().await.is_err());
            let good = once.get(Deadline::after(FRESH), || async { Ok(7) }).await;
            sent.send(*good.unwrap()).unwrap();
        });
    });
    assert_eq!(done.recv_timeout(Duration::from_secs(5)), Ok(7));
}

#[tokio::test]
async fn a_failed_build_reaches_all_who_wait_and_the_next_tries_again() {
    let once: Once<u8> = Once::new();
    let fail = || async {
        tokio::task::yield_now().await;
        Err(Error::failed("not today"))
    };
    let failed = join_all((0..20).map(|_| once.get(Deadline::after(FRESH), fail))).await;
    assert!(
        failed
            .iter()
            .all(|it| it.as_ref().is_err_and(|error| error.kind() == Kind::Failed))
    );
    assert_eq!(
        *once
            .get(Deadline::after(FRESH), || async { Ok(7) })
            .await
            .unwrap(),
        7
    );
}

#[tokio::test(start_paused = true)]
async fn a_builder_that_goes_away_hands_over_and_one_that_hangs_holds_nobody_beyond_its_deadline() {
    let once: Once<u8> = Once::new();
    let slow = || async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        Ok(7)
    };
    let mut leader = Box::pin(once.get(Deadline::after(FRESH), slow));
    let mut follower = Box::pin(once.get(Deadline::after(FRESH), slow));
    assert!(futures_util::poll!(&mut leader).is_pending());
    assert!(futures_util::poll!(&mut follower).is_pending());
    drop(leader);
    let hurried = once.get(Deadline::after(Duration::from_secs(1)), slow);
    assert_eq!(hurried.await.unwrap_err().kind(), Kind::DeadlineExceeded);
    assert_eq!(*follower.await.unwrap(), 7);
}

#[tokio::test]
async fn health_answers_while_upstreams_hang() {
    let app = TestApp::plane().await;
    app.replay
        .answer("/explorer", stats("11").fault(Fault::Hang));
    let mut hanging = Box::pin(app.get(STATS));
    assert!(futures_util::poll!(&mut hanging).is_pending());
    let health = tokio::time::timeout(Duration::from_millis(50), app.get("/health")).await;
    assert_eq!(health.unwrap().status, StatusCode::OK);
    assert!(futures_util::poll!(&mut hanging).is_pending());
}

fn late_account(ms: u64) -> Canned {
    Canned::json(r#"{"accountType": "Base Account"}"#)
        .fault(Fault::Delay(Duration::from_millis(ms)))
}

#[tokio::test]
async fn callers_in_a_hurry_do_not_shut_an_upstream_for_all() {
    let app = TestApp::plane().await;
    app.replay
        .answer("/explorer/api/v2/accounts", late_account(100));
    let wallets = [
        VESTING,
        bifold::replay::PLAIN,
        bifold::replay::MOVING,
        bifold::replay::PERIODIC,
        bifold::replay::DELAYED,
    ];
    let calls = wallets
        .map(|it| json!({"name": "fetch_account_info", "arguments": {"wallet_address": it}}));
    let hurried = json!({"calls": calls, "item_timeout_ms": 20});
    let report = app.post("/api/batch", hurried.to_string()).await.json();
    assert_eq!(report["failed"], 5);
    let patient = app.get(&format!("/api/account_info/{VESTING}")).await;
    assert_eq!(patient.status, StatusCode::OK, "{}", patient.text());
}

#[tokio::test]
async fn who_joins_a_hurried_call_is_not_bound_by_its_time() {
    let app = TestApp::plane().await;
    app.replay.answer(
        STATS_UPSTREAM,
        stats("11").fault(Fault::Delay(Duration::from_millis(300))),
    );
    let calls = json!([{"name": "fetch_current_hash_statistics"}]);
    let hurried = json!({"calls": calls, "item_timeout_ms": 100}).to_string();
    let (_, patient) = tokio::join!(app.post("/api/batch", hurried), app.get(STATS));
    assert_eq!(patient.status, StatusCode::OK);
    assert_eq!(app.replay.seen().len(), 1);
}

#[tokio::test]
async fn a_cache_in_front_may_keep_a_hit_for_what_is_left_of_its_time() {
    let app = TestApp::plane().await;
    app.get(STATS).await;
    pass(Duration::from_secs(40)).await;
    let hit = app.get(STATS).await;
    // RFC 9111 4.2: fresh while max-age is more than the age, and `Age` counts.
    let left = seconds(&hit, "cache-control", "public, max-age=") - seconds(&hit, "age", "");
    assert!(
        (18..=20).contains(&left),
        "{left}: {} Age {}",
        hit.header("cache-control"),
        hit.header("age")
    );
}

#[tokio::test]
async fn an_old_answer_to_a_post_says_so_too() {
    let app = TestApp::plane().await;
    app.replay.answer_times(STATS_UPSTREAM, stats("11"), 1);
    app.get(STATS).await;
    app.replay.answer(STATS_UPSTREAM, failing());
    pass(FRESH + Duration::from_secs(30)).await;
    let calls = json!({"calls": [{"name": "fetch_current_hash_statistics"}]}).to_string();
    for (path, body) in [
        ("/api/fetch_current_hash_statistics", "{}".to_owned()),
        ("/api/batch", calls),
    ] {
        let answer = app.post(path, body).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(
            answer
                .header("cache-status")
                .starts_with("bifold; hit; ttl=-3"),
            "{path}: {:?}",
            answer.headers
        );
        assert_eq!(answer.header("age"), "90");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_call_on_many_threads_too() {
    let mut more = 0;
    for _ in 0..150 {
        let app = Arc::new(TestApp::plane().await);
        let tasks: Vec<_> = (0..64)
            .map(|_| {
                let app = app.clone();
                tokio::spawn(async move { app.get(STATS).await.status })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), StatusCode::OK);
        }
        if app.replay.seen().len() != 1 {
            more += 1;
        }
    }
    assert_eq!(more, 0, "of 150 rounds had more than one upstream request");
}

#[tokio::test]
async fn those_who_wait_for_their_turn_leave_an_open_breaker_alone() {
    let app = TestApp::plane_with(|config| {
        config.upstream_limits = true;
        config.upstream_tries = 1;
    })
    .await;
    app.replay.answer(
        "/explorer",
        failing().fault(Fault::Delay(Duration::from_millis(20))),
    );
    let hrp = bech32::Hrp::parse("pb").unwrap();
    let wallets: Vec<String> = (0..60)
        .map(|byte| bech32::encode::<bech32::Bech32>(hrp, &[byte; 20]).unwrap())
        .collect();
    join_all(
        wallets
            .iter()
            .map(async |it| app.get(&format!("/api/account_info/{it}")).await.status),
    )
    .await;
    let asked = app.replay.seen().len();
    assert!(
        asked <= 12,
        "{asked} requests went to an upstream that fails each of them"
    );
}

#[tokio::test]
async fn a_304_has_no_length_of_its_own_and_rest_hang_up_ends_work() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let app = TestApp::plane().await;
    let tag = app.get(STATS).await.header("etag").to_owned();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(bifold::local::serve(
        app.app.clone(),
        listener,
        std::future::pending(),
    ));
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let ask = |path: &str| {
        format!(
            "GET {path} HTTP/1.1\r\nhost: {address}\r\nif-none-match: {tag}\r\nconnection: close\r\n\r\n"
        )
    };
    socket.write_all(ask(STATS).as_bytes()).await.unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).await.unwrap();
    app.replay
        .answer("/exchange/assets", stats("1").fault(Fault::Hang));
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    socket
        .write_all(ask("/api/figure_markets_assets_info").as_bytes())
        .await
        .unwrap();
    while app.replay.seen().len() < 2 {
        tokio::task::yield_now().await;
    }
    drop(socket);
    tokio::time::sleep(Duration::from_millis(100)).await;
    app.replay
        .answer("/exchange/assets", Canned::json(r#"{"data": []}"#));
    let again = tokio::time::timeout(
        Duration::from_secs(2),
        app.get("/api/figure_markets_assets_info"),
    )
    .await;
    assert!(again.is_ok(), "the work went on");
    serving.abort();
    assert!(!text.contains("content-length"), "{text}");
}
