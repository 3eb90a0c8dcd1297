//! What is known about a request beside the request itself.

use std::net::IpAddr;

use http::HeaderValue;

use crate::auth::Principal;
use crate::clock::TimeLeft;

/// What the integration knows of a request that the request itself does not say.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RequestInfo {
    /// The platform's id of the request; one is made up where neither the platform nor the caller gives one.
    pub id: Option<String>,
    /// The time until the platform gives up waiting.
    pub time_left: Option<TimeLeft>,
    /// The principal, as the integration has checked it: request states and tasks of a call belong to it alone.
    pub principal: Option<Principal>,
    /// The header of X-Ray with which the platform traces the request, instead of the one in the request.
    pub trace: Option<HeaderValue>,
    /// The address of the client, on Lambda the one that the event names. Without a principal, upstream limits and the
    /// records in memory are shared fairly by its network.
    pub peer: Option<IpAddr>,
    /// The address of the listener that it came over; it is held to HTTP's rules of hosts, and on loopback to local names.
    pub listener: Option<IpAddr>,
    /// Whether the integration sends the response only once it is complete: then the client cannot be asked meanwhile.
    pub is_whole: bool,
    /// The bytes of the largest response that the integration takes, where that is known.
    pub most_bytes: Option<usize>,
}
