//! What operators see: the subscriber, one line for each request, and the metrics in it.

mod events;
mod line;
mod metrics;
pub(crate) mod spans;
pub(crate) mod trace;

use std::io::IsTerminal;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tracing::{debug, error};
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::error::Error;
use crate::error::excerpt::sentence;

use events::Events;
pub(crate) use line::Line;

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// JSON lines on standard output, as log collectors want them.
    Json,
    /// Lines for people on standard error.
    Text,
}

/// What the log says of a request beside its duration; a protocol leaves it in the response's extensions.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
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

/// Starts the log; a second start in the same process changes nothing.
///
/// # Errors
/// `levels` is no list such as `info` or `warn,bifold=debug`.
pub fn start(format: Format, levels: &str) -> Result<(), ParseError> {
    let levels: Targets = levels.parse()?;
    let started = match format {
        Format::Json => {
            let lines = tracing_subscriber::fmt::layer()
                .json()
                .flatten_event(true)
                .with_current_span(false)
                .with_span_list(false);
            Events.with(levels).with(lines).try_init()
        }
        Format::Text => {
            let lines = tracing_subscriber::fmt::layer()
                .compact()
                .with_target(false)
                .with_ansi(std::io::stderr().is_terminal())
                .with_writer(std::io::stderr);
            let registry = tracing_subscriber::registry();
            registry.with(levels).with(lines).try_init()
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
        debug!(message = &*sentence(&panic.to_string()), "panic");
    }));
    Ok(())
}

impl Outcome {
    /// A protocol method or a route that is no function.
    pub(crate) fn of_method(method: &'static str) -> Outcome {
        Outcome {
            method: Some(method),
            ..Outcome::default()
        }
    }

    /// A request whose caller went away before its end, or whose process did.
    pub(crate) fn given_up() -> Outcome {
        Outcome {
            error: Some("cancelled"),
            ..Outcome::default()
        }
    }

    /// The same, once it is known that it calls this function.
    pub(crate) fn cancelled(function: &'static str) -> Outcome {
        Outcome {
            function: Some(function),
            ..Outcome::given_up()
        }
    }

    /// A call of a function. The inside of its error goes to the log.
    pub(crate) fn of_call(function: &'static str, error: Option<Error>) -> Outcome {
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
    pub(crate) fn end(&self, outcome: Outcome) {
        // It ends once; a second end would be a defect that is no reason to fail the answer.
        let _ = self.0.set(outcome);
    }

    /// The outcome, once the answer is whole.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.0.get()
    }
}

/// Writes the inside of an error, which goes to the log once and nowhere else.
pub(crate) fn cause(function: &str, error: &Error) {
    if let Some(inside) = error.inside() {
        debug!(function, inside = &*sentence(&inside.to_string()), "cause");
    }
}

/// Milliseconds with microsecond precision.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}
