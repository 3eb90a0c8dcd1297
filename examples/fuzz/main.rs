//! Fuzzes every parser with mutated input: no panic, no undeclared server error, no malformed answer, no hang.
//!
//! `cargo run --release --example fuzz -- --seconds 60` runs each target for a minute, `--target head` runs only one,
//! and `--target head --input FILE` runs a saved input. The same seed generates the same inputs.

mod campaign;
mod mutate;
mod seeds;
mod server;
mod shrink;
mod targets;
mod verdict;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;

use campaign::{Campaign, StopAfter};
use world::{Failure, World};

#[derive(Parser)]
struct Options {
    /// How long each target runs.
    #[arg(long, conflicts_with = "inputs")]
    seconds: Option<u64>,
    /// The number of inputs of each target, if no time is given.
    #[arg(long, default_value_t = 2_000)]
    inputs: u64,
    /// The seed of the random inputs.
    #[arg(long, default_value_t = 20_260_728)]
    seed: u64,
    /// The only target to run.
    #[arg(long, default_value = "all")]
    target: String,
    /// A file with one input to run.
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Failure> {
    let options = Options::parse();
    let world = Arc::new(World::start().await?);
    let mut targets = targets::all(&world).await?;
    let names: Vec<&str> = targets.iter().map(|it| it.name).collect();
    if options.target != "all" && !names.contains(&options.target.as_str()) {
        return Err(format!(
            "there is no target `{}`, there are: all {}",
            options.target,
            names.join(" ")
        )
        .into());
    }
    targets.retain(|it| options.target == "all" || options.target == it.name);
    let until = match options.seconds {
        Some(seconds) => StopAfter::Time(Duration::from_secs(seconds)),
        None => StopAfter::Inputs(options.inputs),
    };
    let campaign = Campaign::new(world, options.seed, until);
    let (mut inputs, mut failures) = (0, 0);
    for target in &targets {
        let report = match &options.input {
            Some(file) => campaign.repeat(target, std::fs::read(file)?).await,
            None => campaign.run(target).await?,
        };
        println!("{report}");
        inputs += report.inputs;
        failures += report.failures;
    }
    println!("{inputs} inputs, {failures} failures");
    Ok(ExitCode::from(u8::from(failures > 0)))
}
