//! `contract`: what callers rely on, written to a file and compared with it.

mod compare;
mod fetch;
mod keywords;
mod lock;
mod number;
mod openapi;
mod schema;
#[cfg(test)]
mod schema_tests;
mod structure;
mod union;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::{Failure, print};
use crate::app::{App, Server};
use crate::config::Config;

use compare::Effect;

/// Where the contract is kept.
const FILE: &str = "contract.lock";

#[derive(Args)]
pub(super) struct Contract {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Write what callers rely on: tools, schemas, routes, errors, scopes, resources, prompts.
    Write(File),
    /// Compare it with what was written, and say of each change whether it breaks callers.
    ///
    /// Exit status: 0 if nothing breaks, 1 if something does.
    Check(File),
    /// Compare two running servers, by their OpenAPI documents or else by MCP; or files that `write` has written.
    ///
    /// Exit status: 0 if nothing breaks, 1 if something does.
    Diff {
        /// The URL of the server as it was, or a file.
        before: String,
        /// The URL of the server as it is now, or a file.
        now: String,
    },
}

#[derive(Args)]
struct File {
    /// The file of the contract.
    #[arg(long, default_value = FILE)]
    file: PathBuf,
}

impl Contract {
    pub(super) fn run(self, config: Config, server: Server) -> Result<ExitCode, Failure> {
        match self.action {
            Action::Write(File { file }) => {
                let text = format!("{:#}\n", now(config, server)?);
                std::fs::write(&file, text).map_err(|error| of_file(&file, error))?;
                print(format!("{} is written\n", file.display()))
            }
            Action::Check(File { file }) => {
                let before = read(&file)?;
                report(&before, &now(config, server)?)
            }
            Action::Diff { before, now } => {
                let (before, now) = fetch::both(config, &before, &now)?;
                report(&before, &now)
            }
        }
    }
}

fn now(config: Config, server: Server) -> Result<Value, Failure> {
    let (name, version) = (server.info.name.clone(), server.info.version.clone());
    let app = App::new(config, server)?;
    let document = serde_json::from_slice(&app.openapi())?;
    Ok(lock::of(&app.registry(), &document, &name, &version))
}

/// The contract in a file.
fn read(file: &Path) -> Result<Value, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| of_file(file, error))?;
    let contract: Value = serde_json::from_str(&text).map_err(|error| of_file(file, error))?;
    match contract["contract"] == lock::FORM && compare::is_whole(&contract) {
        true => Ok(contract),
        false => Err(of_file(
            file,
            "this is not a contract of this form: write it anew",
        )),
    }
}

fn of_file(file: &Path, problem: impl std::fmt::Display) -> Failure {
    format!("`{}`: {problem}", file.display()).into()
}

/// Prints the changes, the ones that break callers first, and what the next version must be.
fn report(before: &Value, now: &Value) -> Result<ExitCode, Failure> {
    let mut changes = compare::changes(before, now);
    changes.sort_by_key(|it| it.effect);
    let mut out: String = changes.iter().map(|it| format!("{it}\n")).collect();
    let count = |effect| changes.iter().filter(|it| it.effect == effect).count();
    let (breaking, compatible) = (count(Effect::Breaks), count(Effect::Extends));
    let version = before["version"].as_str().unwrap_or("");
    out.push_str(&match (breaking, compatible) {
        (0, 0) => "callers see no difference\n".to_owned(),
        (0, _) => format!(
            "nothing breaks callers; {compatible} compatible: {}\n",
            bump(version, false)
        ),
        _ => format!(
            "{breaking} break callers, {compatible} compatible: {}\n",
            bump(version, true)
        ),
    });
    print(out)?;
    Ok(ExitCode::from(u8::from(breaking > 0)))
}

/// The version that the changes ask for (Semantic Versioning): before 1.0.0 a minor version may break callers.
fn bump(version: &str, breaks: bool) -> String {
    let part = match (breaks, version.starts_with("0.")) {
        (true, false) => 0,
        (true, true) | (false, false) => 1,
        (false, true) => 2,
    };
    let name = ["major", "minor", "patch"][part];
    let plain = version.split(['-', '+']).next().unwrap_or("");
    let numbers: Option<Vec<u64>> = plain.split('.').map(|it| it.parse().ok()).collect();
    match numbers.filter(|it| it.len() == 3) {
        Some(mut numbers) => {
            numbers[part] += 1;
            numbers[part + 1..].fill(0);
            let next: Vec<String> = numbers.iter().map(u64::to_string).collect();
            format!(
                "the next version is a {name} one, {} after {version}",
                next.join(".")
            )
        }
        None => format!("the next version is a {name} one"),
    }
}
