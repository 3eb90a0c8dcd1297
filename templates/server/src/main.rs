//! The program: `bifold::main` reads the command line and the settings, and serves on Lambda or locally.

use bifold::prelude::*;

fn main() -> ExitCode {
    bifold::main({{crate_name}}::server)
}
