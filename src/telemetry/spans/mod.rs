//! What OpenTelemetry calls spans: requests to this server and to upstreams, with their place in a trace.
//!
//! They are exported where the crate is built with the feature `otel`; else none are made.

#[cfg(feature = "otel")]
mod otel;

use std::time::Duration;

use crate::telemetry::trace::Trace;

#[cfg(feature = "otel")]
pub use otel::Spans;

/// One attempt of a request to an upstream.
#[cfg_attr(not(feature = "otel"), allow(dead_code))]
pub struct Exchange<'a> {
    /// The upstream's name.
    pub upstream: &'static str,
    /// The span of the attempt.
    pub place: &'a Trace,
    /// The time from the request to the response.
    pub duration: Duration,
    /// The HTTP status, if there was a response.
    pub status: Option<u16>,
    /// The kind of the failure.
    pub error: Option<&'static str>,
}

/// No spans.
#[cfg(not(feature = "otel"))]
pub struct Spans;

#[cfg(not(feature = "otel"))]
impl Spans {
    /// Nowhere to send them to.
    ///
    /// # Errors
    /// None.
    pub fn new<C>(_: &crate::config::Config, _: C) -> Result<Spans, String> {
        Ok(Spans)
    }

    /// A request to this server has ended.
    pub fn request(&self, _: &crate::telemetry::Line<'_>) {}

    /// A request to an upstream has ended.
    pub fn exchange(&self, _: Exchange<'_>) {}

    /// Sends what has ended.
    pub async fn flush(&self, _: Duration) {}

    /// Never ready.
    pub async fn keep_flushing(&self) {
        std::future::pending().await
    }
}
