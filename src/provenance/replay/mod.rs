//! Recorded upstreams of the bundled functions, for `--replay` and for tests.

mod chain;
mod recorded;
mod wallets;

use std::io;
use std::ops::Deref;
use std::sync::Arc;

use crate::app::Starting;
use crate::clock::{Clock, Timestamp};
use crate::config::{Config, Setting};
use crate::error::{Error, Result};
use crate::testing::{CannedUpstream, FaultPlan};

pub use chain::{OPERATOR, TRANSACTION};
pub use wallets::{DELAYED, MOVING, PERIODIC, PERMANENT, PLAIN, VESTING};

/// The time of the recording; the clock is fixed to it, so that the recorded data stays valid.
pub const RECORDED_AT: &str = "2025-11-18T12:00:00Z";

/// The recorded upstreams.
const UPSTREAMS: [&str; 3] = ["explorer", "lcd", "exchange"];

const REPLAY: &str = "BIFOLD_REPLAY";
const FAULTS: &str = "BIFOLD_REPLAY_FAULTS";

/// A running server of the recorded bodies, which stops when it is dropped.
pub struct Replay(CannedUpstream);

impl Replay {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// The error of the socket.
    pub async fn start() -> io::Result<Replay> {
        CannedUpstream::start(recorded::answer).await.map(Replay)
    }

    /// Points every bundled upstream to this server, and fixes the clock to the time of the recording unless it was
    /// set.
    pub fn configure(&self, config: &mut Config) {
        config
            .application
            .insert(REPLAY.to_owned(), "true".to_owned());
        // The limits protect public APIs; this server does not need them.
        config.upstream_limits = false;
        for name in UPSTREAMS {
            config.upstream_urls.insert(name.to_owned(), self.url(name));
        }
        if let Clock::System = config.clock {
            let recorded = Timestamp::parse(RECORDED_AT).expect("the constant is a date and time");
            config.clock = Clock::Fixed(recorded);
        }
    }

    /// Parses a list of faults such as `explorer=500@20`.
    ///
    /// # Errors
    /// The invalid entry.
    pub fn faults(list: &str) -> Result<FaultPlan, String> {
        FaultPlan::parse(list, &UPSTREAMS)
    }
}

impl Deref for Replay {
    type Target = CannedUpstream;

    fn deref(&self) -> &CannedUpstream {
        &self.0
    }
}

/// The setting that switches the recorded upstreams on.
pub(super) fn switch() -> Setting {
    let meaning = "answer from recorded upstream bodies instead of the network; the clock is fixed to the time of the recording.";
    Setting::switch(REPLAY, meaning)
}

/// The setting with the planned faults.
pub(super) fn faults() -> Setting {
    let meaning =
        "planned faults of the recorded upstreams, e.g. `explorer=500@20,lcd=delay:3000`.";
    let check = |list: &str| Replay::faults(list).map(drop);
    Setting::new(FAULTS, "", meaning).check("faults", check)
}

/// Starts the recorded upstreams if the settings require them; they live as long as the application.
pub(super) async fn start(mut starting: Starting) -> Result<Starting> {
    if starting.setting(REPLAY) != "true" {
        return Ok(starting);
    }
    let failed =
        |error| Error::internal("the recorded upstreams cannot be started").with_source(error);
    let replay = Replay::start().await.map_err(failed)?;
    replay.plan_faults(Replay::faults(starting.setting(FAULTS)).map_err(Error::internal)?);
    replay.configure(&mut starting.config);
    starting.state(Arc::new(replay));
    tracing::info!(
        recorded_at = RECORDED_AT,
        "replay: upstreams are recorded data, not the network"
    );
    Ok(starting)
}
