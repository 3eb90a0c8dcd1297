//! How responses state their freshness to caches and clients, on both protocols.

use std::time::Duration;

use bifold::provenance::replay::VESTING;
use bifold::testing::Canned;
use bifold::testing::Fault;
use http::Request;
use http::StatusCode;
use serde_json::json;

use super::{FRESH, STATS, STATS_UPSTREAM, failing, pass, seconds, stats};
use crate::support::{TestApp, on_socket};

#[tokio::test]
async fn responses_carry_the_freshness_that_a_downstream_cache_needs() {
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
async fn an_aggregate_is_as_fresh_as_its_oldest_part() {
    let app = TestApp::plane().await;
    app.get("/api/figure_markets_assets_info").await;
    app.get(STATS).await;
    pass(Duration::from_secs(30)).await;
    let overview = app.get("/api/market_overview_summary").await;
    // Markets and trades have just been fetched and are fresh for ten seconds; the statistics are half a minute old.
    assert_eq!(overview.header("cache-status"), "bifold; fwd=miss");
    assert!((9..=10).contains(&seconds(&overview, "cache-control", "public, max-age=")));
    let hit = app.get("/api/market_overview_summary").await;
    assert_eq!(hit.header("age"), "30");
    assert!((9..=10).contains(&seconds(&hit, "cache-status", "bifold; hit; ttl=")));
}

#[tokio::test]
async fn an_incomplete_answer_is_not_cacheable() {
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
async fn a_downstream_cache_may_keep_a_hit_for_its_remaining_lifetime() {
    let app = TestApp::plane().await;
    app.get(STATS).await;
    pass(Duration::from_secs(40)).await;
    let hit = app.get(STATS).await;
    // RFC 9111 4.2: fresh while `max-age` exceeds the age, and `Age` counts.
    let left = seconds(&hit, "cache-control", "public, max-age=") - seconds(&hit, "age", "");
    assert!(
        (18..=20).contains(&left),
        "{left}: {} Age {}",
        hit.header("cache-control"),
        hit.header("age")
    );
}

#[tokio::test]
async fn a_stale_answer_to_a_post_is_marked() {
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

#[tokio::test]
async fn a_304_has_no_content_length_and_a_disconnect_cancels_the_work() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let app = TestApp::plane().await;
    let tag = app.get(STATS).await.header("etag").to_owned();
    let (address, serving) = on_socket(&app.app).await;
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
