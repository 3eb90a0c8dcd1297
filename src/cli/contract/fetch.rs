//! The contract of a running server, or of a file.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::runtime::Builder;

use super::lock::FORM;
use super::{openapi, read};
use crate::app::{App, Server};
use crate::cli::{Failure, client};
use crate::config::Config;
use crate::error::Kind;
use crate::schema;
use crate::upstream::Upstream;

/// The most time that a server may say nothing over MCP.
const WAIT: Duration = Duration::from_secs(30);

/// Where a contract comes from.
enum Source<'c> {
    File(Value),
    /// A server below this URL.
    Server(&'c Config, String),
}

/// Both contracts. Servers are asked over MCP where one of them has no OpenAPI document, because what only one of both
/// says tells nothing of a change.
pub(super) fn both(config: Config, before: &str, now: &str) -> Result<(Value, Value), Failure> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (before, now) = (Source::of(&config, before)?, Source::of(&config, now)?);
        match (before.document().await?, now.document().await?) {
            (Some(before), Some(now)) => Ok((before, now)),
            _ => Ok((before.over_mcp().await?, now.over_mcp().await?)),
        }
    })
}

impl<'c> Source<'c> {
    fn of(config: &'c Config, place: &str) -> Result<Source<'c>, Failure> {
        if !place.starts_with("http://") && !place.starts_with("https://") {
            return read(Path::new(place)).map(Source::File);
        }
        let place = place.trim_end_matches('/');
        let suffixes = ["/mcp", "/openapi.json"];
        let base = suffixes.iter().find_map(|it| place.strip_suffix(it));
        Ok(Source::Server(config, base.unwrap_or(place).to_owned()))
    }

    /// The contract as a file has it, or as the OpenAPI document of a server says it, where there is one.
    async fn document(&self) -> Result<Option<Value>, Failure> {
        let (config, base) = match self {
            Source::File(contract) => return Ok(Some(contract.clone())),
            Source::Server(config, base) => (*config, base),
        };
        let server = Upstream::named("server", base.clone());
        let asking = Server::new("contract", env!("CARGO_PKG_VERSION"))
            .upstreams(std::slice::from_ref(&server));
        let cx = App::new(config.clone(), asking)?.context();
        let document = cx.upstream(&server).get("/openapi.json").json::<Value>();
        match document.await {
            Ok(document) => Ok(Some(openapi::contract(&document))),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(format!("{base}: {error}").into()),
        }
    }

    /// The contract as a file has it, or as a server tells it over MCP.
    async fn over_mcp(&self) -> Result<Value, Failure> {
        match self {
            Source::File(contract) => Ok(contract.clone()),
            Source::Server(config, base) => {
                let tools = client::tools(config, &format!("{base}/mcp"), WAIT).await;
                Ok(contract(tools.map_err(|it| format!("{base}: {it}"))?))
            }
        }
    }
}

fn contract(tools: Vec<Value>) -> Value {
    let entry = |it: Value| {
        let hints = &it["annotations"];
        let hint = |name: &str, default: bool| hints[name].as_bool().unwrap_or(default);
        let entry = json!({
            "description": it["description"],
            "arguments": it["inputSchema"],
            "result": it["outputSchema"],
            "hints": {
                "read_only": hint("readOnlyHint", false),
                "destructive": hint("destructiveHint", true),
                "idempotent": hint("idempotentHint", false),
                "open_world": hint("openWorldHint", true),
            },
        });
        (it["name"].as_str().unwrap_or_default().to_owned(), entry)
    };
    let tools = schema::object(tools.into_iter().map(entry));
    json!({ "contract": FORM, "seen_over": "mcp", "tools": tools })
}
