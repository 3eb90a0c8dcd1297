//! API keys: hashed, expiring, revocable, and named in the log by name only.

use bifold::Server;
use http::{HeaderMap, StatusCode};
use ring::digest::{SHA256, digest};
use serde_json::json;

use super::{app, ask, bearer, call, closed, config, get, text};
use crate::support::Log;

const SECRET: &str = "bfk_c2VjcmV0";

pub fn hash(secret: &str) -> String {
    let digest = digest(&SHA256, secret.as_bytes());
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

pub fn api_key(secret: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-api-key", secret.parse().unwrap());
    headers
}

#[tokio::test]
async fn a_key_is_taken_in_either_header_with_its_scopes_and_named_in_the_log() {
    let log = Log::default();
    let _guard = log.keep();
    let lines = format!(
        "# keys\nother {}\nci {} notes:read extra",
        hash("x"),
        hash(SECRET)
    );
    let (server, runs) = closed();
    let app = app(
        server,
        &[("BIFOLD_API_KEYS", &lines.replace("# keys\n", ""))],
    );
    for headers in [api_key(SECRET), bearer(SECRET)] {
        for request in [call("whoami", json!({})), get("/api/whoami")] {
            let answer = ask(&app, request, &headers).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
            assert_eq!(text(&answer), "key:ci [extra notes:read]");
        }
        assert_eq!(
            ask(&app, get("/api/read"), &headers).await.status,
            StatusCode::OK
        );
        let answer = ask(&app, get("/api/write"), &headers).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(
            answer
                .header("www-authenticate")
                .contains("error=\"insufficient_scope\"")
        );
    }
    assert_eq!(runs.count(), 2);
    let requests = log.requests();
    assert!(
        requests.iter().all(|line| line["api_key"] == "ci"),
        "{requests:?}"
    );
    assert!(
        !requests
            .iter()
            .any(|line| line.to_string().contains(SECRET))
    );
}

#[tokio::test]
async fn unknown_and_expired_keys_are_refused() {
    let lines = format!(
        "old {} expires=2020-01-01T00:00:00Z; new {} expires=2999-01-01T00:00:00Z",
        hash("bfk_old"),
        hash("bfk_new")
    );
    let app = app(closed().0, &[("BIFOLD_API_KEYS", &lines)]);
    for (secret, status, said) in [
        ("bfk_new", StatusCode::OK, ""),
        ("bfk_old", StatusCode::UNAUTHORIZED, "has expired"),
        ("bfk_other", StatusCode::UNAUTHORIZED, "is not known"),
        ("", StatusCode::UNAUTHORIZED, "is not known"),
        (&hash("bfk_new"), StatusCode::UNAUTHORIZED, "is not known"),
    ] {
        let answer = ask(&app, get("/api/any"), &api_key(secret)).await;
        assert_eq!(answer.status, status, "{secret}");
        assert!(answer.text().contains(said), "{}", answer.text());
    }
    let answer = ask(&app, get("/api/any"), &HeaderMap::new()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    assert!(
        answer.text().contains("send an API key"),
        "{}",
        answer.text()
    );
    let answer = ask(&app, get("/api/any"), &bearer("a.b.c")).await;
    assert!(
        answer.text().contains("takes no access tokens"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn keys_are_read_from_a_file() {
    let path = std::env::temp_dir().join(format!("bifold-keys-{}", std::process::id()));
    std::fs::write(&path, format!("# for CI\n\nci {}\n", hash(SECRET))).unwrap();
    let app = app(closed().0, &[("BIFOLD_API_KEYS", path.to_str().unwrap())]);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(
        ask(&app, get("/api/any"), &api_key(SECRET)).await.status,
        StatusCode::OK
    );
}

#[test]
fn lines_that_cannot_be_used_end_the_start_and_are_not_repeated() {
    let good = hash("x");
    for (lines, expected) in [
        (
            format!("a {good}; {SECRET} short"),
            "line 2: expected a name and the SHA-256",
        ),
        (format!("a {good}; a {good}"), "`key:a` is listed twice"),
        (
            format!("a {good} expires=soon"),
            "line 1: `expires` is no RFC 3339 time",
        ),
        ("/no/such/file".to_owned(), "the file cannot be read"),
    ] {
        let config = config(&[("BIFOLD_API_KEYS", &lines)]);
        let refused = bifold::App::new(config, Server::new("notes", "1.0.0"));
        let refused = refused.err().unwrap().to_string();
        assert!(refused.contains(expected), "{refused}");
        assert!(!refused.contains(SECRET), "{refused}");
    }
}
