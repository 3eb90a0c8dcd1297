//! What operators see: the subscriber, and one line for each request.

use std::io::IsTerminal;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tracing::{debug, error, info, warn};
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::error::{Error, Kind};

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON lines on standard output, as log collectors want them.
    Json,
    /// Lines for people on standard error.
    Text,
}

/// What the log says of a request beside its duration; a face leaves it in the response's extensions.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The protocol method, or the REST route.
    pub method: Option<&'static str>,
    /// The function that was called.
    pub function: Option<&'static str>,
    /// The kind of the failure.
    pub error: Option<&'static str>,
}

/// The outcome of an answer that is still being written, set when it is whole.
#[derive(Clone, Debug, Default)]
pub struct Pending(Arc<OnceLock<Outcome>>);

/// The fields of the one line.
pub struct Line<'a> {
    /// `mcp`, `rest`, `ws` or `site`.
    pub face: &'static str,
    /// What happened.
    pub outcome: &'a Outcome,
    /// The HTTP status.
    pub status: u16,
    /// From the request's arrival to its answer.
    pub duration: Duration,
    /// Upstream requests.
    pub upstream_calls: u32,
    /// The sum of their durations.
    pub upstream_time: Duration,
    /// The id that also stands in `x-request-id`.
    pub request_id: &'a str,
    /// Whether it is the first request of this process.
    pub cold_start: bool,
    /// Whether a part of the answer was lost.
    pub is_partial: bool,
}

/// Starts the log; a second start in the same process changes nothing.
///
/// # Errors
/// `levels` is no list such as `info` or `warn,bifold=debug`.
pub fn start(format: Format, levels: &str) -> Result<(), ParseError> {
    let levels: Targets = levels.parse()?;
    let registry = tracing_subscriber::registry().with(levels);
    let started = match format {
        Format::Json => {
            let lines = tracing_subscriber::fmt::layer()
                .json()
                .flatten_event(true)
                .with_current_span(false)
                .with_span_list(false);
            registry.with(lines).try_init()
        }
        Format::Text => {
            let lines = tracing_subscriber::fmt::layer()
                .compact()
                .with_target(false)
                .with_ansi(std::io::stderr().is_terminal())
                .with_writer(std::io::stderr);
            registry.with(lines).try_init()
        }
    };
    // An embedding application may have a subscriber of its own, which is then the one that counts.
    drop(started);
    std::panic::set_hook(Box::new(|panic| {
        // The message may repeat arguments, so at the default level only the place is told.
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        error!(place, "a function panicked");
        debug!(message = %panic, "panic");
    }));
    Ok(())
}

impl Outcome {
    /// A protocol method or a route that is no function.
    pub fn of_method(method: &'static str) -> Outcome {
        Outcome {
            method: Some(method),
            ..Outcome::default()
        }
    }

    /// A call of a function whose caller went away before its end.
    pub fn cancelled(function: &'static str) -> Outcome {
        Outcome {
            function: Some(function),
            error: Some("cancelled"),
            ..Outcome::default()
        }
    }

    /// A call of a function. The inside of its error goes to the log.
    pub fn of_call(function: &'static str, error: Option<Error>) -> Outcome {
        if let Some(error) = &error {
            cause(function, error);
        }
        Outcome {
            method: None,
            function: Some(function),
            error: error.map(|it| it.kind().as_str()),
        }
    }
}

impl Pending {
    /// The answer is whole.
    pub fn end(&self, outcome: Outcome) {
        // It ends once; a second end would be a defect that is no reason to fail the answer.
        let _ = self.0.set(outcome);
    }

    /// The outcome, once the answer is whole.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.0.get()
    }
}

impl Line<'_> {
    fn verdict(&self) -> &'static str {
        match self.outcome.error {
            Some(_) => "error",
            None if self.is_partial => "partial",
            None => "ok",
        }
    }

    /// Writes the line: an error of this server as an error, a lost call as a warning, all else as information.
    pub fn write(&self) {
        macro_rules! line {
            ($level:ident) => {
                $level!(
                    face = self.face,
                    method = self.outcome.method,
                    function = self.outcome.function,
                    outcome = self.verdict(),
                    error = self.outcome.error,
                    status = self.status,
                    duration_ms = millis(self.duration),
                    upstream_calls = self.upstream_calls,
                    upstream_ms = millis(self.upstream_time),
                    request_id = self.request_id,
                    cold_start = self.cold_start,
                    "request"
                )
            };
        }
        match self.outcome.error {
            Some(kind) if kind == Kind::Internal.as_str() => line!(error),
            Some(_) if self.status >= 500 => line!(warn),
            _ => line!(info),
        }
    }
}

/// Writes the inside of an error, which goes to the log once and nowhere else.
pub fn cause(function: &str, error: &Error) {
    if let Some(inside) = error.inside() {
        debug!(function, %inside, "cause");
    }
}

/// Writes that a task has ended.
pub fn task(function: &str, error: Option<&str>, duration: Duration) {
    let outcome = if error.is_some() { "error" } else { "ok" };
    let duration_ms = millis(duration);
    match error {
        Some(kind) if kind == Kind::Internal.as_str() => {
            error!(function, outcome, error, duration_ms, "task");
        }
        _ => info!(function, outcome, error, duration_ms, "task"),
    }
}

/// Milliseconds with microsecond precision.
pub fn millis(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}
