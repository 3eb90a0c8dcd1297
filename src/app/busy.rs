//! Refuses requests that exceed the memory for request data.

use axum::body::Body;
use axum::extract::Request;
use http::{Method, Response};

use super::entry::protocol_of;
use super::{App, MCP, RequestInfo, framing, mcp_http};
use crate::http::buffers::Buffers;
use crate::http::refusal::Refusal;
use crate::rest;

impl App {
    /// The memory for request data.
    pub(crate) fn buffers(&self) -> &Buffers {
        &self.services.buffers
    }

    /// The bytes of requests that are held now, of those that count against `max_buffered_bytes`.
    pub fn held_bytes(&self) -> usize {
        self.buffers().held()
    }

    /// Refuses a request for lack of memory, in the form of its protocol.
    pub(crate) fn refuse_busy(
        &self,
        request: &Request,
        detail: &str,
        request_info: RequestInfo,
    ) -> Response<Body> {
        let path = request.uri().path();
        let entry = self.entry(protocol_of(path), request.headers(), request_info);
        let refusal = Refusal::busy(detail);
        let mut answered = match path == MCP {
            true => mcp_http::refused(request.headers(), refusal),
            false => rest::refused(refusal, entry.cx.request_id()),
        };
        framing::settle(&mut answered.response, request.method() == Method::HEAD);
        entry.finish(answered)
    }
}
