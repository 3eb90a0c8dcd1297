//! The address of the client, as the integration of an event has seen it.

use std::net::{IpAddr, SocketAddr};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::lambda::events::field::{Field, Fields, merged, text};

/// The header in which load balancers name the client.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The caller in a request context of payload 1.0 or of a WebSocket API.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    #[serde(borrow, default)]
    source_ip: Field<'a>,
}

/// The address that an API has seen, which stands in the identity of the request context.
pub(crate) fn of_identity(identity: Option<&RawValue>) -> Option<IpAddr> {
    let identity: Identity<'_> = serde_json::from_str(identity?.get()).ok()?;
    address(&text(identity.source_ip)?)
}

/// The address that a load balancer has seen. It appends it to the header, so the last entry is its own; the entries
/// before it are what the client sent, who could write anything there.
///
/// Source: the guide of Application Load Balancers, "HTTP headers".
pub(crate) fn of_balancer(
    first: Option<&Fields<'_>>,
    second: Option<&Fields<'_>>,
) -> Option<IpAddr> {
    let lines = merged(first, second, str::eq_ignore_ascii_case);
    let lines = lines.filter(|(name, _)| name.eq_ignore_ascii_case(FORWARDED_FOR));
    let (_, line) = lines.last()?;
    address(line.rsplit(',').next()?)
}

/// An address, which may have its client's port.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse().ok().map(|it: SocketAddr| it.ip());
    text.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_a_port() {
        for (text, expected) in [
            ("203.0.113.10", Some("203.0.113.10")),
            (" 203.0.113.10 ", Some("203.0.113.10")),
            ("203.0.113.10:51234", Some("203.0.113.10")),
            ("2001:db8::7", Some("2001:db8::7")),
            ("[2001:db8::7]:51234", Some("2001:db8::7")),
            ("", None),
            ("unknown", None),
            ("test-invoke-source-ip", None),
        ] {
            let expected = expected.map(|it| it.parse().unwrap());
            assert_eq!(address(text), expected, "{text}");
        }
    }
}
