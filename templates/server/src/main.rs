//! The program: `bifold::main` reads the command line and the settings, and serves on Lambda or locally.

use bifold::prelude::*;

/// The allocator of musl, with which the deployed binary is built, is slow.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    bifold::main({{crate_name}}::server)
}
