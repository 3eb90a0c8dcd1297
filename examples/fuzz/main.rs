//! Mutated input for every parser: no panic, no answer from 500 on that is not declared, no answer that cannot be read,
//! no hang.
//!
//! `cargo run --release --example fuzz -- --seconds 60` runs each target for a minute, `--target head` one alone, and
//! `--target head --input FILE` an input that was kept. The same seed makes the same inputs.

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

use campaign::{Campaign, Until};
use world::{Failure, World};

#[derive(Parser)]
struct Options {
    /// How long each target runs.
    #[arg(long, conflicts_with = "inputs")]
    seconds: Option<u64>,
    /// How many inputs each target gets, where no time is given.
    #[arg(long, default_value_t = 2_000)]
    inputs: u64,
    /// What the inputs are made from.
    #[arg(long, default_value_t = 20_260_728)]
    seed: u64,
    /// One target alone.
    #[arg(long, default_value = "all")]
    target: String,
    /// A file with one input, which is run instead.
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
        Some(seconds) => Until::Time(Duration::from_secs(seconds)),
        None => Until::Inputs(options.inputs),
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
