//! Between functions and upstreams: shared requests, cached answers, limits and breakers.

mod cache;
mod channel;
mod credentials;
mod fair;
mod freshness;
mod instances;
mod once;
mod requests;
mod responses;
mod retries;
mod sharing;
mod single_flight;

use std::time::Duration;

use bifold::testing::{Canned, CannedUpstream, Fault, upstream};
use bifold::upstream::Upstream;
use bifold::{App, Config, Content, Context, JsonSchema, Result, Server, Tool};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, pass};

/// An upstream as a user declares it.
const API: Upstream = Upstream::new("api", "https://api.example.com/v1");

/// Asks the upstream.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Ask {}

/// An application that asks the canned upstream in place of the declared one.
fn app_of(api: &CannedUpstream, declared: Upstream, change: impl FnOnce(&mut Config)) -> App {
    app_at(&api.url("api"), declared, change)
}

fn app_at(url: &str, declared: Upstream, change: impl FnOnce(&mut Config)) -> App {
    let mut config = Config::default();
    config
        .upstream_urls
        .insert("api".to_owned(), url.to_owned());
    change(&mut config);
    App::new(config, Server::new("it", "1.0.0").upstreams(&[declared])).unwrap()
}

/// What an application with this upstream says at its start.
fn start_problem(declared: Upstream, change: impl FnOnce(&mut Config)) -> String {
    let mut config = Config::default();
    change(&mut config);
    let app = App::new(config, Server::new("it", "1.0.0").upstreams(&[declared]));
    app.err().map_or(String::new(), |it| it.to_string())
}

/// A server whose function `ask` asks the upstream.
fn server_asking<F>(
    declared: Upstream,
    ask: impl Fn(Context) -> F + Clone + Send + Sync + 'static,
) -> Server
where
    F: Future<Output = Result<Value>> + Send + 'static,
{
    let function = move |cx: Context, Ask {}: Ask| {
        let asked = ask(cx);
        async move { asked.await.map(|it| Content::text(it.to_string())) }
    };
    Server::new("it", "1.0.0")
        .upstreams(&[declared])
        .tools(vec![Tool::new("ask", function).get("/ask")])
}

/// An application with the function `ask`, and an upstream that refuses a payment.
async fn refused_values<F>(
    ask: impl Fn(Context) -> F + Clone + Send + Sync + 'static,
) -> (CannedUpstream, TestApp)
where
    F: Future<Output = Result<Value>> + Send + 'static,
{
    let api = upstream("api")
        .on_get("/x")
        .json(1)
        .on_post("/x")
        .json(2)
        .on_put("/x")
        .text("three")
        .on_post("/refused")
        .status(402)
        .json(json!({"balance": 3}))
        .start()
        .await
        .unwrap();
    let mut config = Config::default();
    api.configure(&mut config);
    let app = App::new(config, server_asking(API, ask)).unwrap();
    (api, TestApp::of(app).await)
}

const STATS: &str = "/api/current_hash_statistics";

const STATS_UPSTREAM: &str = "/explorer/api/v3/utility_token/stats";

/// The statistics are fresh for a minute, and usable as a stale answer for an hour more.
const FRESH: Duration = Duration::from_secs(60);

const STALE: Duration = Duration::from_secs(3_600);

fn failing() -> Canned {
    Canned::status(500, "text/plain", "down")
}

fn stats(max_supply: &str) -> Canned {
    let coin = |amount: &str| json!({ "amount": amount, "denom": "nhash" });
    let body = json!({
        "maxSupply": coin(max_supply), "currentSupply": coin("10"), "circulation": coin("1"),
        "communityPool": coin("1"), "bonded": coin("1"), "burned": coin("0"),
    });
    Canned::json(body.to_string())
}

fn max_supply(answer: &Answer) -> String {
    answer.json()["maxSupply"]["amount"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The number after `key` in a header; the duration of the test may reduce it by one second.
fn seconds(answer: &Answer, header: &str, key: &str) -> i64 {
    let text = answer.header(header);
    let number = text.split_once(key).map(|it| it.1);
    number
        .and_then(|it| it.parse().ok())
        .unwrap_or_else(|| panic!("`{header}: {text}` has no `{key}`"))
}

fn late_account(ms: u64) -> Canned {
    Canned::json(r#"{"accountType": "Base Account"}"#)
        .fault(Fault::Delay(Duration::from_millis(ms)))
}
