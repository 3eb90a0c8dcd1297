//! Where an application runs: as a Lambda function where the platform says so, else on a local socket.

mod greeting;
mod listener;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, TryFutureExt};

use crate::app::{App, Server, StartError};
use crate::lambda;
use crate::local;
use crate::telemetry::{self, Format};

pub(crate) use greeting::Greeting;
pub(crate) use listener::listen;

/// The variable by which the Lambda platform says that the program is a function.
const PLATFORM: &str = "AWS_LAMBDA_RUNTIME_API";

/// Whether the Lambda platform has started the program.
pub(crate) fn is_on_lambda() -> bool {
    std::env::var_os(PLATFORM).is_some()
}

/// Serves an application in a runtime that exists: with the settings of the environment, as an AWS Lambda function where
/// `AWS_LAMBDA_RUNTIME_API` is set, and else on the address in `BIFOLD_LISTEN` until Ctrl-C or SIGTERM. It needs a runtime
/// of tokio with I/O and time. It starts the log, unless the program has a subscriber of its own.
///
/// [`main`](crate::main()) also has a command line, and makes the runtime itself: on Lambda with as many threads as there
/// are invocations at a time, which is usually one.
///
/// ```no_run
/// use bifold::{Server, StartError};
///
/// #[tokio::main]
/// async fn main() -> Result<(), StartError> {
///     bifold::serve(Server::new("greeter", "1.0.0")).await
/// }
/// ```
///
/// # Errors
/// A setting or a registration is wrong, [`Server::on_start`] failed, the address cannot be listened on, or the platform
/// cannot be reached.
pub async fn serve(server: Server) -> Result<(), StartError> {
    boxed(server).await
}

/// Boxed, so that it is compiled once, in the library.
fn boxed(server: Server) -> BoxFuture<'static, Result<(), StartError>> {
    Box::pin(run(server))
}

async fn run(server: Server) -> Result<(), StartError> {
    let config = server.config().map_err(StartError::because)?;
    if is_on_lambda() {
        start_log(Format::Json, &config.log)?;
        let start = App::start(config, server).map_err(Into::into);
        return lambda::serve(start).await.map_err(StartError::because);
    }
    start_log(Format::Text, &config.log)?;
    let address = config.listen;
    let greeting = Greeting::new(&server);
    let app = App::start(config, server).await?;
    let listener = listen(address, "BIFOLD_LISTEN").await?;
    // What reads the greeting may send a signal at once.
    let shutdown = local::signal().boxed();
    greeting.print(&listener);
    let served = local::serve_silently(app, listener, shutdown).await;
    served.map_err(StartError::because)
}

/// Starts the log, unless the program has a subscriber of its own.
fn start_log(format: Format, levels: &str) -> Result<(), StartError> {
    if telemetry::is_started() {
        return Ok(());
    }
    let started = telemetry::start(format, levels);
    started.map_err(|error| StartError::because(format!("`BIFOLD_LOG`: {error}")))
}
