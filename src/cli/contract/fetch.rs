//! The contract of a running server, or of a file.

use std::path::Path;

use serde_json::{Map, Value, json};
use tokio::runtime::Builder;

use super::lock::FORM;
use super::{openapi, read};
use crate::app::{App, Server};
use crate::cli::Failure;
use crate::config::Config;
use crate::context::Context;
use crate::error::Kind;
use crate::upstream::Upstream;

/// The most pages of a list of tools that are read.
const MAX_PAGES: usize = 100;

/// The revision in which a server is asked that does not know the newest one.
const OLDER: &str = "2025-11-25";

const NEWEST: &str = "2026-07-28";

/// Where a contract comes from.
enum Source {
    File(Value),
    Server {
        cx: Context,
        server: Upstream,
        base: String,
    },
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

impl Source {
    fn of(config: &Config, place: &str) -> Result<Source, Failure> {
        if !place.starts_with("http://") && !place.starts_with("https://") {
            return read(Path::new(place)).map(Source::File);
        }
        let place = place.trim_end_matches('/');
        let suffixes = ["/mcp", "/openapi.json"];
        let base = suffixes.iter().find_map(|it| place.strip_suffix(it));
        let base = base.unwrap_or(place).to_owned();
        let server = Upstream::named("server", base.clone());
        let asking = Server::new("contract", env!("CARGO_PKG_VERSION"))
            .upstreams(std::slice::from_ref(&server));
        let cx = App::new(config.clone(), asking)?.context();
        Ok(Source::Server { cx, server, base })
    }

    /// The contract as a file has it, or an OpenAPI document where the server has one.
    async fn document(&self) -> Result<Option<Value>, Failure> {
        let (cx, server, base) = match self {
            Source::File(contract) => return Ok(Some(contract.clone())),
            Source::Server { cx, server, base } => (cx, server, base),
        };
        let document = cx.upstream(server).get("/openapi.json").json::<Value>();
        match document.await {
            Ok(document) => Ok(Some(openapi::contract(&document))),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(format!("{base}: {error}").into()),
        }
    }

    /// The contract as a file has it, or as the server tells it over MCP.
    async fn over_mcp(&self) -> Result<Value, Failure> {
        let (cx, server) = match self {
            Source::File(contract) => return Ok(contract.clone()),
            Source::Server { cx, server, .. } => (cx, server),
        };
        let tools = match Client::modern(cx, server).list().await {
            Ok(tools) => tools,
            // A server of an earlier revision does not know the request.
            Err(_) => Client::older(cx, server).await?.list().await?,
        };
        Ok(contract(tools))
    }
}

fn contract(tools: Vec<Value>) -> Value {
    let entry = |it: Value| {
        let hints = &it["annotations"];
        let hint = |name: &str, default: bool| hints[name].as_bool().unwrap_or(default);
        let entry = json!({
            "description": it["description"],
            "protocols": ["mcp"],
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
    let tools: Map<String, Value> = tools.into_iter().map(entry).collect();
    json!({ "contract": FORM, "seen_over": "mcp", "tools": tools })
}

/// A client of MCP that lists tools.
struct Client<'a> {
    cx: &'a Context,
    server: &'a Upstream,
    version: &'static str,
    session: Option<String>,
}

impl<'a> Client<'a> {
    fn modern(cx: &'a Context, server: &'a Upstream) -> Client<'a> {
        Client {
            cx,
            server,
            version: NEWEST,
            session: None,
        }
    }

    /// Begins a session, where the server has them.
    async fn older(cx: &'a Context, server: &'a Upstream) -> Result<Client<'a>, Failure> {
        let mut client = Client {
            cx,
            server,
            version: OLDER,
            session: None,
        };
        let params = json!({
            "protocolVersion": OLDER,
            "capabilities": {},
            "clientInfo": { "name": "bifold", "version": env!("CARGO_PKG_VERSION") },
        });
        let (_, session) = client.ask("initialize", params).await?;
        client.session = session;
        let told = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        client.send("notifications/initialized", &told).await?;
        Ok(client)
    }

    async fn list(&self) -> Result<Vec<Value>, Failure> {
        let (mut tools, mut cursor) = (Vec::new(), Value::Null);
        for _ in 0..MAX_PAGES {
            let mut params = json!({});
            if self.version == NEWEST {
                params["_meta"] = json!({
                    "io.modelcontextprotocol/protocolVersion": NEWEST,
                    "io.modelcontextprotocol/clientCapabilities": {},
                });
            }
            if !cursor.is_null() {
                params["cursor"] = cursor;
            }
            let (mut result, _) = self.ask("tools/list", params).await?;
            if let Value::Array(page) = result["tools"].take() {
                tools.extend(page);
            }
            cursor = result["nextCursor"].take();
            if cursor.is_null() {
                return Ok(tools);
            }
        }
        Err("the list of tools has no end".into())
    }

    /// The result of a method, and the session that the server names.
    async fn ask(&self, method: &str, params: Value) -> Result<(Value, Option<String>), Failure> {
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let (text, session) = self.send(method, &message).await?;
        // A stream of events has the response in one of its `data` lines.
        let lines = text.lines().filter_map(|it| it.strip_prefix("data:"));
        let texts = std::iter::once(text.as_str()).chain(lines);
        let responses = texts.filter_map(|it| serde_json::from_str::<Value>(it).ok());
        let mut responses = responses.filter(|it| it["id"] == 1);
        let mut response = responses
            .next()
            .ok_or("the server gave no response over MCP")?;
        match response.get("error") {
            Some(error) => Err(format!("`{method}`: {}", error["message"]).into()),
            None => Ok((response["result"].take(), session)),
        }
    }

    async fn send(
        &self,
        method: &str,
        message: &Value,
    ) -> Result<(String, Option<String>), Failure> {
        let request = self.cx.upstream(self.server).post("/mcp");
        let request = request
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", self.version)
            .header("mcp-method", method);
        let request = match &self.session {
            Some(session) => request.header("mcp-session-id", session),
            None => request,
        };
        let response = request.body(message).send().await?;
        let session = response.header("mcp-session-id").map(str::to_owned);
        Ok((response.text().await?, session))
    }
}
