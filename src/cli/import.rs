//! `import`: says what would become of the operations of an OpenAPI document.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{Failure, print};
use crate::providers::openapi;

#[derive(Args)]
pub(super) struct Import {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List what would become of every operation, and why some are left out. The exit status is 1 if the file cannot be
    /// imported.
    Check(Check),
}

#[derive(Args)]
struct Check {
    /// An OpenAPI document, JSON or YAML, or a list of imports as in `BIFOLD_OPENAPI`.
    file: String,
}

impl Import {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let Action::Check(Check { file }) = self.action;
        print(openapi::check(&file)?)
    }
}
