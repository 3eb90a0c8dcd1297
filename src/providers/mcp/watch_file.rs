//! Notices that the file of mounted servers has changed: by its time, which is looked at now and then, or by SIGHUP.

use std::future::pending;
use std::sync::Weak;
use std::time::{Duration, SystemTime};

use tokio::time::sleep;
use tracing::{info, warn};

use super::mounts::Mounts;
use super::published::Change;

/// How often the time of the file is looked at.
const INTERVAL: Duration = Duration::from_secs(2);

/// Reloads whenever the file has changed, as long as the mounts exist.
pub(super) async fn watch_file(path: String, mounts: Weak<Mounts>, change: Change) {
    let mut hangups = Hangups::new();
    let mut seen = stamp(&path);
    loop {
        let is_asked = tokio::select! {
            () = sleep(INTERVAL) => false,
            () = hangups.next() => true,
        };
        let Some(mounts) = mounts.upgrade() else {
            return;
        };
        let now = stamp(&path);
        if now == seen && !is_asked {
            continue;
        }
        seen = now;
        match mounts.reload(&change) {
            Ok(()) => info!("the mounted servers were read again"),
            Err(problems) => {
                let problem = problems.join("; ");
                warn!(problem, "the mounted servers stay as they were");
            }
        }
    }
}

/// What changes with the file: its time and its size.
fn stamp(path: &str) -> Option<(SystemTime, u64)> {
    let known = std::fs::metadata(path).ok()?;
    Some((known.modified().ok()?, known.len()))
}

/// The signals to read the settings again.
struct Hangups {
    #[cfg(unix)]
    pipe: Option<tokio::net::UnixStream>,
}

impl Hangups {
    #[cfg(unix)]
    fn new() -> Hangups {
        Hangups {
            pipe: pipe()
                .inspect_err(|error| warn!(%error, "SIGHUP is not heard"))
                .ok(),
        }
    }

    #[cfg(not(unix))]
    fn new() -> Hangups {
        Hangups {}
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(pipe) = &mut self.pipe {
            use tokio::io::AsyncReadExt;

            let mut signals = [0; 64];
            if matches!(pipe.read(&mut signals).await, Ok(count) if count > 0) {
                return;
            }
            self.pipe = None;
        }
        pending().await
    }
}

/// A pipe on which each signal is a byte.
#[cfg(unix)]
fn pipe() -> std::io::Result<tokio::net::UnixStream> {
    let (reader, writer) = std::os::unix::net::UnixStream::pair()?;
    signal_hook::low_level::pipe::register(signal_hook::consts::SIGHUP, writer)?;
    reader.set_nonblocking(true)?;
    tokio::net::UnixStream::from_std(reader)
}
