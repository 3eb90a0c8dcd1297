//! `mount`: looks at MCP servers before they are mounted.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use tokio::runtime::Runtime;

use super::{Failure, print};
use crate::app::{App, Server};
use crate::config::Config;

/// How long the connections may take to end.
const ENDING: Duration = Duration::from_secs(5);

#[derive(Args)]
pub(super) struct Mount {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Connect to every server of a file, and print what each offers and what would be refused.
    ///
    /// Exit status: 1 if one of them does not answer.
    Check(Check),
}

#[derive(Args)]
struct Check {
    /// The file, an `mcpServers` object; without it that of `BIFOLD_MCP_SERVERS`.
    file: Option<String>,
}

impl Mount {
    pub(super) fn run(self, mut config: Config, server: Server) -> Result<ExitCode, Failure> {
        let Action::Check(Check { file }) = self.action;
        config.mcp_servers = file.or(config.mcp_servers);
        let app = App::new(config, server)?;
        let (report, is_good) = Runtime::new()?.block_on(async {
            let report = app.report_mounts().await;
            app.stop(ENDING).await;
            report
        });
        print(&report)?;
        Ok(ExitCode::from(u8::from(!is_good)))
    }
}
