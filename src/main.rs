//! The bundled server: the library with the functions for Provenance Blockchain and Figure Markets.

use std::process::ExitCode;

/// The allocator of musl, with which the deployed binary is built, is slow.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    bifold::main(bifold::provenance::server)
}
