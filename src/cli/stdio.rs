//! `stdio`: runs the application on standard input and output.

use std::process::ExitCode;

use tokio::runtime::Runtime;

use super::{Failure, log};
use crate::app::{App, Server};
use crate::config::Config;
use crate::telemetry::Format;
use crate::{local, stdio};

pub(super) fn run(mut config: Config, server: Server) -> Result<ExitCode, Failure> {
    // Standard output belongs to the protocol: the log and the metrics must not be there.
    config.metrics_namespace = None;
    log(Format::Text, &config.log)?;
    let runtime = Runtime::new()?;
    let done = runtime.block_on(async {
        let shutdown = local::signal();
        let app = App::start(config, server).await?;
        stdio::serve(app, tokio::io::stdin(), tokio::io::stdout(), shutdown).await?;
        Ok(ExitCode::SUCCESS)
    });
    // A read of standard input cannot be given up, and must not delay the end.
    runtime.shutdown_background();
    done
}
