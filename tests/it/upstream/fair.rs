//! Who waits for an upstream's limit waits in fair order, and what does not exist upstream is asked for once.

use std::net::IpAddr;
use std::time::Duration;

use axum::body::Body;
use bech32::{Bech32, Hrp};
use bifold::RequestInfo;
use bifold::testing::{Canned, Fault};
use futures_util::future::join_all;
use http::{Request, StatusCode};
use serde_json::json;

use super::pass;
use crate::support::{Answer, TestApp, serve};

/// The requests that one holder has waiting.
const MANY: u32 = 400;
/// How many requests to the explorer run at the same time.
const SLOTS: usize = 4;

/// From where a request comes, or on whose behalf.
#[derive(Clone, Copy)]
enum From {
    Peer(&'static str),
    Principal(&'static str),
}

async fn limited() -> TestApp {
    TestApp::plane_with(|config| config.upstream_limits = true).await
}

fn wallet(number: u32) -> String {
    let mut bytes = [0; 20];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    bech32::encode::<Bech32>(Hrp::parse("pb").unwrap(), &bytes).unwrap()
}

/// Asks for the account of that wallet.
async fn ask(app: &TestApp, from: From, number: u32) -> Answer {
    let path = format!("/api/account_info/{}", wallet(number));
    let request = Request::get(path).body(Body::empty()).unwrap();
    let mut request_info = RequestInfo::default();
    // A proxy that both come through says nothing where principals are known.
    request_info.peer = Some(IpAddr::from([192, 0, 2, 1]));
    match from {
        From::Peer(peer) => request_info.peer = Some(peer.parse().unwrap()),
        From::Principal(name) => request_info.principal = Some(name.to_owned()),
    }
    Answer::read(serve(&app.app, request, request_info).await).await
}

/// As which one the explorer was asked for that wallet.
fn place(app: &TestApp, number: u32) -> usize {
    let (seen, wallet) = (app.replay.seen(), wallet(number));
    let mut targets = seen.iter().enumerate().filter(|it| it.1.contains(&wallet));
    let place = targets.next().expect("it was asked for").0;
    assert!(targets.next().is_none(), "it was asked for twice");
    place
}

#[tokio::test]
async fn one_request_is_not_kept_waiting_by_four_hundred_of_another_holder() {
    for (heavy, light) in [
        (From::Peer("192.0.2.7"), From::Peer("192.0.2.8")),
        (From::Peer("2001:db8::7"), From::Peer("2001:db8:0:1::7")),
        (From::Principal("a"), From::Principal("b")),
        (From::Principal("a"), From::Peer("192.0.2.1")),
    ] {
        let app = limited().await;
        let many = join_all((0..MANY).map(|number| ask(&app, heavy, number)));
        let (many, single) = tokio::join!(many, ask(&app, light, MANY));
        assert_eq!(single.status, StatusCode::OK);
        assert!(many.iter().all(|it| it.status == StatusCode::OK));
        let place = place(&app, MANY);
        assert!(place <= 2 * SLOTS, "{place}");
    }
}

#[tokio::test]
async fn requests_of_one_holder_keep_their_order() {
    for (first, second) in [
        (From::Peer("192.0.2.7"), From::Peer("192.0.2.7")),
        (From::Peer("192.0.2.7"), From::Peer("::ffff:192.0.2.7")),
        (From::Peer("2001:db8::7"), From::Peer("2001:db8::ffff:8")),
        (From::Principal("a"), From::Principal("a")),
    ] {
        let app = limited().await;
        let many = join_all((0..MANY).map(|number| ask(&app, first, number)));
        tokio::join!(many, ask(&app, second, MANY));
        assert!(place(&app, MANY) >= MANY as usize - SLOTS);
    }
}

#[tokio::test]
async fn who_shares_a_request_of_a_heavy_holder_does_not_wait_behind_its_others() {
    let app = limited().await;
    let (heavy, light) = (From::Peer("192.0.2.7"), From::Peer("192.0.2.8"));
    let many = join_all((0..MANY).map(|number| ask(&app, heavy, number)));
    // The last one of the heavy holder is what the other one asks for too.
    let (_, shared) = tokio::join!(many, ask(&app, light, MANY - 1));
    assert_eq!(shared.status, StatusCode::OK);
    let place = place(&app, MANY - 1);
    assert!(place <= 2 * SLOTS, "{place}");
}

#[tokio::test]
async fn who_has_too_many_waiting_is_refused_and_nobody_else() {
    let app = limited().await;
    let (heavy, light) = (From::Peer("192.0.2.7"), From::Peer("192.0.2.8"));
    let many = join_all((0..2 * MANY).map(|number| ask(&app, heavy, number)));
    let (many, single) = tokio::join!(many, ask(&app, light, 2 * MANY));
    assert_eq!(single.status, StatusCode::OK);
    let refused = many.iter().filter(|it| it.status != StatusCode::OK);
    let refused: Vec<_> = refused.collect();
    assert!((1..=MANY as usize).contains(&refused.len()));
    for answer in refused {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.json()["kind"], "rate_limited");
        assert_eq!(answer.header("retry-after"), "1");
    }
}

#[tokio::test]
async fn two_batches_of_invented_pairs_leave_another_client_its_turn() {
    let app = limited().await;
    let batch = |name: &str| {
        let pair = |number| json!({"token_pair": format!("{name}{number}-USD")});
        let calls = (0..200)
            .map(|it| json!({"name": "fetch_last_crypto_token_price", "arguments": pair(it)}));
        json!({"calls": calls.collect::<Vec<_>>()}).to_string()
    };
    let from = |peer: u8| {
        let mut info = RequestInfo::default();
        info.peer = Some(IpAddr::from([192, 0, 2, peer]));
        info
    };
    let post = |body: String| {
        let request = Request::post("/api/batch").header("content-type", "application/json");
        serve(&app.app, request.body(body.into()).unwrap(), from(7))
    };
    let other = async {
        while app.replay.seen().len() < 10 {
            tokio::task::yield_now().await;
        }
        let request = Request::get("/api/crypto_token_price").body(Body::empty());
        serve(&app.app, request.unwrap(), from(8)).await
    };
    tokio::select! {
        _ = async { tokio::join!(post(batch("X")), post(batch("Y"))) } => panic!("they end first"),
        answer = other => assert_eq!(answer.status(), StatusCode::OK),
    }
    // Ten at once, then one of theirs at the most, then the other client's.
    assert!(app.replay.seen().len() <= 12, "{:?}", app.replay.seen());
}

#[tokio::test]
async fn what_does_not_exist_upstream_is_asked_for_once_in_ten_seconds() {
    let app = TestApp::plane().await;
    let asked = || {
        let seen = app.replay.seen();
        seen.iter().filter(|it| it.contains("/trades/")).count()
    };
    let path = "/api/crypto_token_price/HASHH-USD";
    let first = app.get(path).await;
    assert_eq!(first.status, StatusCode::NOT_FOUND);
    for _ in 0..3 {
        let again = app.get(path).await;
        let same = |it: &Answer| {
            let mut json = it.json();
            json.as_object_mut().unwrap().remove("request_id");
            (it.status, json)
        };
        assert_eq!(same(&again), same(&first));
        let question = json!({"token_pair": "HASHH-USD"});
        let mcp = app.tool("fetch_last_crypto_token_price", question).await;
        assert_eq!(mcp["content"][0]["text"], first.json()["detail"]);
    }
    assert_eq!(asked(), 1);
    pass(Duration::from_secs(10)).await;
    app.get(path).await;
    assert_eq!(asked(), 2);
    // What is there by then is found.
    app.replay
        .answer("/exchange/trades", Canned::json(r#"{"matches": []}"#));
    pass(Duration::from_secs(10)).await;
    assert_eq!(app.get(path).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_does_not_exist_for_all_who_ask_at_once_is_asked_for_once() {
    let app = TestApp::plane().await;
    let missing = Canned::status(404, "", "").fault(Fault::Delay(Duration::from_millis(20)));
    app.replay.answer("/explorer/api/v2/accounts", missing);
    let answers = join_all((0..50).map(|_| ask(&app, From::Peer("192.0.2.7"), 1))).await;
    for answer in answers
        .iter()
        .chain([&ask(&app, From::Principal("a"), 1).await])
    {
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(
            answer.json()["detail"],
            "the explorer does not know this account"
        );
        assert_eq!(answer.json()["upstream"], answers[0].json()["upstream"]);
    }
    assert_eq!(app.replay.seen().len(), 1);
}
