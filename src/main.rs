//! The bundled server: the library with the functions for Provenance Blockchain and Figure Markets.

use std::process::ExitCode;

/// The allocator of musl, with which the deployed binary is built, is slow.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    bifold::main(bifold::provenance::server)
}
