//! What operators see: the log, the access line of each request, its metrics, and traces.
//!
//! [`main`](crate::main) starts the log. An application with a `main` of its own starts it once:
//!
//! ```
//! use bifold::telemetry::{self, Format};
//!
//! telemetry::start(Format::Json, "info,my_app=debug")?;
//! tracing::info!("the log is ready");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod access_line;
mod log;
mod metrics;
pub(crate) mod spans;
pub(crate) mod trace;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tracing::{debug, error};
use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::error::Error;
use crate::error::excerpt::sentence;

pub(crate) use access_line::AccessLine;

/// The format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// JSON lines on standard output, for log collectors.
    Json,
    /// Lines for people on standard error.
    Text,
}

/// The result of a request as the access line reports it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Outcome {
    /// The protocol method, or the REST route.
    pub method: Option<&'static str>,
    /// The function that was called.
    pub function: Option<Arc<str>>,
    /// The error kind.
    pub error: Option<&'static str>,
}

/// The outcome of a streamed response, which is set when the stream ends.
#[derive(Clone, Debug, Default)]
pub struct PendingOutcome(Arc<OnceLock<Outcome>>);

/// Starts the log; a second start in the same process has no effect, nor has one in a program with a subscriber of its own,
/// which gets the same events: those of access lines have the fields that [`Format::Json`] writes.
///
/// A panic of a function is one event more, with its place and the request id. What the program or the standard library
/// prints of a panic stays as it is.
///
/// # Errors
/// `levels` is not a list such as `info` or `warn,bifold=debug`.
pub fn start(format: Format, levels: &str) -> Result<(), ParseError> {
    let levels: Targets = levels.parse()?;
    let started = match format {
        Format::Json => {
            let levels = without_loop(levels);
            log::json().with(levels).try_init()
        }
        Format::Text => log::text().with(levels).try_init(),
    };
    if started.is_ok() {
        log_panics();
    }
    Ok(())
}

/// Leaves out the warnings of `lambda_runtime`, unless they are asked for: it repeats each without a pause while the
/// platform is gone, and what runs it reports the same once.
fn without_loop(levels: Targets) -> Targets {
    const LOOP: &str = "lambda_runtime";
    if levels.iter().any(|(target, _)| target.starts_with(LOOP)) {
        return levels;
    }
    let most = levels.default_level().unwrap_or(LevelFilter::OFF);
    levels.with_target(LOOP, most.min(LevelFilter::ERROR))
}

/// Writes an event for each panic, before what the process does with panics anyway.
fn log_panics() {
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let location = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        // The span of the call adds its request id.
        error!(location, "a function panicked");
        previous(panic);
    }));
}

/// Whether the process has a log already, ours or that of the program.
pub(crate) fn is_started() -> bool {
    tracing::dispatcher::has_been_set()
}

impl Outcome {
    /// The outcome of a protocol method, or of a route without a function.
    pub(crate) fn of_method(method: &'static str) -> Outcome {
        Outcome {
            method: Some(method),
            ..Outcome::default()
        }
    }

    /// The outcome of a request that was cancelled by its caller, or by the end of the process.
    pub(crate) fn aborted() -> Outcome {
        Outcome {
            error: Some("cancelled"),
            ..Outcome::default()
        }
    }

    /// The outcome of a cancelled call of this function.
    pub(crate) fn cancelled(function: Arc<str>) -> Outcome {
        Outcome {
            function: Some(function),
            ..Outcome::aborted()
        }
    }

    /// The outcome of a call; the source of its error goes to the log.
    pub(crate) fn of_call(function: Arc<str>, error: Option<Error>) -> Outcome {
        if let Some(error) = &error {
            cause(&function, error);
        }
        Outcome {
            method: None,
            function: Some(function),
            error: error.map(|it| it.kind().as_str()),
        }
    }
}

impl PendingOutcome {
    /// Sets the outcome at the end of the stream.
    pub(crate) fn end(&self, outcome: Outcome) {
        // Only the first end counts; a second one must not fail the response.
        let _ = self.0.set(outcome);
    }

    /// The outcome, if the stream has ended.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.0.get()
    }
}

/// Logs the internal part of an error, which nothing else writes or returns.
pub(crate) fn cause(function: &str, error: &Error) {
    use std::error::Error as _;

    if let Some(source) = error.source() {
        debug!(function, source = &*sentence(&source.to_string()), "cause");
    }
}

/// Milliseconds, with microsecond precision.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}

/// The text of [`millis`]. Each response has it twice, and two integers are written faster than a fraction.
pub(crate) fn decimal(duration: Duration) -> String {
    let micros = duration.as_micros() as u64;
    let (whole, rest) = (micros / 1000, micros % 1000);
    let mut text = whole.to_string();
    if rest > 0 {
        text.push('.');
        // The leading one keeps the zeros.
        text.push_str(&(1000 + rest).to_string()[1..]);
        text.truncate(text.trim_end_matches('0').len());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_written_as_the_fraction_is() {
        for micros in [
            0,
            1,
            10,
            100,
            999,
            1_000,
            1_001,
            12_340,
            100_000,
            86_400_000_001,
        ] {
            let duration = Duration::from_micros(micros);
            assert_eq!(decimal(duration), millis(duration).to_string());
        }
    }
}
