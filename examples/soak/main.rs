//! Calls both protocols for a while, first with faulty upstreams, then beside hostile clients: no wrong answer, no
//! late answer, no growth of memory.
//!
//! `cargo run --release --example soak -- --seconds 120`; `--hostile pings,bodies` selects hostile clients,
//! `--hostile none` runs without them.

mod cases;
mod faults;
mod honest;
mod hostile;
mod process;
mod scene;
mod siege;

use bifold::{App, Config, local, provenance};
use clap::Parser;
use tokio::net::TcpListener;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Parser)]
struct Options {
    /// Total time in seconds: a third with faulty upstreams, the rest beside hostile clients.
    #[arg(long, default_value_t = 90)]
    seconds: u64,
    /// The number of concurrent honest callers.
    #[arg(long, default_value_t = 16)]
    callers: usize,
    /// The planned faults, as in `BIFOLD_REPLAY_FAULTS`.
    #[arg(
        long,
        default_value = "explorer=500@4,explorer=reset@4,explorer=truncate@4,explorer=delay:50@4,explorer=shape@4,\
                                 lcd=429:1@10,lcd=503@10,exchange=garbage@10,exchange=type@5,exchange=slow:50@5"
    )]
    faults: String,
    /// The hostile clients, comma-separated.
    #[arg(long, default_value = "all")]
    hostile: String,
    /// The maximum memory of the server beside hostile clients, in MB.
    #[arg(long, default_value_t = 400)]
    most_mb: u64,
    /// Runs as the server that the clients use.
    #[arg(long, hide = true)]
    serve: bool,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let options = Options::parse();
    if options.serve {
        return serve().await;
    }
    let hostile = hostile::chosen(&options.hostile)?;
    let of_faults = if hostile.is_empty() {
        options.seconds
    } else {
        options.seconds / 3
    };
    faults::run(&options, of_faults).await?;
    match hostile.is_empty() {
        true => Ok(()),
        false => siege::run(&options, hostile, options.seconds - of_faults).await,
    }
}

/// Serves with the settings of the environment, and prints the address.
async fn serve() -> Result<(), Failure> {
    let config = Config::from_env()?;
    let listener = TcpListener::bind(config.listen).await?;
    println!("{}", listener.local_addr()?);
    let app = App::new(config, provenance::server())?;
    Ok(local::serve(app, listener, local::signal()).await?)
}
