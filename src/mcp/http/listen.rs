//! The `GET /mcp` event stream of revisions before 2026-07-28.

use futures_util::StreamExt;
use futures_util::stream;
use http::HeaderMap;

use crate::context::Context;
use crate::mcp::http::endpoint::Endpoint;
use crate::mcp::http::gate;
use crate::mcp::http::response::McpResponse;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::version::{Version, absent_id};
use crate::mcp::messages::{accept, headers};
use crate::mcp::methods::subscriptions;

impl Endpoint {
    /// Whether clients of revisions before 2026-07-28 can open a `GET` stream.
    pub(crate) fn tells(&self) -> bool {
        self.updates.has_topics()
    }

    /// Opens the `GET` stream. It carries every change that is announced to all clients.
    pub(crate) fn listen_to_all(&self, headers: &HeaderMap, cx: &Context) -> McpResponse {
        if let Err(rpc_error) = self.check_listener(headers) {
            return McpResponse::rpc_error(absent_id(headers), rpc_error);
        }
        let events = subscriptions::listen_to_all(&self.updates, cx.expiry());
        McpResponse::listening(events.unwrap_or_else(|| stream::empty().boxed()))
    }

    fn check_listener(&self, headers: &HeaderMap) -> Result<(), RpcError> {
        gate::check(headers, &self.origins)?;
        match headers::text(headers, headers::VERSION)? {
            Some(version) if Version::parse(version).is_none() => {
                Err(RpcError::unsupported_version(version))
            }
            _ if !accept::events(headers) => Err(RpcError::not_acceptable()),
            _ => Ok(()),
        }
    }
}
