//! `serve`: runs the application on a local socket.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Args;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::{Failure, log};
use crate::app::{App, Server};
use crate::config::Config;
use crate::local;
use crate::telemetry::Format;

#[derive(Args)]
pub(super) struct Serve {
    /// Address to listen on.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
}

impl Serve {
    pub(super) fn run(self, mut config: Config, server: Server) -> Result<ExitCode, Failure> {
        config.listen = self.listen.unwrap_or(config.listen);
        log(Format::Text, &config.log)?;
        Runtime::new()?.block_on(async {
            let address = config.listen;
            let app = App::start(config, server).await?;
            let listener = TcpListener::bind(address)
                .await
                .map_err(|error| format!("cannot listen on {address}: {error}"))?;
            local::serve(app, listener, local::signal()).await?;
            Ok(ExitCode::SUCCESS)
        })
    }
}
