//! What an issuer is asked, and what happens while it is away.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use tokio::time::Instant;

use super::issuer::{Issuer, Key};
use super::{app, ask, bearer, closed, get, trusting};
use crate::support::pass;

#[tokio::test]
async fn ten_thousand_unknown_keys_ask_the_issuer_at_most_twice() {
    let issuer = Issuer::start(Key::ed()).await;
    let app = trusting(closed().0, &issuer);
    let known = bearer(&issuer.token("notes:read"));
    assert_eq!(
        ask(&app, get("/api/read"), &known).await.status,
        StatusCode::OK
    );
    let (mut header, claims) = issuer.valid("notes:read");
    for number in 0..10_000 {
        header["kid"] = json!(number.to_string());
        let token = issuer.key.token(&header, &claims);
        let answer = ask(&app, get("/api/read"), &bearer(&token)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    assert!(issuer.asked() <= 2, "{}", issuer.asked());
}

#[tokio::test]
async fn many_callers_share_one_fetch_of_the_keys() {
    let issuer = Issuer::start(Key::ed()).await;
    let app = trusting(closed().0, &issuer);
    let headers: Vec<_> = (0..50)
        .map(|number| bearer(&issuer.token_of(&format!("user-{number}"), "notes:read")))
        .collect();
    let asking = headers
        .iter()
        .map(|headers| ask(&app, get("/api/read"), headers));
    for answer in futures_util::future::join_all(asking).await {
        assert_eq!(answer.status, StatusCode::OK);
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn nothing_is_asked_before_the_first_token() {
    let issuer = Issuer::start(Key::ed()).await;
    let app = trusting(closed().0, &issuer);
    assert_eq!(
        ask(&app, get("/health"), &Default::default()).await.status,
        StatusCode::OK
    );
    let answer = ask(&app, get("/api/read"), &Default::default()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(issuer.asked(), 0);
}

#[tokio::test]
async fn known_keys_work_while_the_issuer_is_down_for_an_hour_and_unknown_ones_are_refused() {
    let issuer = Issuer::start(Key::ed()).await;
    let app = trusting(closed().0, &issuer);
    let known = bearer(&issuer.token("notes:read"));
    assert_eq!(
        ask(&app, get("/api/read"), &known).await.status,
        StatusCode::OK
    );
    issuer.set_down(true);
    let (mut header, claims) = issuer.valid("notes:read");
    header["kid"] = "two".into();
    let unknown = bearer(&issuer.key.token(&header, &claims));
    for minute in [1, 10, 30, 59, 61, 120] {
        pass(Duration::from_secs(60 * minute)).await;
        let fresh = bearer(&issuer.token_of(&minute.to_string(), "notes:read"));
        for headers in [&known, &fresh] {
            let since = Instant::now();
            let answer = ask(&app, get("/api/read"), headers).await;
            assert_eq!(answer.status, StatusCode::OK, "{minute}: {}", answer.text());
            assert!(since.elapsed() < Duration::from_secs(2));
        }
        let since = Instant::now();
        let answer = ask(&app, get("/api/read"), &unknown).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{minute}");
        assert!(since.elapsed() < Duration::from_millis(2500));
    }
    pass(Duration::from_secs(25 * 3600)).await;
    let answer = ask(&app, get("/api/read"), &known).await;
    assert_eq!(
        answer.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "keys of yesterday"
    );
    issuer.set_down(false);
    pass(Duration::from_secs(60)).await;
    let answer = ask(&app, get("/api/read"), &known).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

#[tokio::test]
async fn a_key_that_its_issuer_has_withdrawn_is_refused_with_the_tokens_that_it_has_signed() {
    let issuer = Issuer::start(Key::ed()).await;
    let app = trusting(closed().0, &issuer);
    let known = bearer(&issuer.token("notes:read"));
    let status = async |headers| ask(&app, get("/api/read"), headers).await.status;
    assert_eq!(status(&known).await, StatusCode::OK);
    issuer.withdraw();
    assert_eq!(status(&known).await, StatusCode::OK, "it is not known yet");
    // A key that is not known makes the server ask again.
    pass(Duration::from_secs(60)).await;
    let (mut header, claims) = issuer.valid("notes:read");
    header["kid"] = "two".into();
    let unknown = bearer(&issuer.key.token(&header, &claims));
    assert_eq!(status(&unknown).await, StatusCode::UNAUTHORIZED);
    assert_eq!(issuer.asked(), 2);
    assert_eq!(status(&known).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_keys_are_read_from_the_url_of_the_settings_and_no_metadata_is() {
    let issuer = Issuer::start(Key::ed()).await;
    let keys = format!("{}/keys", issuer.url());
    let settings = [
        ("BIFOLD_AUTH_ISSUER", "https://issuer.example"),
        ("BIFOLD_AUTH_JWKS_URL", &*keys),
        ("BIFOLD_PUBLIC_URL", super::PUBLIC),
    ];
    let app = app(closed().0, &settings);
    let (header, mut claims) = issuer.valid("notes:read");
    for (iss, expected) in [
        ("https://issuer.example", StatusCode::OK),
        (issuer.url(), StatusCode::UNAUTHORIZED),
    ] {
        claims["iss"] = iss.into();
        let token = issuer.key.token(&header, &claims);
        let answer = ask(&app, get("/api/read"), &bearer(&token)).await;
        assert_eq!(answer.status, expected, "{}", answer.text());
    }
    assert_eq!(issuer.asked(), 1);
}

#[test]
fn the_url_of_keys_is_safe_and_for_one_issuer() {
    for (url, is_taken) in [
        ("https://issuer.example/keys", true),
        ("http://127.0.0.1:1/keys", true),
        ("http://issuer.example/keys", false),
    ] {
        let variables = [("BIFOLD_AUTH_JWKS_URL".to_owned(), url.to_owned())];
        let config = bifold::Config::from_vars(variables.into_iter(), &[]);
        assert_eq!(config.is_ok(), is_taken, "{url}");
    }
    for issuers in ["", "https://one.example,https://two.example"] {
        let settings = [
            ("BIFOLD_AUTH_ISSUER", issuers),
            ("BIFOLD_AUTH_JWKS_URL", "https://one.example/keys"),
            ("BIFOLD_AUTH_SCOPES", "a"),
            ("BIFOLD_PUBLIC_URL", super::PUBLIC),
        ];
        let settings = settings.iter().filter(|it| !it.1.is_empty());
        let settings: Vec<_> = settings.copied().collect();
        let refused = bifold::App::new(super::config(&settings), closed().0);
        let refused = refused.err().unwrap().to_string();
        assert!(refused.contains("exactly one issuer"), "{refused}");
    }
}

#[tokio::test]
async fn an_issuer_that_cannot_be_asked_is_not_the_fault_of_the_token() {
    let issuer = Issuer::start(Key::ed()).await;
    issuer.set_down(true);
    let app = trusting(closed().0, &issuer);
    let answer = ask(&app, get("/api/read"), &bearer(&issuer.token("notes:read"))).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), "5");
    assert_eq!(answer.header("www-authenticate"), "");
}

#[tokio::test]
async fn an_issuer_that_keeps_silent_is_waited_for_two_seconds() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let settings = [
        ("BIFOLD_AUTH_ISSUER", &*url),
        ("BIFOLD_PUBLIC_URL", super::PUBLIC),
    ];
    let app = app(closed().0, &settings);
    let issuer = Issuer::start(Key::ed()).await;
    let (header, mut claims) = issuer.valid("notes:read");
    claims["iss"] = url.into();
    let token = issuer.key.token(&header, &claims);
    let since = std::time::Instant::now();
    let answer = ask(&app, get("/api/read"), &bearer(&token)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        since.elapsed() < Duration::from_secs(4),
        "{:?}",
        since.elapsed()
    );
}

#[test]
fn issuers_need_tls_and_an_audience() {
    use bifold::{App, Config};
    for (url, is_taken) in [
        ("https://issuer.example/tenant", true),
        ("http://localhost:9000/realms/x", true),
        ("http://127.0.0.1:9000", true),
        ("http://issuer.example", false),
        ("ftp://issuer.example", false),
        ("https://user@issuer.example", false),
        ("https://issuer.example/?a=b", false),
        ("issuer", false),
    ] {
        let variables = [("BIFOLD_AUTH_ISSUER".to_owned(), url.to_owned())];
        let config = Config::from_vars(variables.into_iter(), &[]);
        assert_eq!(config.is_ok(), is_taken, "{url}");
    }
    let variables = [(
        "BIFOLD_AUTH_ISSUER".to_owned(),
        "https://issuer.example".to_owned(),
    )];
    let config = Config::from_vars(variables.into_iter(), &[]).unwrap();
    let refused = App::new(config, closed().0).err().unwrap().to_string();
    assert!(refused.contains("BIFOLD_AUTH_AUDIENCE"), "{refused}");
}
