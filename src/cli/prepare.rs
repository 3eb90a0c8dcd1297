//! `prepare`: writes the descriptions and schemas of the tools to a file, which `Server::prepared` takes.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{Failure, print};
use crate::app::{App, Server};
use crate::config::Config;
use crate::registry::Registry;

#[derive(Args)]
pub(super) struct Prepare {
    /// The file, which `Server::prepared` includes.
    #[arg(long, default_value = "src/prepared.tsv")]
    file: PathBuf,
    /// Instead of writing the file, compare it with the tools.
    #[arg(long)]
    check: bool,
}

impl Prepare {
    pub(super) fn run(self, config: Config, server: Server) -> Result<ExitCode, Failure> {
        let now = App::new(config, server)?.registry().prepared();
        let shown = self.file.display();
        let failed = |error| format!("`{shown}`: {error}");
        if !self.check {
            std::fs::write(&self.file, now).map_err(failed)?;
            return print(format!("{shown} is written\n"));
        }
        let before = std::fs::read_to_string(&self.file).map_err(failed)?;
        if before == now {
            return print(format!("{shown} is up to date\n"));
        }
        print(format!(
            "{shown} is out of date: update it with `prepare --file {shown}`\n"
        ))?;
        Ok(ExitCode::from(1))
    }
}

/// Whether lists on Lambda would differ from the tools.
pub(super) fn is_outdated(prepared: Option<&str>, registry: &Registry) -> bool {
    prepared.is_some_and(|it| it != registry.prepared())
}

#[cfg(test)]
mod tests {
    use super::is_outdated;
    use crate::registry::{Functions, Registry, Tool};

    #[test]
    fn only_what_was_prepared_of_the_same_tools_is_up_to_date() {
        let registry = |text: &'static str| {
            let mut functions = Functions::default();
            functions.add_tool(Tool::sync("ping", || "pong").describe(text));
            Registry::new(functions).unwrap()
        };
        let (old, new) = (registry("Answers."), registry("Answers at once."));
        let prepared = old.prepared();
        assert!(!is_outdated(None, &new));
        assert!(!is_outdated(Some(&prepared), &old));
        assert!(is_outdated(Some(&prepared), &new));
        assert!(is_outdated(Some(""), &new));
    }
}
