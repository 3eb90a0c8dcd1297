//! A Lambda function on this library with functions that misbehave.
//!
//! `cargo build --example unruly`; `.ci/lambda.py` runs it on the platform's emulators.

use std::future::pending;
use std::thread;
use std::time::Duration;

use bifold::telemetry::{self, Format};
use bifold::{App, Config, Content, Context, JsonSchema, Result, Server, Tool, lambda};
use serde::Deserialize;

/// Panics.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Panic {}

/// Reports that it has started, and never ends.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Hang {}

/// Blocks its thread until the platform stops the process.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Block {}

async fn panics(_: Context, Panic {}: Panic) -> Result<Content> {
    panic!("a secret")
}

async fn hang(cx: Context, Hang {}: Hang) -> Result<Content> {
    cx.progress(1.0, None, "hanging");
    pending().await
}

async fn block(_: Context, Block {}: Block) -> Result<Content> {
    thread::sleep(Duration::from_secs(60));
    Ok(Content::text("It was not ended."))
}

fn main() -> std::result::Result<(), lambda::ApiError> {
    lambda::run(async || -> std::result::Result<App, lambda::ApiError> {
        let config = Config::from_env()?;
        telemetry::start(Format::Json, &config.log)?;
        let server = Server::new("unruly", "1.0.0").tools(vec![
            Tool::new("panics", panics).get("/panics"),
            Tool::new("hang", hang).get("/hang"),
            Tool::new("block", block).get("/block"),
        ]);
        Ok(App::new(config, server)?)
    })
}
