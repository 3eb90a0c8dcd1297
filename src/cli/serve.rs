//! `serve`: runs the application on a local socket.

use std::net::{SocketAddr, ToSocketAddrs};
use std::process::ExitCode;

use clap::Args;
use futures_util::FutureExt;
use tokio::runtime::Runtime;
use tracing::warn;

use super::{Failure, log, prepare};
use crate::app::{App, Server};
use crate::config::Config;
use crate::local;
use crate::start::{Greeting, listen};
use crate::telemetry::Format;

/// How the address can be set.
const OPTIONS: &str = "`--listen ADDRESS:PORT` or `BIFOLD_LISTEN`";

const OUTDATED: &str = "the text of `Server::prepared` is out of date, and a deployed function would list old schemas: \
                        update it with the command `prepare`";

#[derive(Args)]
pub(super) struct Serve {
    /// Address to listen on.
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address)]
    listen: Option<SocketAddr>,
}

impl Serve {
    pub(super) fn run(self, mut config: Config, server: Server) -> Result<ExitCode, Failure> {
        config.listen = self.listen.unwrap_or(config.listen);
        log(Format::Text, &config.log)?;
        Runtime::new()?.block_on(async {
            let address = config.listen;
            let greeting = Greeting::new(&server);
            let prepared = server.prepared;
            let app = App::start(config, server).await?;
            if prepare::is_outdated(prepared, &app.registry()) {
                warn!("{OUTDATED}");
            }
            let listener = listen(address, OPTIONS).await?;
            // What reads the greeting may send a signal at once.
            let shutdown = local::signal().boxed();
            greeting.print(&listener);
            local::serve_silently(app, listener, shutdown).await?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// An IP address or the name of this machine, and a port.
fn address(text: &str) -> Result<SocketAddr, String> {
    let named = || {
        text.starts_with("localhost:")
            .then(|| text.to_socket_addrs())
    };
    let resolved = || named()?.ok()?.find(SocketAddr::is_ipv4);
    let address = text.parse().ok().or_else(resolved);
    address.ok_or_else(|| {
        "expected an IP address and a port, such as `127.0.0.1:9000`, `0.0.0.0:80` or `[::1]:9000`".to_owned()
    })
}
