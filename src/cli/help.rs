//! The command line of an application and its `--help`: the name, the switches, and every setting.

use clap::{Arg, ArgAction, Command};

use crate::app::Server;
use crate::config::{Config, Setting};

const PURPOSE: &str =
    "Serves functions to agents over MCP (POST /mcp) and to programs over REST (/api/*).";

/// The command line of this application.
pub(super) fn command(command: Command, server: &Server) -> Command {
    let info = &server.info;
    let about = info.description.as_deref().unwrap_or(PURPOSE);
    let settings = settings(server);
    let switches = || {
        server
            .settings
            .iter()
            .filter(|it| it.is_switch())
            .map(option)
    };
    command
        .name(info.name.clone().into_owned())
        .version(info.version.clone().into_owned())
        .about(about.to_owned())
        .after_help("`--help` lists the settings of the environment.")
        .after_long_help(settings)
        .args(switches())
        .mut_subcommand("serve", |it| it.args(switches()))
        .mut_subcommand("stdio", |it| it.args(switches()))
        .mut_subcommand("call", |it| it.args(switches()))
}

/// A switch of the application as an option: `--replay` for `BIFOLD_REPLAY`.
fn option(setting: &Setting) -> Arg {
    Arg::new(setting.name().to_owned())
        .long(setting.option().replace('_', "-"))
        .action(ArgAction::SetTrue)
        .help(setting.meaning().to_owned())
}

/// The list of settings, those of the application first.
fn settings(server: &Server) -> String {
    let mut text = "Settings come from the environment. With AWS_LAMBDA_RUNTIME_API set, the same program is a Lambda \
                    function.\n"
        .to_owned();
    let own = (server.info.name.as_ref(), server.settings.clone());
    let library = Config::settings();
    let groups = [own].into_iter().chain(library);
    for (group, settings) in groups.filter(|(_, settings)| !settings.is_empty()) {
        text.push_str(&format!("\n{group}:\n"));
        for setting in settings {
            let default = match setting.default() {
                "" => String::new(),
                default => format!(", default {default}"),
            };
            let (name, takes, meaning) = (setting.name(), setting.takes(), setting.meaning());
            text.push_str(&format!("  {name} ({takes}{default})\n      {meaning}\n"));
        }
    }
    text
}
