//! The two functions that the performance lab measures on every stack: one that answers at once, and one that asks an
//! upstream. `LAB_UPSTREAM` is the address of the upstream; with `LAB_LISTEN` it listens there, and elsewhere it is a
//! Lambda function.

use bifold::prelude::*;
use bifold::telemetry::{self, Format};
use bifold::upstream::Upstream;
use bifold::{App, Config, lambda, local};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The allocator of musl, with which the deployed binary is built, is slow.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const LAB: Upstream = Upstream::new("lab", "http://127.0.0.1:9900");

/// Sends the text back.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Echo {
    /// The text to send back.
    text: String,
}

#[derive(Serialize, JsonSchema)]
struct Echoed {
    text: String,
}

/// Fetches statistics from the upstream API.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FetchStats {}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Stats {
    source: String,
    count: u64,
    items: Vec<Item>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Item {
    id: u64,
    name: String,
    value: f64,
    unit: String,
    valid: bool,
}

async fn echo(_: Context, Echo { text }: Echo) -> Result<Echoed> {
    Ok(Echoed { text })
}

async fn fetch_stats(cx: Context, FetchStats {}: FetchStats) -> Result<Stats> {
    cx.get_json(&LAB, "/stats").await
}

fn server() -> Server {
    Server::new("lab", "1.0.0").upstreams(&[LAB]).tools(vec![
        Tool::new("echo", echo).get("/echo"),
        Tool::new("fetch_stats", fetch_stats).get("/fetch_stats"),
    ])
}

/// Starts what `bifold::main` would, except that the lab's own variables say where the upstream is.
fn app(format: Format) -> Result<App, Failure> {
    let server = server();
    let mut config = Config::from_env()?;
    if let Ok(url) = std::env::var("LAB_UPSTREAM") {
        config.upstream_urls.insert("lab".to_owned(), url);
    }
    telemetry::start(format, &config.log)?;
    Ok(App::new(config, server)?)
}

fn main() -> Result<(), Failure> {
    let Ok(address) = std::env::var("LAB_LISTEN") else {
        return lambda::run(async || app(Format::Json));
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await?;
        Ok(local::serve(app(Format::Text)?, listener, local::signal()).await?)
    })
}
