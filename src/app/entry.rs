//! The start of a request: its context, and its entry in the log.

use std::sync::{Arc, OnceLock};

use http::HeaderMap;
use tokio::time::Instant;

use super::{App, MCP, RequestInfo};
use crate::clock::{Countdown, Deadline};
use crate::context::request_log::{REQUEST_ID, RequestLog};
use crate::context::{Budget, BudgetRef, Call, Context};
use crate::telemetry::trace::Trace;
use crate::upstream::Meter;

impl App {
    /// A context outside any request.
    pub fn context(&self) -> Context {
        let mut call = self.new_call(&HeaderMap::new(), RequestInfo::default());
        call.is_trusted = true;
        Context::new(self.services.clone(), Arc::new(call))
    }

    pub(super) fn entry(
        &self,
        protocol: &'static str,
        headers: &HeaderMap,
        request_info: RequestInfo,
    ) -> RequestLog {
        RequestLog {
            protocol,
            method: None,
            status: None,
            since: Instant::now(),
            cold_start: self.services.process.count(),
            cx: self.context_of(headers, request_info),
        }
    }

    pub(crate) fn context_of(&self, headers: &HeaderMap, request_info: RequestInfo) -> Context {
        let call = Arc::new(self.new_call(headers, request_info));
        Context::new(self.services.clone(), call)
    }

    fn new_call(&self, headers: &HeaderMap, request_info: RequestInfo) -> Call {
        let config = &self.services.config;
        let given = headers
            .get(REQUEST_ID)
            .and_then(|id| id.to_str().ok())
            .filter(|id| is_id(id))
            .map(str::to_owned);
        let id = given
            .or_else(|| request_info.id.clone())
            .unwrap_or_else(|| format!("{:032x}", fastrand::u128(..)));
        let usable = |margin| request_info.time_left.map(|it| it.usable(margin));
        let limit = usable(config.deadline_margin);
        let limit = limit.map_or(config.call_timeout, |it| it.min(config.call_timeout));
        let end = |margin| usable(margin).map(Deadline::after);
        let most = request_info.most_bytes.unwrap_or(usize::MAX);
        let budget = Budget::new(most.min(config.max_response_bytes), request_info.is_whole);
        Call {
            id,
            invocation: request_info.id,
            trace: Trace::from_headers(headers, request_info.trace.as_ref()),
            named: OnceLock::new(),
            countdown: Countdown::new(Deadline::after(limit), end(config.deadline_margin)),
            stream_end: end(config.stream_margin),
            meter: Arc::new(Meter::default()),
            budget: BudgetRef::Own(budget),
            principal: OnceLock::new(),
            checked: request_info
                .principal
                .map(|it| self.services.auth.complete(it)),
            is_trusted: false,
            denial: OnceLock::new(),
            quota: OnceLock::new(),
            peer: request_info.peer,
            registry: OnceLock::new(),
            is_part: false,
            is_whole: request_info.is_whole,
        }
    }
}

/// The protocol of a path, for the log. The path itself is not logged: it may contain a wallet address.
pub(super) fn protocol_of(path: &str) -> &'static str {
    match path {
        MCP => "mcp",
        "/ws" => "ws",
        _ if path.starts_with("/api/") => "rest",
        _ => "site",
    }
}

/// Ids from callers are logged, so only characters that cannot break a log line are accepted.
fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}
