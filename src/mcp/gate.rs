//! Who may post to the endpoint: the origin of a browser page and the type of the body.

use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::{HeaderMap, Uri};

use super::fault::Fault;

/// A request without `Origin` comes from no browser page and passes (MCP 2026-07-28, transports).
pub(super) fn check(headers: &HeaderMap, allowed: &[String]) -> Result<(), Fault> {
    if let Some(origin) = headers.get(ORIGIN) {
        let origin = origin.to_str().map_err(|_| Fault::forbidden_origin())?;
        if !allowed.iter().any(|it| it == origin) && !is_own(origin, headers) {
            return Err(Fault::forbidden_origin());
        }
    }
    match headers
        .get(CONTENT_TYPE)
        .map(|value| value.to_str().unwrap_or(""))
    {
        Some(value) if !is_json(value) => Err(Fault::unsupported_media_type()),
        _ => Ok(()),
    }
}

/// The server's own pages: the same host over TLS, or a page of this machine on a server of this machine.
/// The same host without TLS would let a page in whose name was bound again to this address.
fn is_own(origin: &str, headers: &HeaderMap) -> bool {
    let Ok(uri) = origin.parse::<Uri>() else {
        return false;
    };
    let own: Option<Uri> = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok()?.parse().ok());
    let Some(own) = own else { return false };
    match uri.scheme_str() {
        Some("https") if uri.authority() == own.authority() => true,
        _ => is_loopback(uri.host()) && is_loopback(own.host()),
    }
}

fn is_loopback(host: Option<&str>) -> bool {
    let own = ["localhost", "127.0.0.1", "[::1]"];
    host.is_some_and(|host| own.iter().any(|it| host.eq_ignore_ascii_case(it)))
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or("").trim();
    essence.eq_ignore_ascii_case("application/json")
}
