//! Requests wait for an upstream's limit in fair order, and a 404 is remembered.

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
use crate::lambda::{answer, event};
use crate::support::{Answer, TestApp, serve};

/// The queued requests of one holder.
const MANY: u32 = 400;
/// The concurrent requests to the explorer.
const SLOTS: usize = 4;

/// Where a request comes from.
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

/// Requests the account of that wallet.
async fn ask(app: &TestApp, from: From, number: u32) -> Answer {
    let path = format!("/api/account_info/{}", wallet(number));
    let request = Request::get(path).body(Body::empty()).unwrap();
    let mut request_info = RequestInfo::default();
    // A proxy that both come through is not relevant if principals are known.
    request_info.peer = Some(IpAddr::from([192, 0, 2, 1]));
    match from {
        From::Peer(peer) => request_info.peer = Some(peer.parse().unwrap()),
        From::Principal(name) => request_info.principal = Some(bifold::Principal::new(name)),
    }
    Answer::read(serve(&app.app, request, request_info).await).await
}

/// The position of that wallet in the explorer's requests.
fn place(app: &TestApp, number: u32) -> usize {
    let (seen, wallet) = (app.replay.seen(), wallet(number));
    let mut targets = seen.iter().enumerate().filter(|it| it.1.contains(&wallet));
    let place = targets.next().expect("it was asked for").0;
    assert!(targets.next().is_none(), "it was asked for twice");
    place
}

#[tokio::test]
async fn one_request_does_not_wait_for_four_hundred_of_another_holder() {
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
async fn a_call_that_joins_a_request_of_a_heavy_holder_does_not_wait_for_its_others() {
    let app = limited().await;
    let (heavy, light) = (From::Peer("192.0.2.7"), From::Peer("192.0.2.8"));
    let many = join_all((0..MANY).map(|number| ask(&app, heavy, number)));
    // The other holder requests the same as the heavy holder's last request.
    let (_, shared) = tokio::join!(many, ask(&app, light, MANY - 1));
    assert_eq!(shared.status, StatusCode::OK);
    let place = place(&app, MANY - 1);
    assert!(place <= 2 * SLOTS, "{place}");
}

/// Asks for the account of that wallet by an event of that integration, whose client has that address.
async fn ask_by_event(app: &TestApp, integration: &str, client: &str, number: u32) -> u64 {
    let mut event = event(integration);
    let path = format!("/api/account_info/{}", wallet(number));
    for name in ["path", "rawPath"] {
        if let Some(field) = event.get_mut(name) {
            *field = json!(path);
        }
    }
    for name in [
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "rawQueryString",
    ] {
        event.as_object_mut().unwrap().remove(name);
    }
    if let Some(method) = event.get_mut("httpMethod") {
        *method = json!("GET");
    }
    // A principal would take precedence over the address.
    let context = event["requestContext"].as_object_mut().unwrap();
    context.remove("authorizer");
    if let Some(identity) = context.get_mut("identity") {
        *identity = json!({"sourceIp": client});
    }
    // What stands before the load balancer's own entry is what the client claims.
    let forwarded = format!("192.0.2.{}, {client}", number % 250);
    for (parent, field, value) in [
        ("/requestContext/http", "sourceIp", json!(client)),
        ("/headers", "x-forwarded-for", json!(forwarded)),
        ("/multiValueHeaders", "x-forwarded-for", json!([forwarded])),
    ] {
        if let Some(parent) = event.pointer_mut(parent) {
            parent[field] = value;
        }
    }
    answer(app, &event).await.status()
}

#[tokio::test]
async fn clients_of_every_integration_are_told_apart_by_the_address_in_its_event() {
    for integration in [
        "function_url_rest",
        "http_api_v1",
        "http_api_v2",
        "rest_api_rest",
        "load_balancer",
        "load_balancer_lists",
    ] {
        let app = limited().await;
        let many = (0..MANY).map(|it| ask_by_event(&app, integration, "203.0.113.7", it));
        let single = ask_by_event(&app, integration, "203.0.113.8", MANY);
        let (many, single) = tokio::join!(join_all(many), single);
        assert_eq!(single, 200, "{integration}");
        assert!(many.iter().all(|it| *it == 200), "{integration}");
        let place = place(&app, MANY);
        assert!(place <= 2 * SLOTS, "{integration}: {place}");
    }
}

#[tokio::test]
async fn only_a_holder_with_too_many_queued_requests_is_refused() {
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
async fn two_batches_of_invented_pairs_do_not_block_another_client() {
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
    // Ten at once, then at most one of theirs, then the other client's.
    assert!(app.replay.seen().len() <= 12, "{:?}", app.replay.seen());
}

#[tokio::test]
async fn a_404_is_requested_once_in_ten_seconds() {
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
    // After that time an existing account is found.
    app.replay
        .answer("/exchange/trades", Canned::json(r#"{"matches": []}"#));
    pass(Duration::from_secs(10)).await;
    assert_eq!(app.get(path).await.status, StatusCode::OK);
}

#[tokio::test]
async fn concurrent_calls_share_a_404() {
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
            "the explorer does not have this account"
        );
        assert_eq!(answer.json()["upstream"], answers[0].json()["upstream"]);
    }
    assert_eq!(app.replay.seen().len(), 1);
}
