//! The binary: the library with the bundled functions, as a Lambda function or on this machine.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    // Lambda sets this variable for every runtime; nothing of the command line is read there.
    match std::env::var_os("AWS_LAMBDA_RUNTIME_API") {
        Some(_) => cli::lambda(),
        None => cli::run(),
    }
}
