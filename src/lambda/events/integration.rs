//! The integrations: the source of an event decides the format of its response and whether it is streamed.

use std::time::Duration;

use crate::config::{Config, Transfer};

/// Bytes that are reserved for the head of a response and for the envelope around the results in its body.
const HEAD_RESERVE: usize = 64 << 10;

/// The source of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Integration {
    /// A Function URL (payload 2.0).
    FunctionUrl,
    /// An HTTP API of API Gateway with payload 2.0.
    HttpApi,
    /// An HTTP API of API Gateway that is set to payload 1.0.
    HttpApiV1,
    /// A REST API of API Gateway (payload 1.0).
    RestApi,
    /// An Application Load Balancer.
    LoadBalancer,
    /// An Application Load Balancer whose target group has multi-value headers.
    LoadBalancerLists,
}

impl Integration {
    /// Whether its responses are streamed. Neither the event nor the Runtime API says so: it is configured on the
    /// Function URL or the REST API, and the settings must repeat it. All other integrations take only whole responses.
    pub(crate) fn is_streamed(self, config: &Config) -> bool {
        let transfer = match self {
            Integration::FunctionUrl => config.invoke_mode,
            Integration::RestApi => config.response_transfer_mode,
            _ => Transfer::Buffered,
        };
        transfer == Transfer::Streamed
    }

    /// The largest body in bytes, with room left for the head: a load balancer takes a document of 1 MB; for all others
    /// Lambda takes a document of 6 MB or a stream of 200 MB.
    ///
    /// Source: the Lambda quotas, and the load balancer guide, "Lambda functions as targets".
    pub(crate) fn max_body_bytes(self, is_streamed: bool) -> usize {
        let whole: usize = match self {
            _ if is_streamed => 200_000_000,
            Integration::LoadBalancer | Integration::LoadBalancerLists => 1_000_000,
            Integration::FunctionUrl
            | Integration::HttpApi
            | Integration::HttpApiV1
            | Integration::RestApi => 6 << 20,
        };
        whole - HEAD_RESERVE
    }

    /// The integration's own timeout, where it is shorter than that of a function: 30 s for an HTTP API, 29 s for a REST
    /// API whose response is not streamed. An account may have raised the latter, which is not visible here.
    ///
    /// Source: the API Gateway quotas in the developer guide.
    pub(crate) fn timeout(self, is_streamed: bool) -> Option<Duration> {
        match self {
            Integration::HttpApi | Integration::HttpApiV1 => Some(Duration::from_secs(30)),
            Integration::RestApi if !is_streamed => Some(Duration::from_secs(29)),
            _ => None,
        }
    }

    /// Whether each header is a list of values, and not one value.
    pub(crate) fn has_multi_value_headers(self) -> bool {
        matches!(
            self,
            Integration::HttpApiV1 | Integration::RestApi | Integration::LoadBalancerLists
        )
    }

    /// Whether cookies have a field of their own. A REST API refuses a response with an unknown field.
    pub(crate) fn has_cookies(self) -> bool {
        matches!(self, Integration::FunctionUrl | Integration::HttpApi)
    }

    /// Whether the response also has its status in words.
    pub(crate) fn has_status_description(self) -> bool {
        matches!(
            self,
            Integration::LoadBalancer | Integration::LoadBalancerLists
        )
    }
}
