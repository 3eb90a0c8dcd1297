//! The command line of every application: `serve`, `stdio`, `list`, `call`, `client`, `openapi`, `contract`, `prepare`, `key`, `mount`.

mod call;
mod client;
mod contract;
mod help;
#[cfg(feature = "openapi")]
mod import;
mod key;
mod list;
#[cfg(feature = "mounts")]
mod mount;
mod prepare;
mod serve;
mod stdio;

use std::io::Write;
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::app::{App, Server};
use crate::config::Config;
use crate::lambda;
use crate::start;
use crate::telemetry::{self, Format};

use call::Call;
use client::Client;
use contract::Contract;
#[cfg(feature = "openapi")]
use import::Import;
use key::Key;
use list::List;
#[cfg(feature = "mounts")]
use mount::Mount;
use prepare::Prepare;
use serve::Serve;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What [`main`] starts: a [`Server`], or a `Result` with one.
pub trait IntoServer {
    /// The server.
    ///
    /// # Errors
    /// The server could not be made.
    fn into_server(self) -> Result<Server, Failure>;
}

impl IntoServer for Server {
    fn into_server(self) -> Result<Server, Failure> {
        Ok(self)
    }
}

impl<E: Into<Failure>> IntoServer for Result<Server, E> {
    fn into_server(self) -> Result<Server, Failure> {
        self.map_err(Into::into)
    }
}

#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
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
    /// Serve MCP on standard input and output until the input ends, for clients that start the program themselves.
    Stdio,
    /// List the functions, their protocols and their paths.
    List(List),
    /// Call one function and print its result as JSON.
    ///
    /// Exit status: 0 with the result on standard output, 1 if the call failed, 2 if the command line is wrong.
    Call(Call),
    /// Print the OpenAPI 3.1 document.
    Openapi,
    /// List, call, read and follow what any MCP server offers.
    ///
    /// Standard output has the result as JSON; progress, log messages and questions are on standard error, and their answers
    /// are read from standard input. Exit status: 0 with a result, 1 if the tool or the server failed, 2 if the command line
    /// is wrong.
    Client(Client),
    /// Keep the contract with callers: what changes, and whether it breaks them.
    Contract(Contract),
    /// Write the descriptions and schemas of the tools to a file, so that a cold start does not generate them.
    ///
    /// Exit status of `--check`: 0 if the file is up to date, 1 if it is not.
    Prepare(Prepare),
    /// Look at MCP servers before they are mounted.
    #[cfg(feature = "mounts")]
    Mount(Mount),
    /// Make API keys.
    Key(Key),
    /// Look at OpenAPI documents that could be imported.
    #[cfg(feature = "openapi")]
    Import(Import),
}

/// The whole program of an application: it reads the command line and the settings, starts the log, and serves what
/// `server` returns, as an AWS Lambda function where `AWS_LAMBDA_RUNTIME_API` is set and on a local socket elsewhere.
///
/// `server` returns a [`Server`], or a `Result` with any error that should end the program.
///
/// ```no_run
/// use bifold::prelude::*;
///
/// /// Greets someone by name.
/// #[derive(Deserialize, JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// struct Greet {
///     /// The name.
///     name: String,
/// }
///
/// #[derive(Serialize, JsonSchema)]
/// struct Greeting {
///     text: String,
/// }
///
/// async fn greet(_: Context, Greet { name }: Greet) -> Result<Greeting> {
///     Ok(Greeting { text: format!("Hello, {name}!") })
/// }
///
/// fn main() -> ExitCode {
///     bifold::main(|| {
///         Server::new("greeter", "1.0.0").tools(vec![Tool::new("greet", greet).get("/greet/{name}")])
///     })
/// }
/// ```
pub fn main<S: IntoServer>(server: impl FnOnce() -> S) -> ExitCode {
    start_with(Box::new(|| server().into_server()))
}

/// Makes the server of the program.
type MakeServer<'a> = Box<dyn FnOnce() -> Result<Server, Failure> + 'a>;

/// The same without the types of the program, so that all of it is compiled once, in the library.
fn start_with(server: MakeServer<'_>) -> ExitCode {
    let name = program();
    let done = match start::is_on_lambda() {
        // Lambda starts the program without a command line.
        true => run_on_lambda(server),
        false => server().and_then(run),
    };
    done.unwrap_or_else(|failure| {
        eprintln!("{name}: {failure}");
        ExitCode::from(1)
    })
}

fn run_on_lambda(server: MakeServer<'_>) -> Result<ExitCode, Failure> {
    lambda::run(async || -> Result<App, Failure> {
        let server = server()?;
        let config = server.config()?;
        log(Format::Json, &config.log)?;
        Ok(App::start(config, server).await?)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn run(server: Server) -> Result<ExitCode, Failure> {
    let matches = help::command(Cli::command(), &server).get_matches();
    let cli = Cli::from_arg_matches(&matches)?;
    let chosen = matches.subcommand().map_or(&matches, |(_, it)| it);
    let config = config(&server, chosen)?;
    match cli.command {
        None => cli.serve.run(config, server),
        Some(Command::Serve(serve)) => serve.run(config, server),
        Some(Command::Stdio) => stdio::run(config, server),
        Some(Command::List(list)) => list.run(config, server),
        Some(Command::Call(call)) => call.run(config, server),
        Some(Command::Contract(contract)) => contract.run(config, server),
        Some(Command::Prepare(prepare)) => prepare.run(config, server),
        Some(Command::Client(client)) => client.run(config, &server),
        Some(Command::Key(key)) => key.run(),
        #[cfg(feature = "mounts")]
        Some(Command::Mount(mount)) => mount.run(config, server),
        #[cfg(feature = "openapi")]
        Some(Command::Import(import)) => import.run(),
        Some(Command::Openapi) => {
            print(App::new(config, server)?.openapi())?;
            print("\n")
        }
    }
}

/// The settings from the environment, with the switches from the command line.
fn config(server: &Server, matches: &ArgMatches) -> Result<Config, Failure> {
    let mut config = server.config()?;
    for switch in server.settings.iter().filter(|it| it.is_switch()) {
        let is_given = matches.try_get_one::<bool>(switch.name());
        if is_given.ok().flatten() == Some(&true) {
            let name = switch.name().to_owned();
            config.application.insert(name, "true".to_owned());
        }
    }
    Ok(config)
}

/// The name of the program, for its error messages.
fn program() -> String {
    let path = std::env::args().next().unwrap_or_default();
    let name = std::path::Path::new(&path).file_stem();
    name.map_or("server".into(), |it| it.to_string_lossy().into_owned())
}

fn log(format: Format, levels: &str) -> Result<(), Failure> {
    Ok(telemetry::start(format, levels).map_err(|error| format!("`BIFOLD_LOG`: {error}"))?)
}

fn print(text: impl AsRef<[u8]>) -> Result<ExitCode, Failure> {
    match std::io::stdout().write_all(text.as_ref()) {
        // A reader such as `head` closes the pipe when it has read enough, which is not an error.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}
