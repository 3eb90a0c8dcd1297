//! The cache of good answers: lifetime, size, and stale answers after a failure.

use std::time::Duration;

use bifold::provenance::replay::VESTING;
use bifold::testing::Canned;
use bifold::testing::Fault;
use http::StatusCode;
use serde_json::json;

use super::{FRESH, STALE, STATS, STATS_UPSTREAM, failing, max_supply, pass, seconds, stats};
use crate::support::TestApp;

#[tokio::test]
async fn an_answer_is_reused_until_its_lifetime_ends() {
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
async fn the_cache_stays_within_its_size() {
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
    // Each answer takes about half a kilobyte with its overhead, so only a few dozen of them fit.
    let asked = app.replay.seen().len();
    assert!((150..200).contains(&asked), "{asked}");
}

#[tokio::test]
async fn an_answer_of_another_shape_is_not_cached() {
    let app = TestApp::plane().await;
    app.replay
        .answer_times(STATS_UPSTREAM, Canned::json("[]"), 1);
    assert_eq!(app.get(STATS).await.status, StatusCode::BAD_GATEWAY);
    assert_eq!(app.get(STATS).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_stale_answer_is_used_if_the_upstream_fails_and_is_marked_on_both_protocols() {
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
async fn a_resource_from_a_stale_answer_is_not_cacheable() {
    let app = TestApp::plane().await;
    let ttl = async || {
        let read = app.mcp("resources/read", json!({"uri": "bifold://markets"}));
        read.await.json()["result"]["ttlMs"].take()
    };
    assert!(matches!(ttl().await.as_u64(), Some(1..=10_000)));
    app.replay.answer("/exchange/markets", failing());
    pass(FRESH).await;
    assert_eq!(ttl().await, 0);
}

#[tokio::test]
async fn a_stale_answer_does_not_hide_a_404() {
    let app = TestApp::plane().await;
    let account = format!("/api/account_info/{VESTING}");
    app.get(&account).await;
    app.replay
        .answer("/explorer/api/v2/accounts", Canned::status(404, "", ""));
    pass(FRESH).await;
    assert_eq!(app.get(&account).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_upstream_with_entity_tags_gets_conditional_requests() {
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
async fn an_answer_with_invalid_content_is_not_cached() {
    let app = TestApp::plane().await;
    // Well-formed, but its parts are larger than the whole.
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
async fn a_large_answer_is_cached_on_every_machine() {
    let app = TestApp::plane().await;
    let recorded = include_str!(
        "../../../src/provenance/replay/recorded/explorer_v3_utility_token_stats.json"
    );
    let large = recorded.to_owned() + &" ".repeat(2 << 20);
    app.replay.answer(STATS_UPSTREAM, Canned::json(large));
    for _ in 0..2 {
        assert_eq!(app.get(STATS).await.status, StatusCode::OK);
    }
    assert_eq!(app.replay.seen().len(), 1);
}

#[tokio::test]
async fn a_stale_answer_is_used_without_further_tries() {
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
