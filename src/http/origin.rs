//! The origins whose browser pages may call: the listed ones, and the server's own.

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderValue, Uri};

use crate::http::host::is_loopback;

/// The listed origins, in addition to the server's own.
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

/// Whether the request names at most one origin, without user information: no browser sends it, and
/// `https://trusted@evil.example` would look like another origin.
pub fn is_well_formed(headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    let first = origins.next();
    origins.next().is_none() && first.is_none_or(|origin| !origin.as_bytes().contains(&b'@'))
}

/// The server's own pages: the same host over TLS, or a page of this machine on a server of this machine.
/// The same host without TLS would admit a page whose name was bound to this address (DNS rebinding).
fn is_own(origin: &str, headers: &HeaderMap) -> bool {
    let Ok(uri) = origin.parse::<Uri>() else {
        return false;
    };
    let own: Option<Uri> = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok()?.parse().ok());
    let Some(own) = own else { return false };
    let has_user = |uri: &Uri| uri.authority().is_some_and(|it| it.as_str().contains('@'));
    if has_user(&uri) || has_user(&own) {
        return false;
    }
    match uri.scheme_str() {
        Some("https") if uri.authority() == own.authority() => true,
        Some("http" | "https") => {
            uri.host().is_some_and(is_loopback) && own.host().is_some_and(is_loopback)
        }
        _ => false,
    }
}
