//! The front doors: where an event comes from, and so how its answer is wrapped and whether it is streamed.

use crate::config::{Config, Transfer};

/// Where an event comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// A Function URL (payload 2.0).
    FunctionUrl,
    /// An HTTP API of API Gateway with payload 2.0.
    HttpApi,
    /// An HTTP API that asks for payload 1.0.
    HttpApiV1,
    /// A REST API of API Gateway (payload 1.0).
    RestApi,
    /// An Application Load Balancer.
    LoadBalancer,
    /// An Application Load Balancer whose target group has multi-value headers.
    LoadBalancerLists,
}

impl Door {
    /// Whether its answers are streamed. An event never says so, and neither does the Runtime API: it is a property of
    /// the URL and of the integration, which the settings repeat. All other doors take whole answers alone.
    pub(super) fn is_streamed(self, config: &Config) -> bool {
        let transfer = match self {
            Door::FunctionUrl => config.invoke_mode,
            Door::RestApi => config.response_transfer_mode,
            _ => Transfer::Buffered,
        };
        transfer == Transfer::Streamed
    }

    /// Whether each header is a list of lines, and not one line.
    pub(super) fn has_lists(self) -> bool {
        matches!(
            self,
            Door::HttpApiV1 | Door::RestApi | Door::LoadBalancerLists
        )
    }

    /// Whether cookies have a field of their own. A REST API refuses an answer with a field that it does not know.
    pub(super) fn has_cookies(self) -> bool {
        matches!(self, Door::FunctionUrl | Door::HttpApi)
    }

    /// Whether the answer repeats its status in words.
    pub(super) fn has_reason(self) -> bool {
        matches!(self, Door::LoadBalancer | Door::LoadBalancerLists)
    }
}
