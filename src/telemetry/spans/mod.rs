//! OpenTelemetry spans of requests to this server and to upstreams.
//!
//! They are created and exported only if the crate is built with the feature `otel`.

#[cfg(feature = "otel")]
mod otel;

use std::time::Duration;

use crate::telemetry::trace::Trace;

#[cfg(feature = "otel")]
pub use otel::Spans;

/// One request to an upstream, without its retries.
#[cfg_attr(not(feature = "otel"), allow(dead_code))]
pub struct Exchange<'a> {
    /// The name of the upstream.
    pub upstream: &'a str,
    /// The method of the request.
    pub method: &'a str,
    /// The span of the request.
    pub span: &'a Trace,
    /// From sending the request to its response.
    pub duration: Duration,
    /// The HTTP status, if there is a response.
    pub status: Option<u16>,
    /// The error kind.
    pub error: Option<&'static str>,
}

/// Spans are disabled in this build.
#[cfg(not(feature = "otel"))]
pub struct Spans;

#[cfg(not(feature = "otel"))]
impl Spans {
    /// Spans need the feature `otel`.
    ///
    /// # Errors
    /// None.
    pub fn new<C>(_: &crate::config::Config, _: C) -> Result<Spans, String> {
        Ok(Spans)
    }

    /// Records the end of a request to this server.
    pub fn request(&self, _: &crate::telemetry::AccessLine<'_>) {}

    /// Records the end of a request to an upstream.
    pub fn exchange(&self, _: Exchange<'_>) {}

    /// Exports the ended spans.
    pub async fn flush(&self, _: Duration) {}

    /// Never completes.
    pub async fn keep_flushing(&self) {
        std::future::pending().await
    }
}
