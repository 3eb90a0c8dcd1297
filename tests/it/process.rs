//! The binary itself: as a Lambda function, as a local server, and on the command line.

mod access;
mod cli;
mod client;
mod contract;
mod early;
mod faults;
#[cfg(feature = "mounts")]
mod kept;
mod log;
#[cfg(all(target_os = "linux", feature = "mounts"))]
mod mounts;
pub mod platform;
mod prepare;
mod runtime;
pub mod serve;
mod sockets;
mod stop;
mod stream;
mod workers;

use std::process::Stdio;

use tokio::process::Command;

/// The binary without the settings of the test environment; it is killed when it is dropped.
fn binary() -> Command {
    alone(Command::new(env!("CARGO_BIN_EXE_bifold")))
}

/// A command without the settings of the test environment; it is killed when it is dropped.
pub fn alone(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if ["BIFOLD_", "AWS_", "_X_AMZN", "RUST_"]
            .iter()
            .any(|it| name.starts_with(it))
        {
            command.env_remove(&*name);
        }
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}
