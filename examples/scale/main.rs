//! What calls cost in a month, and what they need: `cargo run --example scale -- calls=2e9 memory_mb=512`.
//!
//! Every assumption is a parameter with a default. `docs/scale.md` explains the result.

mod assumptions;
mod estimate;

use std::process::ExitCode;

use assumptions::Assumptions;

fn main() -> ExitCode {
    match Assumptions::from_args(std::env::args().skip(1)) {
        Ok(assumptions) => {
            print!(
                "{}\n{}",
                estimate::assumed(&assumptions),
                estimate::report(&assumptions)
            );
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
    }
}
