//! `list`: lists the functions, or what MCP clients would refuse in their schemas.

use std::process::ExitCode;

use clap::Args;

use super::{Failure, print};
use crate::app::{App, Server};
use crate::config::Config;
use crate::lint::Severity;

#[derive(Args)]
pub(super) struct List {
    /// Instead, print what MCP clients would refuse in the schemas; the exit status is 1 if there are errors.
    #[arg(long)]
    check: bool,
}

impl List {
    pub(super) fn run(self, config: Config, server: Server) -> Result<ExitCode, Failure> {
        let app = App::new(config, server)?;
        match self.check {
            true => check(&app),
            false => list(&app),
        }
    }
}

fn list(app: &App) -> Result<ExitCode, Failure> {
    let mut out = String::new();
    for tool in app.registry().tools() {
        let path = tool.place().map_or("-".to_owned(), |(method, path)| {
            format!("{method} /api{path}")
        });
        let protocols = tool.protocols().join("+");
        out.push_str(&format!("{:<38} {protocols:<9} {path}\n", tool.name()));
    }
    print(&out)
}

fn check(app: &App) -> Result<ExitCode, Failure> {
    let findings = app.lint();
    let lines: String = findings.iter().map(|it| format!("{it}\n")).collect();
    print(&lines)?;
    let is_refused = findings.iter().any(|it| it.severity == Severity::Error);
    Ok(ExitCode::from(u8::from(is_refused)))
}
