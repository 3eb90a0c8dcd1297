//! Sends one question to every protocol of a function; the answers must be equal byte for byte.

use std::future::Future;
use std::time::{Duration, Instant};

use axum::body::Body;
use bifold::provenance::replay::{OPERATOR, TRANSACTION, VESTING};
use bifold::testing::Canned;
use http::{Request, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::support::{Answer, MODERN, TestApp, meta, modern};

/// A form of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallForm {
    /// REST, the arguments in the path and the query.
    Get,
    /// REST, the arguments in the body.
    Post,
    /// `tools/call`.
    Mcp,
}

/// A failed call as its caller sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The message.
    pub message: String,
    /// The machine-readable detail.
    pub detail: Value,
    /// The status on REST; `None` on MCP, where every failure of a function is a 200.
    pub status: Option<StatusCode>,
    /// `Retry-After` on REST; empty if there is none.
    pub retry_after: String,
}

#[derive(Deserialize)]
struct Rpc<'a> {
    #[serde(borrow)]
    result: CallResult<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CallResult<'a> {
    content: [TextBlock; 1],
    #[serde(borrow)]
    structured_content: Option<&'a RawValue>,
    is_error: bool,
    #[serde(rename = "_meta")]
    meta: Value,
}

#[derive(Deserialize)]
struct TextBlock {
    text: String,
}

/// An amount of nhash.
pub fn nhash(amount: &str) -> Value {
    json!({"amount": amount, "denom": "nhash"})
}

/// The arguments of a function that needs only a wallet.
pub fn about(wallet: &str) -> Value {
    json!({"wallet_address": wallet})
}

/// A valid value of a parameter, for those that are required or change the result.
pub fn sample(parameter: &str) -> Option<Value> {
    Some(match parameter {
        "wallet_address" => json!(VESTING),
        "token_pair" => json!("HASH-USD"),
        "last_number_of_trades" => json!(2),
        "date_time" => json!("2026-11-21T00:00:00Z"),
        "operator_address" => json!(OPERATOR),
        "proposal_id" => json!(99),
        "quote_size" => json!("100000"),
        "height" => json!("latest"),
        "tx_hash" => json!(TRANSACTION),
        "amount" => json!("1.5"),
        "function_name" => json!("get_registry_summary"),
        _ => return None,
    })
}

/// Valid arguments of a function: those that it requires, and those of them that say more.
pub fn samples(app: &TestApp, name: &str) -> Value {
    let registry = app.app.registry();
    let tool = registry.get(name).unwrap();
    let names = tool.parameters().into_iter().flat_map(|it| it.keys());
    let mut arguments: Map<String, Value> = names
        .filter_map(|name| Some((name.clone(), sample(name)?)))
        .collect();
    if name == "convert_amount" {
        arguments.insert("from".to_owned(), json!("hash"));
        arguments.insert("to".to_owned(), json!("nhash"));
    }
    arguments.into()
}

/// The explorer's target for a wallet, e.g. `/explorer/api/v2/accounts/<wallet>/rewards`.
pub fn of_wallet(version: &str, wallet: &str, rest: &str) -> String {
    format!("/explorer/api/{version}/accounts/{wallet}{rest}")
}

/// An application whose upstream gives `canned` to the targets that begin with `prefix`.
pub async fn answering(prefix: &str, canned: Canned) -> TestApp {
    let app = TestApp::start().await;
    app.replay.answer(prefix, canned);
    app
}

/// The forms of call that a function supports.
pub fn forms_of(app: &TestApp, name: &str) -> Vec<CallForm> {
    let registry = app.app.registry();
    let tool = registry.get(name);
    let tool = tool.unwrap_or_else(|| panic!("there is no function `{name}`"));
    let rest = [CallForm::Get, CallForm::Post]
        .into_iter()
        .filter(|_| tool.on_rest());
    rest.chain(tool.on_mcp().then_some(CallForm::Mcp)).collect()
}

/// The function's answer on all its protocols, as the text that they share.
pub async fn ask_raw(app: &TestApp, name: &str, arguments: &Value) -> String {
    let mut shared: Option<String> = None;
    for protocol in forms_of(app, name) {
        let json = answer(app, protocol, name, arguments).await;
        let first = shared.get_or_insert_with(|| json.clone());
        assert_eq!(*first, json, "{name} by {protocol:?}");
    }
    shared.expect("every function is on a protocol")
}

/// The function's answer, which all its protocols share.
pub async fn ask(app: &TestApp, name: &str, arguments: Value) -> Value {
    serde_json::from_str(&ask_raw(app, name, &arguments).await).unwrap()
}

/// The good answer of one protocol.
pub async fn answer(app: &TestApp, protocol: CallForm, name: &str, arguments: &Value) -> String {
    said(protocol, &put(app, protocol, name, arguments).await)
        .unwrap_or_else(|failure| panic!("{name} by {protocol:?}: {failure:?}"))
}

/// The function's failure, which all its protocols share; with a REST status if the function is on REST.
pub async fn fail(app: &TestApp, name: &str, arguments: Value) -> Failure {
    let mut failures = fail_each(app, name, &arguments).await.into_iter();
    let (_, first) = failures.next().expect("every function is on a protocol");
    for (protocol, failure) in failures {
        let same_words = (&failure.message, &failure.detail) == (&first.message, &first.detail);
        let same_status = protocol == CallForm::Mcp || failure == first;
        assert!(same_words && same_status, "{failure:?} is not {first:?}");
    }
    first
}

/// The failure on each protocol. This also checks for all tests that no failure contains a wallet address.
pub async fn fail_each(app: &TestApp, name: &str, arguments: &Value) -> Vec<(CallForm, Failure)> {
    let mut failures = Vec::new();
    for protocol in forms_of(app, name) {
        let answer = put(app, protocol, name, arguments).await;
        if let Some(wallet) = arguments["wallet_address"]
            .as_str()
            .filter(|it| it.len() > 8)
        {
            assert!(!answer.text().contains(wallet), "{}", answer.text());
        }
        match said(protocol, &answer) {
            Ok(json) => panic!("{name} {arguments} by {protocol:?} answers {json}"),
            Err(failure) => failures.push((protocol, failure)),
        }
    }
    failures
}

/// Sends one call.
pub async fn put(app: &TestApp, protocol: CallForm, name: &str, arguments: &Value) -> Answer {
    match protocol {
        CallForm::Get => app.get(&target(app, name, arguments)).await,
        CallForm::Post => {
            app.post(&format!("/api/{name}"), arguments.to_string())
                .await
        }
        CallForm::Mcp => app.send(call(name, &arguments.to_string())).await,
    }
}

/// A `tools/call` with any text as arguments, including text that no JSON value can represent.
pub fn call(name: &str, arguments: &str) -> Request<Body> {
    let (parts, _) = modern("tools/call", json!({"name": name})).into_parts();
    let meta = meta(MODERN);
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{name}","arguments":{arguments},"_meta":{meta}}}}}"#
    );
    Request::from_parts(parts, body.into())
}

/// The target of a GET: path parameters in the path, other arguments in the query.
fn target(app: &TestApp, name: &str, arguments: &Value) -> String {
    let mut left = arguments.as_object().unwrap().clone();
    let registry = app.app.registry();
    let tool = registry.get(name).unwrap();
    let given = |part: &str| match part.strip_prefix('{') {
        Some(parameter) => left.contains_key(parameter.trim_end_matches('}')),
        None => true,
    };
    let path = tool.paths().find(|path| path.split('/').all(given));
    let path = path.unwrap_or_else(|| panic!("{name} has no path for {arguments}"));
    let parts: Vec<String> = path
        .split('/')
        .map(|part| match part.strip_prefix('{') {
            Some(parameter) => encoded(&left.remove(parameter.trim_end_matches('}')).unwrap()),
            None => part.to_owned(),
        })
        .collect();
    let query: Vec<String> = left
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    format!("/api{}?{}", parts.join("/"), query.join("&"))
}

fn encoded(value: &Value) -> String {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string()
}

/// The content of an answer, after a check of its form.
pub fn said(protocol: CallForm, answer: &Answer) -> Result<String, Failure> {
    match protocol {
        CallForm::Get | CallForm::Post => said_by_rest(answer),
        CallForm::Mcp => said_by_mcp(answer),
    }
}

fn said_by_rest(answer: &Answer) -> Result<String, Failure> {
    if answer.status == StatusCode::OK {
        assert_eq!(answer.header("content-type"), "application/json");
        return Ok(answer.text());
    }
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let mut detail = answer.json();
    let fields = detail.as_object_mut().unwrap();
    let mut take = |name: &str| fields.remove(name).unwrap();
    assert_eq!(take("status"), answer.status.as_u16());
    assert_eq!(take("request_id"), answer.header("x-request-id"));
    assert!(take("title").is_string());
    let (kind, message) = (take("type"), take("detail"));
    let named = detail["kind"].as_str().unwrap();
    assert_eq!(kind, format!("urn:bifold:problem:{named}"));
    Err(Failure {
        message: message.as_str().unwrap().to_owned(),
        detail,
        status: Some(answer.status),
        retry_after: answer.header("retry-after").to_owned(),
    })
}

fn said_by_mcp(answer: &Answer) -> Result<String, Failure> {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let text = answer.text();
    let Rpc { result } = serde_json::from_str(&text).unwrap_or_else(|it| panic!("{it}: {text}"));
    let [TextBlock { text: block }] = result.content;
    if result.is_error {
        assert!(result.structured_content.is_none(), "{text}");
        return Err(Failure {
            message: block,
            detail: result.meta["bifold/error"].clone(),
            status: None,
            retry_after: String::new(),
        });
    }
    let json = result.structured_content.expect("a result is structured");
    assert_eq!(
        block,
        json.get(),
        "the text block is the JSON of the result"
    );
    Ok(block)
}

/// Lets other tasks run until `holds`. The runtime is never idle meanwhile, so paused time does not advance.
pub async fn until(holds: impl Fn() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < Duration::from_secs(10), "it never holds");
        tokio::task::yield_now().await;
    }
}

/// Runs `call` only until `holds`, and drops it then.
pub async fn interrupted(call: impl Future, holds: impl Fn() -> bool) {
    tokio::select! {
        _ = call => panic!("the call ended first"),
        () = until(holds) => {}
    }
}
