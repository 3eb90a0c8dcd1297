//! Connections to an upstream: broken, refused and redirected ones, and the headers of a request.

use bifold::provenance::replay::{Replay, VESTING};
use bifold::testing::{Canned, Fault};

use super::raw::{Raw, with_explorer};
use super::{ACCOUNT, GOOD, assert_is, failing};
use crate::provenance::ask::{about, answering, ask, fail, of_wallet};
use crate::support::{TestApp, refusing};

#[tokio::test]
async fn a_broken_connection_is_an_unreachable_upstream() {
    let failure = failing(Canned::json(GOOD).fault(Fault::Reset)).await;
    assert_is(&failure, "upstream_unreachable", 502, None, true);
    let failure = failing(Canned::json(GOOD).fault(Fault::Truncate)).await;
    assert_is(&failure, "upstream_unreachable", 502, Some(200), true);
}

#[tokio::test]
async fn a_refused_connection_is_an_unreachable_upstream() {
    let (url, _kept) = refusing();
    let app = with_explorer(&url).await;
    let failure = fail(&app, ACCOUNT, about(VESTING)).await;
    assert_is(&failure, "upstream_unreachable", 502, None, true);
    let port = url.rsplit(':').next().unwrap();
    assert!(!failure.message.contains(port), "{}", failure.message);
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_an_unreachable_upstream() {
    let raw = Raw::saying("SSH-2.0-OpenSSH_9.9\r\n\r\n").await;
    let failure = fail(&raw.app().await, ACCOUNT, about(VESTING)).await;
    assert_is(&failure, "upstream_unreachable", 502, None, true);
}

#[tokio::test]
async fn a_redirect_to_another_host_is_refused_and_not_followed() {
    let other = Replay::start().await.unwrap();
    let elsewhere = other.url("explorer") + "/api/v2/accounts/" + VESTING;
    for status in [301, 302, 303, 307, 308] {
        let away = Canned::status(status, "", "").header("location", elsewhere.clone());
        let failure = failing(away).await;
        assert_is(&failure, "upstream_invalid_response", 502, None, false);
    }
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn a_redirect_to_the_same_host_is_followed() {
    for location in ["/explorer/moved", "../../../moved"] {
        let moved = Canned::status(302, "", "").header("location", location);
        let app = answering(&of_wallet("v2", VESTING, ""), moved).await;
        app.replay.answer("/explorer/moved", Canned::json(GOOD));
        let answer = ask(&app, ACCOUNT, about(VESTING)).await;
        assert_eq!(answer["account_type"], "Base Account");
        assert_eq!(app.replay.seen()[1], "/explorer/moved");
    }
}

#[tokio::test]
async fn a_redirect_loop_ends() {
    let round = Canned::status(302, "", "").header("location", "/explorer/round");
    let app = answering("/explorer/", round).await;
    let failure = fail(&app, ACCOUNT, about(VESTING)).await;
    assert_is(&failure, "upstream_invalid_response", 502, None, false);
    // On each of three protocols: the request itself and five redirects.
    assert_eq!(app.replay.seen().len(), 3 * 6);
}

#[tokio::test]
async fn a_request_to_an_upstream_has_a_user_agent_and_accepts_json() {
    let length = GOOD.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{GOOD}"
    );
    let raw = Raw::saying(answer).await;
    let own = concat!("bifold/", env!("CARGO_PKG_VERSION"));
    for agent in [own, "operator/7 (mailto:who@example.org)"] {
        let url = raw.url.clone();
        let app = TestApp::with(|config| {
            if agent != own {
                config.user_agent = agent.to_owned();
            }
            config.upstream_urls.insert("explorer".to_owned(), url);
        })
        .await;
        ask(&app, ACCOUNT, about(VESTING)).await;
        let head = raw.heads().pop().unwrap().to_lowercase();
        assert!(head.contains(&format!("user-agent: {agent}\r\n")), "{head}");
        assert!(head.contains("accept: application/json\r\n"), "{head}");
        let line = format!("get /api/v2/accounts/{VESTING} http/1.1\r\n");
        assert!(head.starts_with(&line), "{head}");
    }
}

#[tokio::test]
async fn the_source_of_an_error_contains_no_wallet_address() {
    let (refusing, _kept) = refusing();
    for canned in [
        Canned::json(GOOD).fault(Fault::Reset),
        Canned::json(GOOD).fault(Fault::Truncate),
        Canned::json("{"),
        Canned::status(302, "", "").header("location", format!("{refusing}/{VESTING}")),
        Canned::status(404, "", ""),
    ] {
        let app = answering("/explorer/", canned).await;
        let failed = app.app.invoke(ACCOUNT, &about(VESTING).to_string()).await;
        let error = failed.err().expect("the upstream fails");
        let mut told = format!("{error} {error:?}");
        let mut cause = std::error::Error::source(&error);
        while let Some(it) = cause {
            told += &format!(" {it} {it:?}");
            cause = it.source();
        }
        assert!(!told.contains(VESTING), "{told}");
    }
}

#[tokio::test]
async fn after_a_failure_the_next_call_succeeds() {
    let path = of_wallet("v2", VESTING, "");
    let app = answering(&path, Canned::json(GOOD).fault(Fault::Truncate)).await;
    fail(&app, ACCOUNT, about(VESTING)).await;
    app.replay.answer(&path, Canned::json(GOOD));
    ask(&app, ACCOUNT, about(VESTING)).await;
}
