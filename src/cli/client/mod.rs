//! `client`: lists, calls, reads and follows what any MCP server offers.

mod arguments;
mod call;
mod list;
mod listen;
mod login;
mod output;
mod questions;
mod report;

use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use tokio::runtime::Builder;

use super::{Failure, log, program};
use crate::app::Server;
use crate::client::{Connection, Failure as Refusal, Hello, Http, Revision, RpcError};
use crate::config::Config;
use crate::local;
use crate::telemetry::Format;

use call::{Call, Prompt, Read};
use list::List;
use listen::Listen;
use login::{Login, Web};

/// The levels of log messages, from the least severe.
const LEVELS: [&str; 8] = [
    "debug",
    "info",
    "notice",
    "warning",
    "error",
    "critical",
    "alert",
    "emergency",
];

/// The exit status after a signal, as shells have it.
const INTERRUPTED: u8 = 130;
/// How long the end of a session is awaited.
const GOODBYE: Duration = Duration::from_secs(2);

#[derive(Args)]
pub(super) struct Client {
    /// The server's MCP endpoint, e.g. `https://example.com/mcp`.
    url: String,
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    options: Options,
}

#[derive(Args)]
struct Options {
    /// A header of every request, e.g. `X-API-Key: …`. Repeat it for more.
    #[arg(long, global = true, value_name = "NAME: VALUE", value_parser = header)]
    header: Vec<(HeaderName, HeaderValue)>,
    /// Sign in with a browser first (OAuth 2.1), if the server has an authorization server.
    #[arg(long, global = true)]
    login: bool,
    /// Keep the token of `--login` in this file, which only its owner can read, and take it from there the next time.
    #[arg(long, global = true, value_name = "FILE", requires = "login")]
    token_file: Option<PathBuf>,
    /// The client that the authorization server knows already; without it, `--login` registers a new one.
    #[arg(long, global = true, value_name = "ID", requires = "login")]
    client_id: Option<String>,
    /// The revision to speak, e.g. `2025-11-25`; without it, the newest one that the server knows.
    #[arg(long, global = true, value_name = "REVISION", value_parser = Revision::parse)]
    protocol: Option<Revision>,
    /// For how many seconds the server may say nothing.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    timeout: u32,
    /// The least level of the server's log messages to show.
    #[arg(long, global = true, value_name = "LEVEL", value_parser = LEVELS)]
    log_level: Option<String>,
}

#[derive(Subcommand)]
enum Action {
    /// List what the server offers: its tools, resources, resource templates and prompts.
    List(List),
    /// Call a tool and print its result.
    Call(Call),
    /// Read a resource.
    Read(Read),
    /// Get the messages of a prompt.
    Prompt(Prompt),
    /// Print what the server says has changed, one line for each notification, until it ends the stream or Ctrl-C.
    Listen(Listen),
}

/// A command line that is wrong, found only by what the server offers.
#[derive(Debug)]
struct Usage(String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

impl Client {
    pub(super) fn run(self, config: Config, server: &Server) -> Result<ExitCode, Failure> {
        let is_set = std::env::var_os("BIFOLD_LOG").is_some();
        log(Format::Text, if is_set { &config.log } else { "warn" })?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let done = runtime.block_on(async {
            let stopped = local::signal();
            self.act(config, server, stopped).await
        });
        // A read of standard input cannot be given up, and must not delay the end.
        runtime.shutdown_background();
        done.or_else(|failure| match failure.downcast_ref::<Usage>() {
            Some(usage) => {
                eprintln!("{}: {usage}", program());
                Ok(ExitCode::from(2))
            }
            None => Err(failure),
        })
    }

    async fn act(
        self,
        config: Config,
        server: &Server,
        stopped: impl Future<Output = ()>,
    ) -> Result<ExitCode, Failure> {
        let mut stopped = pin!(stopped);
        let wait = Duration::from_secs(self.options.timeout.into());
        let opening = self.options.connect(&self.url, &config, server, wait);
        let connection = tokio::select! {
            opened = opening => opened?,
            () = &mut stopped => return Ok(ExitCode::from(INTERRUPTED)),
        };
        // A signal is how `listen` is meant to end.
        let end = match self.action {
            Action::Listen(_) => ExitCode::SUCCESS,
            _ => ExitCode::from(INTERRUPTED),
        };
        let done = tokio::select! {
            done = self.action.run(&connection, wait) => done,
            () = stopped => Ok(end),
        };
        connection.close(wait.min(GOODBYE)).await;
        done
    }
}

impl Action {
    async fn run(self, connection: &Connection, wait: Duration) -> Result<ExitCode, Failure> {
        match self {
            Action::List(list) => list.run(connection, wait).await,
            Action::Call(call) => call.run(connection, wait).await,
            Action::Read(read) => read.run(connection, wait).await,
            Action::Prompt(prompt) => prompt.run(connection, wait).await,
            Action::Listen(listen) => listen.run(connection, wait).await,
        }
    }
}

impl Options {
    async fn connect(
        &self,
        url: &str,
        config: &Config,
        server: &Server,
        wait: Duration,
    ) -> Result<Connection, Failure> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.header {
            headers.append(name, value.clone());
        }
        let http = Http::new(config, url, headers).map_err(|error| Usage(error.to_string()))?;
        let http = Arc::new(http);
        let open = async || {
            let hello = Hello {
                name: format!("{}-client", server.info.name),
                version: server.info.version.clone().into_owned(),
                capabilities: json!({"elicitation": {"form": {}, "url": {}}}),
                log_level: self.log_level.clone(),
            };
            let revision = self.protocol.unwrap_or(Revision::Newest);
            Connection::open(http.clone(), hello, revision, wait).await
        };
        if !self.login {
            return open().await.map_err(explained);
        }
        let web = Web { config, wait };
        if let Some(file) = &self.token_file
            && let Some(token) = login::stored(&web, file, url).await?
        {
            http.set_header(AUTHORIZATION, token.header()?);
            token.store(file)?;
        }
        let opened = open().await;
        let challenge = match &opened {
            Err(Refusal::Status(status)) if status.code == StatusCode::UNAUTHORIZED => {
                status.challenge.as_deref()
            }
            // The token of the file is still good, or the server refuses for another reason.
            _ if http.has_header(&AUTHORIZATION) => return opened.map_err(explained),
            Err(_) => return opened.map_err(explained),
            // A server may let everyone in and refuse only calls.
            Ok(_) => None,
        };
        let login = Login {
            web: &web,
            url,
            challenge,
            client_id: self.client_id.as_deref(),
        };
        let Some(token) = login.run().await? else {
            return opened.map_err(explained);
        };
        http.set_header(AUTHORIZATION, token.header()?);
        if let Some(file) = &self.token_file {
            token.store(file)?;
        }
        open().await.map_err(explained)
    }
}

/// The tools of the server at `url`, in the newest revision that it knows.
pub(super) async fn tools(
    config: &Config,
    url: &str,
    wait: Duration,
) -> Result<Vec<Value>, Failure> {
    let http = Http::new(config, url, HeaderMap::new())?;
    let hello = Hello {
        name: "contract".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        capabilities: json!({}),
        log_level: None,
    };
    let opened = Connection::open(Arc::new(http), hello, Revision::Newest, wait).await;
    let connection = opened.map_err(|failure| report::clean(&failure.to_string()))?;
    let tools = list::all(&connection, "tools", wait).await;
    connection.close(wait.min(GOODBYE)).await;
    let tools = tools?;
    let tools = tools.iter().map(|it| serde_json::from_str(it.get()));
    Ok(tools.collect::<Result<_, _>>()?)
}

/// The failure, with what to do about it.
fn explained(failure: Refusal) -> Failure {
    let data = match &failure {
        Refusal::Rpc(RpcError {
            data: Some(data), ..
        }) => format!("; data: {data}"),
        _ => String::new(),
    };
    let advice = match failure.is_denial() {
        true => {
            "; sign in with `--login`, or give a token with `--header \"Authorization: Bearer …\"`"
        }
        false => "",
    };
    report::clean(&format!("{failure}{data}{advice}")).into()
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("expected `NAME: VALUE`")?;
    let name: HeaderName = name
        .trim()
        .parse()
        .map_err(|_| "the name is not valid in HTTP")?;
    // The value may be a secret, so no message repeats it.
    let mut value: HeaderValue = value
        .trim()
        .parse()
        .map_err(|_| "the value is not valid in HTTP")?;
    value.set_sensitive(true);
    Ok((name, value))
}
