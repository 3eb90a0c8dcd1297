//! The bundled server: the library with the functions for Provenance Blockchain and Figure Markets.

use std::process::ExitCode;

fn main() -> ExitCode {
    bifold::main(bifold::provenance::server)
}
