//! Mixed calls on both protocols for a while, first against upstreams with faults, then beside hostile clients: no wrong
//! answer, none that is late, no growth.
//!
//! `cargo run --release --example soak -- --seconds 120`; `--hostile pings,bodies` takes some of the hostile clients,
//! `--hostile none` leaves them out.

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
    /// How long to call: a third of it against faults, the rest beside hostile clients.
    #[arg(long, default_value_t = 90)]
    seconds: u64,
    /// Honest callers at the same time.
    #[arg(long, default_value_t = 16)]
    callers: usize,
    /// What goes wrong upstream, as `BIFOLD_REPLAY_FAULTS` takes it.
    #[arg(
        long,
        default_value = "explorer=500@4,explorer=reset@4,explorer=truncate@4,explorer=delay:50@4,explorer=shape@4,\
                                 lcd=429:1@10,lcd=503@10,exchange=garbage@10,exchange=type@5,exchange=slow:50@5"
    )]
    faults: String,
    /// The hostile clients, comma-separated.
    #[arg(long, default_value = "all")]
    hostile: String,
    /// The most memory that the server may have beside hostile clients, in MB.
    #[arg(long, default_value_t = 400)]
    most_mb: u64,
    /// Be the server that the clients are let loose on.
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

/// Serves with the settings of the environment, and says where.
async fn serve() -> Result<(), Failure> {
    let config = Config::from_env()?;
    let listener = TcpListener::bind(config.listen).await?;
    println!("{}", listener.local_addr()?);
    let app = App::new(config, provenance::server())?;
    Ok(local::serve(app, listener, local::signal()).await?)
}
