//! Which pages in a browser may call: those of the listed origins, and the server's own.

use http::header::HOST;
use http::{HeaderMap, HeaderValue, Uri};

/// The origins that were listed, beside the server's own.
#[derive(Clone, Debug)]
pub struct AllowedOrigins(Vec<String>);

impl AllowedOrigins {
    /// The listed ones, as browsers send them.
    pub fn new(listed: Vec<String>) -> AllowedOrigins {
        AllowedOrigins(listed)
    }

    /// Whether a page of `origin` may make the request with these headers.
    pub fn admit(&self, origin: &HeaderValue, headers: &HeaderMap) -> bool {
        let Ok(origin) = origin.to_str() else {
            return false;
        };
        self.0.iter().any(|it| it == origin) || is_own(origin, headers)
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
        Some("http" | "https") => is_loopback(uri.host()) && is_loopback(own.host()),
        _ => false,
    }
}

fn is_loopback(host: Option<&str>) -> bool {
    let own = ["localhost", "127.0.0.1", "[::1]"];
    host.is_some_and(|host| own.iter().any(|it| host.eq_ignore_ascii_case(it)))
}
