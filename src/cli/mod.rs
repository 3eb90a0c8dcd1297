//! The command line: `serve`, `list`, `call`, `openapi`.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;

use bifold::lint::Severity;
use bifold::replay::{Plan, Replay};
use bifold::telemetry::{self, Format};
use bifold::{App, Config, lambda, local, tools};
use clap::{Args, Parser, Subcommand};
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Serves functions to agents over MCP (POST /mcp) and to programs over REST (/api/*).
///
/// Settings come from the environment: BIFOLD_LISTEN, BIFOLD_REPLAY, BIFOLD_EXPLORER_URL, BIFOLD_LCD_URL,
/// BIFOLD_EXCHANGE_URL, BIFOLD_UPSTREAM_TIMEOUT_MS, BIFOLD_CALL_TIMEOUT_MS, BIFOLD_ALLOWED_ORIGINS, BIFOLD_LOG and
/// others, which docs/settings.md lists. With AWS_LAMBDA_RUNTIME_API set, the same binary is a Lambda function.
#[derive(Parser)]
#[command(
    name = "bifold",
    version,
    verbatim_doc_comment,
    args_conflicts_with_subcommands = true
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Subcommand)]
enum Command {
    /// Listen for MCP and REST requests until Ctrl-C or SIGTERM (the default).
    Serve(Serve),
    /// List the functions, their protocols and their paths.
    List(List),
    /// CallArguments one function and print its result as JSON.
    ///
    /// Exit status: 0 with the result on standard output, 1 if the call failed, 2 if the command line is wrong.
    CallArguments(CallArguments),
    /// Print the OpenAPI 3.1 document.
    Openapi,
}

#[derive(Args, Default)]
struct Serve {
    /// Address to listen on.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Answer from recorded upstream data instead of the network; the clock stands at the recording.
    #[arg(long)]
    replay: bool,
}

#[derive(Args)]
struct List {
    /// Print instead what MCP clients would refuse in the schemas; exit status 1 if it is more than warnings.
    #[arg(long)]
    check: bool,
}

#[derive(Args)]
struct CallArguments {
    /// The function's name, as `list` shows it.
    name: String,
    /// Arguments; each is read as the type that the function wants, text where it wants text.
    #[arg(value_name = "KEY=VALUE", value_parser = pair)]
    arguments: Vec<(String, String)>,
    /// All arguments as one JSON object.
    #[arg(long, value_name = "OBJECT", conflicts_with = "arguments")]
    json: Option<String>,
    /// Answer from recorded upstream data instead of the network.
    #[arg(long)]
    replay: bool,
}

/// Reads the command line and does what it says.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        None => serve(cli.serve),
        Some(Command::Serve(serve_)) => serve(serve_),
        Some(Command::List(List { check: true })) => check(),
        Some(Command::List(_)) => list(),
        Some(Command::Call(call_)) => call(call_),
        Some(Command::Openapi) => openapi(),
    };
    done.unwrap_or_else(failed)
}

/// Runs as a Lambda function.
pub fn lambda() -> ExitCode {
    // It answers as long as it is held.
    let mut recorded = None;
    let done = lambda::run(async || -> Result<App, Failure> {
        let mut config = Config::from_env()?;
        log(Format::Json, &config.log)?;
        recorded = replay(&mut config).await?;
        Ok(App::new(config, tools::server())?)
    });
    done.map_or_else(failed, |()| ExitCode::SUCCESS)
}

fn serve(serve: Serve) -> Result<ExitCode, Failure> {
    let mut config = Config::from_env()?;
    config.replay |= serve.replay;
    config.listen = serve.listen.unwrap_or(config.listen);
    log(Format::Text, &config.log)?;
    Runtime::new()?.block_on(async {
        let _replay = replay(&mut config).await?;
        let address = config.listen;
        let app = App::new(config, tools::server())?;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| format!("cannot listen on {address}: {error}"))?;
        local::serve(app, listener, local::signal()).await?;
        Ok(ExitCode::SUCCESS)
    })
}

fn log(format: Format, levels: &str) -> Result<(), Failure> {
    Ok(telemetry::start(format, levels).map_err(|error| format!("`BIFOLD_LOG`: {error}"))?)
}

fn list() -> Result<ExitCode, Failure> {
    let app = App::new(Config::from_env()?, tools::server())?;
    let mut out = String::new();
    for tool in app.registry().tools() {
        let place = tool.place();
        let path = place.map_or("-".to_owned(), |(method, path)| {
            format!("{method} /api{path}")
        });
        out.push_str(&format!(
            "{:<38} {:<9} {path}\n",
            tool.name(),
            tool.protocols().join("+")
        ));
    }
    print(&out)
}

fn check() -> Result<ExitCode, Failure> {
    let app = App::new(Config::from_env()?, tools::server())?;
    let findings = app.lint();
    let lines: String = findings
        .iter()
        .map(|finding| format!("{finding}\n"))
        .collect();
    print(&lines)?;
    let is_refused = findings.iter().any(|it| it.severity == Severity::Error);
    Ok(ExitCode::from(u8::from(is_refused)))
}

fn openapi() -> Result<ExitCode, Failure> {
    let app = App::new(Config::from_env()?, tools::server())?;
    print(&String::from_utf8_lossy(&app.openapi()))?;
    print("\n")
}

fn call(call: CallArguments) -> Result<ExitCode, Failure> {
    let mut config = Config::from_env()?;
    config.replay |= call.replay;
    // One call has nothing to say beside its result, unless it is asked to.
    let is_asked = std::env::var_os("BIFOLD_LOG").is_some();
    log(Format::Text, if is_asked { &config.log } else { "warn" })?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let _replay = replay(&mut config).await?;
        let app = App::new(config, tools::server())?;
        let arguments = match arguments(&app, &call) {
            Ok(arguments) => arguments,
            Err(problem) => return Ok(usage(&problem)),
        };
        match app.invoke(&call.name, &arguments).await {
            Ok(answer) => {
                print(answer.json().get())?;
                print("\n")
            }
            Err(error) => {
                eprintln!("{}: {error}", error.kind().as_str());
                Ok(ExitCode::from(1))
            }
        }
    })
}

/// Starts the recorded upstream where it is asked for; it lives as long as what is returned.
async fn replay(config: &mut Config) -> Result<Option<Replay>, Failure> {
    if !config.replay {
        return Ok(None);
    }
    let replay = Replay::start().await?;
    let plan = Plan::parse(&config.replay_faults);
    replay.follow(plan.map_err(|problem| format!("`BIFOLD_REPLAY_FAULTS`: {problem}"))?);
    replay.configure(config);
    tracing::info!(
        recorded_at = bifold::replay::RECORDED_AT,
        "replay: upstreams are recorded data, not the network"
    );
    Ok(Some(replay))
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// The arguments as the text of a JSON object.
///
/// # Errors
/// What is wrong with the command line: no such function, no JSON object, a key that stands twice.
fn arguments(app: &App, call: &CallArguments) -> Result<String, String> {
    let name = &call.name;
    let Some(tool) = app.registry().get(name) else {
        let hint = app.registry().hint(name, |_| true);
        return Err(format!("there is no function `{name}`{hint}"));
    };
    if let Some(json) = &call.json {
        let object: Result<Map<String, Value>, _> = serde_json::from_str(json);
        let problem = |error| format!("--json takes one JSON object: {error}");
        return object.map(|_| json.clone()).map_err(problem);
    }
    let mut fields = Map::new();
    for (key, value) in &call.arguments {
        let schema = tool.parameters().and_then(|known| known.get(key));
        if fields.insert(key.clone(), typed(schema, value)).is_some() {
            return Err(format!("`{key}` stands more than once"));
        }
    }
    Ok(Value::Object(fields).to_string())
}

/// The value as its parameter wants it: text stays text, and all else is JSON where it can be.
fn typed(schema: Option<&Value>, value: &str) -> Value {
    let is_text = schema.is_none_or(|schema| schema["type"] == "string");
    let json = serde_json::from_str(value).ok().filter(|_| !is_text);
    json.unwrap_or_else(|| value.into())
}

fn usage(problem: &str) -> ExitCode {
    eprintln!("bifold: {problem}");
    ExitCode::from(2)
}

fn print(text: &str) -> Result<ExitCode, Failure> {
    match std::io::stdout().write_all(text.as_bytes()) {
        // Whoever reads a part of the output and closes the pipe has what they wanted.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn failed(failure: Failure) -> ExitCode {
    eprintln!("bifold: {failure}");
    ExitCode::from(1)
}
