//! Limits and formats of arguments: the invalid field is named, and no upstream request is sent.

use axum::body::Body;
use bech32::primitives::iter::{ByteIterExt, Fe32IterExt};
use bech32::{Bech32, Bech32m, Fe32, Hrp};
use bifold::provenance::replay::{PLAIN, VESTING};
use http::{Request, StatusCode};
use serde_json::{Value, json};

use super::ask::{CallForm, ask, call, fail_each, nhash, said, samples};
use crate::support::TestApp;

const PRICE: &str = "fetch_last_crypto_token_price";
const VESTED: &str = "fetch_vesting_total_unvested_amount";
const ACCOUNT: &str = "fetch_account_info";

/// An address of `length` bytes.
fn address(prefix: &str, length: usize) -> String {
    bech32::encode::<Bech32>(Hrp::parse(prefix).unwrap(), &vec![7; length]).unwrap()
}

/// An address of 32 bytes whose last character has a padding bit that is not zero.
fn padded() -> String {
    let mut groups: Vec<Fe32> = [7u8; 32].into_iter().bytes_to_fes().collect();
    let last = groups.pop().unwrap();
    groups.push(Fe32::try_from(last.to_u8() | 1).unwrap());
    let prefix = Hrp::parse("pb").unwrap();
    let checked = groups.into_iter().with_checksum::<Bech32>(&prefix);
    checked.chars().collect()
}

/// The functions with the address of a wallet.
fn of_wallets(app: &TestApp) -> Vec<String> {
    let registry = app.app.registry();
    let tools = registry.tools().iter();
    let names: Vec<_> = tools
        .filter(|tool| tool.is_required("wallet_address"))
        .map(|tool| tool.name().to_owned())
        .collect();
    assert!(names.len() >= 16);
    names
}

/// Checks that every protocol refuses these arguments because of this field, without an upstream request.
pub async fn assert_refused(app: &TestApp, function: &str, arguments: &Value, field: &str) {
    for (protocol, failure) in fail_each(app, function, arguments).await {
        let expected = json!({"kind": "invalid_argument", "field": field, "retryable": false});
        assert_eq!(failure.detail, expected, "{arguments} by {protocol:?}");
        let is_rest = protocol != CallForm::Mcp;
        assert_eq!(failure.status, is_rest.then_some(StatusCode::BAD_REQUEST));
        assert!(failure.message.contains(field), "{}", failure.message);
    }
    assert!(app.replay.seen().is_empty(), "{function} {arguments}");
}

/// The same check for a request that only text can express.
async fn assert_request_refused(
    app: &TestApp,
    protocol: CallForm,
    request: Request<Body>,
    field: &str,
) {
    let uri = request.uri().to_string();
    let failure = said(protocol, &app.send(request).await).unwrap_err();
    let expected = json!({"kind": "invalid_argument", "field": field, "retryable": false});
    assert_eq!(failure.detail, expected, "{uri}");
    assert!(app.replay.seen().is_empty(), "{uri}");
}

#[tokio::test]
async fn an_address_of_either_length_is_accepted() {
    let app = TestApp::start().await;
    for (wallet, length) in [(VESTING, 41), (PLAIN, 61)] {
        assert_eq!(wallet.len(), length);
        let answer = ask(&app, ACCOUNT, json!({"wallet_address": wallet})).await;
        assert_eq!(answer["wallet_address"], wallet);
    }
}

#[tokio::test]
async fn every_function_refuses_an_invalid_address_before_any_upstream_request() {
    let app = TestApp::start().await;
    let checksum = VESTING.replace("qvmk8", "qvmk9");
    let swapped = VESTING.replace("c9rq", "9crq");
    let other_checksum = bech32::encode::<Bech32m>(Hrp::parse("pb").unwrap(), &[7; 20]).unwrap();
    let bad = [
        checksum,
        swapped,
        other_checksum,
        padded(),
        VESTING[..40].to_owned(),
        format!("{VESTING}q"),
        VESTING.to_uppercase(),
        VESTING.replace("pb1", "PB1"),
        VESTING.replace("mk8", "mK8"),
        format!(" {VESTING}"),
        format!("{VESTING} "),
        format!("{VESTING}\n"),
        address("cosmos", 20),
        address("pbvaloper", 20),
        address("tp", 20),
        address("tp", 32),
        address("pb", 19),
        address("pb", 21),
        address("pb", 31),
        address("pb", 33),
        address("pb", 0),
        "pb1".to_owned(),
        "0x52908400098527886E0F7030069857D2E4169EE7".to_owned(),
        "../../v3/utility_token/stats".to_owned(),
        "pb1é".to_owned(),
    ];
    for function in of_wallets(&app) {
        for wallet in &bad {
            let arguments = json!({"wallet_address": wallet});
            assert_refused(&app, &function, &arguments, "wallet_address").await;
        }
    }
}

#[tokio::test]
async fn an_address_is_required_and_a_string_in_every_body() {
    let app = TestApp::start().await;
    for function in of_wallets(&app) {
        let post = format!("/api/{function}");
        let is_on_mcp = app.app.registry().get(&function).unwrap().on_mcp();
        for body in [
            "{}",
            r#"{"wallet_address": ""}"#,
            r#"{"wallet_address": null}"#,
            r#"{"wallet_address": 41}"#,
            r#"{"wallet_address": ["pb1"]}"#,
        ] {
            let request = Request::post(&post).header("content-type", "application/json");
            let request = request.body(body.into()).unwrap();
            assert_request_refused(&app, CallForm::Post, request, "wallet_address").await;
            if is_on_mcp {
                let request = call(&function, body);
                assert_request_refused(&app, CallForm::Mcp, request, "wallet_address").await;
            }
        }
    }
}

#[tokio::test]
async fn a_server_of_the_test_network_accepts_only_its_addresses() {
    let app = TestApp::with(|config| {
        let network = ("BIFOLD_ADDRESS_PREFIX".to_owned(), "tp".to_owned());
        config.application.extend([network]);
    })
    .await;
    for length in [20, 32] {
        let wallet = address("tp", length);
        let arguments = json!({"wallet_address": wallet});
        let answer = ask(&app, ACCOUNT, arguments.clone()).await;
        assert_eq!(answer["wallet_address"], wallet);
        let answer = ask(&app, "fetch_wallet_liquid_balance", arguments).await;
        assert_eq!(answer["wallet_liquid_balance"], nhash("0"));
        app.replay.forget();
        let foreign = json!({"wallet_address": address("pb", length)});
        assert_refused(&app, ACCOUNT, &foreign, "wallet_address").await;
    }
}

#[tokio::test]
async fn the_number_of_trades_is_a_whole_number_from_1_to_200() {
    let app = TestApp::start().await;
    for bad in [
        json!(0),
        json!(201),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(18446744073709551615u64),
        json!("abc"),
        json!(""),
        json!(" 1"),
        json!(true),
    ] {
        let arguments = json!({"token_pair": "HASH-USD", "last_number_of_trades": bad});
        assert_refused(&app, PRICE, &arguments, "last_number_of_trades").await;
    }
    for good in [json!(1), json!(200), json!(2.0)] {
        ask(&app, PRICE, json!({"last_number_of_trades": good})).await;
    }
}

#[tokio::test]
async fn a_pair_is_the_symbol_of_a_market_and_cannot_lead_to_another_path() {
    let app = TestApp::start().await;
    for bad in [
        "HASH",
        "-",
        "HASH-",
        "-USD",
        "HASH USD",
        "HASH-USD ",
        "HASH-USD?size=9",
        "HASH-USD#",
        "../assets",
        "HASH-USD/../../assets",
        "HASH-USD%2F..",
        "HÄSH-USD",
        &"X-".repeat(33),
    ] {
        let arguments = json!({"token_pair": bad});
        assert_refused(&app, PRICE, &arguments, "token_pair").await;
    }
}

#[tokio::test]
async fn a_time_is_a_complete_rfc_3339_date_and_time() {
    let app = TestApp::start().await;
    for bad in [
        json!(""),
        json!(" "),
        json!("now"),
        json!("2025-11-18"),
        json!("2025-11-18T12"),
        json!("2025-11-18T"),
        json!("2025-11-18T24:00:01Z"),
        json!("2025-02-29T00:00:00Z"),
        json!("2025-13-01T00:00:00Z"),
        json!("20251118T120000Z"),
        json!("2025-11-18T12:00:00Z "),
        json!("2025-11-18T12:00:00 01:00"),
        json!("12025-11-18T12:00:00Z"),
        json!(1763467200),
        json!("1763467200"),
    ] {
        let arguments = json!({"wallet_address": VESTING, "date_time": bad});
        assert_refused(&app, VESTED, &arguments, "date_time").await;
    }
}

#[tokio::test]
async fn a_time_may_have_a_common_variant_of_rfc_3339() {
    let app = TestApp::start().await;
    for good in [
        "2025-11-18T12:00:00Z",
        "2025-11-18T12:00:00+0000",
        "2025-11-18T12:00:00+00",
        "2025-11-18T08:30:00-0330",
        "2025-11-18T12:00Z",
        "2025-11-18T12:00",
        "2025-11-18 12:00:00",
        "2025-11-18 12:00",
        "2025-11-18 13:00+01",
    ] {
        let arguments = json!({"wallet_address": VESTING, "date_time": good});
        let answer = ask(&app, VESTED, arguments).await;
        assert_eq!(answer["date_time"], "2025-11-18T12:00:00Z", "{good}");
    }
}

#[tokio::test]
async fn an_unencoded_plus_in_a_query_is_explained() {
    let app = TestApp::start().await;
    let path = format!("/api/vesting_total_unvested_amount/{VESTING}?date_time=2025-11-18T12:00");
    for lost in ["+01:00", ":00+01:00", ":00+0100", ":00+01", ":00%2001:00"] {
        let request = Request::get(format!("{path}{lost}"));
        let answer = app.send(request.body(Body::empty()).unwrap()).await;
        let failure = said(CallForm::Get, &answer).unwrap_err();
        assert_eq!(failure.detail["field"], "date_time", "{lost}");
        assert!(failure.message.contains("`%2B`"), "{}", failure.message);
    }
    let request = Request::get(format!("{path}:00%2B0100"));
    let answer = app.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.json()["date_time"], "2025-11-18T11:00:00Z");
    let request = Request::get(path.replace("T12", "+12"));
    let answer = app.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.json()["date_time"], "2025-11-18T12:00:00Z");
}

#[tokio::test]
async fn a_time_of_null_means_now() {
    let app = TestApp::start().await;
    let now = ask(&app, VESTED, json!({"wallet_address": VESTING})).await;
    let arguments = json!({"wallet_address": VESTING, "date_time": null});
    let body = arguments.to_string();
    assert_eq!(
        app.send(call(VESTED, &body)).await.json()["result"]["structuredContent"],
        now
    );
    assert_eq!(app.post(&format!("/api/{VESTED}"), body).await.json(), now);
}

#[tokio::test]
async fn every_function_names_an_unknown_field() {
    let app = TestApp::core().await;
    let functions = app.app.registry().tools().to_vec();
    for function in functions {
        let mut arguments = samples(&app, function.name());
        arguments["walet"] = json!("x");
        assert_refused(&app, function.name(), &arguments, "walet").await;
    }
}

#[tokio::test]
async fn a_repeated_field_is_named() {
    let app = TestApp::start().await;
    let (price, vested) = (
        "/api/crypto_token_price",
        "/api/vesting_total_unvested_amount",
    );
    for (target, field) in [
        (
            format!("{price}?token_pair=HASH-USD&token_pair=HASH-USD"),
            "token_pair",
        ),
        (
            format!("{price}/HASH-USD?token_pair=HASH-USD"),
            "token_pair",
        ),
        (
            format!("{price}?last_number_of_trades=1&last_number_of_trades=2"),
            "last_number_of_trades",
        ),
        (
            format!("{vested}/{VESTING}?wallet_address={VESTING}"),
            "wallet_address",
        ),
        (
            format!("{vested}/{VESTING}?date_time=2025-11-18T12:00:00Z&date_tim%65=x"),
            "date_time",
        ),
    ] {
        let request = Request::get(target).body(Body::empty()).unwrap();
        assert_request_refused(&app, CallForm::Get, request, field).await;
    }
    for (function, body, field) in [
        (
            PRICE,
            r#"{"token_pair": "HASH-USD", "token_pair": "HASH-USD"}"#.to_owned(),
            "token_pair",
        ),
        (
            ACCOUNT,
            format!(r#"{{"wallet_address": "{VESTING}", "wallet_\u0061ddress": "{VESTING}"}}"#),
            "wallet_address",
        ),
    ] {
        let request = Request::post(format!("/api/{function}"));
        let request = request.header("content-type", "application/json");
        let request = request.body(body.clone().into()).unwrap();
        assert_request_refused(&app, CallForm::Post, request, field).await;
        assert_request_refused(&app, CallForm::Mcp, call(function, &body), field).await;
    }
}

#[tokio::test]
async fn a_query_beside_a_body_is_refused_and_only_its_key_is_quoted() {
    let app = TestApp::start().await;
    let target = format!("/api/{ACCOUNT}?wallet_address={VESTING}");
    let request = Request::post(target).header("content-type", "application/json");
    let request = request.body("{}".into()).unwrap();
    let failure = said(CallForm::Post, &app.send(request).await).unwrap_err();
    assert_eq!(failure.detail["field"], "wallet_address");
    assert!(!failure.message.contains(VESTING), "{}", failure.message);
}
