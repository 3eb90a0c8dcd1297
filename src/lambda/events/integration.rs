//! The integrations: where an event comes from, and so how its answer is wrapped and whether it is streamed.

use std::time::Duration;

use crate::config::{Config, Transfer};

/// The bytes that are kept for the head of an answer, and for what stands around the results in its body.
const HEAD: usize = 64 << 10;

/// Where an event comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Integration {
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

impl Integration {
    /// Whether its answers are streamed. An event never says so, and neither does the Runtime API: it is a property of
    /// the URL and of the integration, which the settings repeat. All other integrations take whole answers alone.
    pub(crate) fn is_streamed(self, config: &Config) -> bool {
        let transfer = match self {
            Integration::FunctionUrl => config.invoke_mode,
            Integration::RestApi => config.response_transfer_mode,
            _ => Transfer::Buffered,
        };
        transfer == Transfer::Streamed
    }

    /// The bytes of the largest body that it passes on, beside which there is room for the head: a load balancer takes
    /// a document of 1 MB, and Lambda gives all others one of 6 MB, or streams 200 MB.
    ///
    /// Source: the quotas of Lambda, and what the guide of load balancers says of Lambda functions as targets.
    pub(crate) fn most_bytes(self, is_streamed: bool) -> usize {
        let whole: usize = match self {
            _ if is_streamed => 200_000_000,
            Integration::LoadBalancer | Integration::LoadBalancerLists => 1_000_000,
            Integration::FunctionUrl
            | Integration::HttpApi
            | Integration::HttpApiV1
            | Integration::RestApi => 6 << 20,
        };
        whole - HEAD
    }

    /// How long the integration waits for an answer, where that is less than a function may take: an HTTP API waits for
    /// 30 s, a REST API for 29 s unless the answer is streamed or the account has asked for more.
    ///
    /// Source: the quotas of API Gateway in the developer guide.
    pub(crate) fn patience(self, is_streamed: bool) -> Option<Duration> {
        match self {
            Integration::HttpApi | Integration::HttpApiV1 => Some(Duration::from_secs(30)),
            Integration::RestApi if !is_streamed => Some(Duration::from_secs(29)),
            _ => None,
        }
    }

    /// Whether each header is a list of lines, and not one line.
    pub(crate) fn has_lists(self) -> bool {
        matches!(
            self,
            Integration::HttpApiV1 | Integration::RestApi | Integration::LoadBalancerLists
        )
    }

    /// Whether cookies have a field of their own. A REST API refuses an answer with a field that it does not know.
    pub(crate) fn has_cookies(self) -> bool {
        matches!(self, Integration::FunctionUrl | Integration::HttpApi)
    }

    /// Whether the answer repeats its status in words.
    pub(crate) fn has_reason(self) -> bool {
        matches!(
            self,
            Integration::LoadBalancer | Integration::LoadBalancerLists
        )
    }
}
