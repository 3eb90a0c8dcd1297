//! Calls with an idempotency key: however often they are repeated, they have their effect once.

mod answers;
mod cut;
mod keys;
mod lost;
mod shared;
mod waits;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use bifold::{
    App, Bytes, Config, Content, Context, Created, Elicited, Error, JsonSchema, NoContent, Result,
    Server, Tool,
};
use http::Request;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::yield_now;

use crate::support::{Answer, TestApp, modern};

/// Pays an amount.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Pay {
    /// Which payment.
    id: u32,
    /// How long it takes.
    #[serde(default)]
    seconds: u64,
    /// How often it gives way to others before the effect and behind it.
    #[serde(default)]
    turns: u32,
    /// How many bytes the receipt has.
    #[serde(default)]
    bytes: usize,
    /// How often it fails before it succeeds.
    #[serde(default)]
    failures: u32,
}

#[derive(Serialize, JsonSchema)]
struct Receipt {
    id: u32,
    /// The number of this receipt.
    number: u32,
    text: String,
}

/// What the functions have done.
#[derive(Clone, Default)]
struct Effects(Arc<Mutex<Done>>);

#[derive(Default)]
struct Done {
    paid: BTreeMap<u32, u32>,
    receipts: u32,
    tries: u32,
}

impl Effects {
    /// How often each payment was made.
    fn paid(&self) -> BTreeMap<u32, u32> {
        self.0.lock().unwrap().paid.clone()
    }

    fn tries(&self) -> u32 {
        self.0.lock().unwrap().tries
    }

    fn pay(&self, id: u32) -> u32 {
        let mut done = self.0.lock().unwrap();
        *done.paid.entry(id).or_default() += 1;
        done.receipts += 1;
        done.receipts
    }
}

async fn pay(cx: Context, pay: Pay) -> Result<Receipt> {
    let effects: &Effects = cx.state()?;
    let tries = {
        let mut done = effects.0.lock().unwrap();
        done.tries += 1;
        done.tries
    };
    if tries <= pay.failures {
        return Err(Error::failed("the bank is closed"));
    }
    for _ in 0..pay.turns {
        yield_now().await;
    }
    let number = effects.pay(pay.id);
    for _ in 0..pay.turns {
        yield_now().await;
    }
    tokio::time::sleep(Duration::from_secs(pay.seconds)).await;
    let text = "x".repeat(pay.bytes);
    Ok(Receipt {
        id: pay.id,
        number,
        text,
    })
}

#[derive(Deserialize, JsonSchema)]
struct Consent {
    yes: bool,
}

async fn confirmed(cx: Context) -> Result<Content> {
    match cx.elicit::<Consent>("consent", "Really?").await? {
        Elicited::Accepted(Consent { yes: true }) => {
            let number = cx.state::<Effects>()?.pay(0);
            Ok(Content::text(format!("receipt {number}")))
        }
        _ => Err(Error::failed("the user does not want it")),
    }
}

/// A result of each kind, with a number that no other call has.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

fn number(cx: &Context) -> Result<u32> {
    Ok(cx.state::<Effects>()?.pay(1))
}

fn server(effects: &Effects) -> Server {
    let counted = |cx: Context, Nothing {}| -> Result<u32> { number(&cx) };
    let text = |cx: Context, Nothing {}| -> Result<String> { Ok(format!("\"{}\"", number(&cx)?)) };
    let file = |cx: Context, Nothing {}| -> Result<Bytes> {
        let content = number(&cx)?.to_be_bytes().to_vec();
        Ok(Bytes::new(content, "image/png").filename("it.png"))
    };
    let blocks = |cx: Context, Nothing {}| -> Result<Content> {
        Ok(Content::text(format!("{}", number(&cx)?)).and_text("two"))
    };
    let created = |cx: Context, Nothing {}| -> Result<Created<u32>> {
        let number = number(&cx)?;
        Ok(Created(number, format!("/api/things/{number}")))
    };
    let nothing = |cx: Context, Nothing {}| -> Result<NoContent> {
        number(&cx)?;
        Ok(NoContent)
    };
    Server::new("bank", "1.0.0").state(effects.clone()).tools([
        Tool::new("pay", pay).post("/payments/{id}"),
        Tool::new("refund", pay).delete("/payments/{id}"),
        Tool::new("look", pay).get("/payments/{id}").read_only(),
        Tool::new("confirmed", confirmed).describe("Pays if the user agrees."),
        Tool::sync("counted", counted).post("/counted"),
        Tool::sync("text", text).post("/text"),
        Tool::sync("file", file).post("/file"),
        Tool::sync("blocks", blocks).post("/blocks"),
        Tool::sync("created", created).post("/created"),
        Tool::sync("nothing", nothing).post("/nothing"),
    ])
}

async fn serving() -> (TestApp, Effects) {
    let effects = Effects::default();
    let app = App::new(Config::default(), server(&effects)).unwrap();
    (TestApp::of(app).await, effects)
}

/// A call on REST with all arguments in the body.
fn rest(name: &str, key: &str, arguments: &Value) -> Request<Body> {
    let request = Request::post(format!("/api/{name}"))
        .header("content-type", "application/json")
        .header("idempotency-key", key);
    request.body(arguments.to_string().into()).unwrap()
}

/// The same call on MCP.
fn mcp(name: &str, key: &str, arguments: &Value) -> Request<Body> {
    let meta = json!({"bifold/idempotencyKey": key});
    modern(
        "tools/call",
        json!({"name": name, "arguments": arguments, "_meta": meta}),
    )
}

/// The result of a call on MCP.
fn result(answer: &Answer) -> Value {
    answer.json()["result"].take()
}
