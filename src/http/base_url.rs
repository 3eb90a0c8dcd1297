//! The URL under which clients reach the application, as one request shows it.

use http::HeaderMap;
use http::header::HOST;

use crate::http::host;

/// The path whose response needs the URL; other requests do not compute it.
pub const DOCUMENT: &str = "/openapi.json";

/// The header in which the platform names the scheme of the client's connection.
const SCHEME: &str = "x-forwarded-proto";

/// A URL to which paths can be added: scheme, host, and the prefix of every path. An integration puts it into the
/// extensions of the request.
#[derive(Clone, Debug)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// The URL of a request on a socket of this machine, if it names a host.
    pub fn of_socket(headers: &HeaderMap) -> Option<BaseUrl> {
        let host = headers.get(HOST)?.to_str().ok()?;
        Some(BaseUrl(format!("http://{host}")))
    }

    /// The URL of a request that came through an integration, which took `prefix` from its path; relative where neither a
    /// header nor the integration names a host.
    pub fn of_integration(headers: &HeaderMap, domain: Option<&str>, prefix: &str) -> BaseUrl {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let Some(host) = text(HOST.as_str()).or(domain) else {
            return BaseUrl("./".to_owned());
        };
        // The integrations of the platform are reached over TLS, and emulators on this machine are not.
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let scheme = match text(SCHEME) {
            Some(scheme @ ("http" | "https")) => scheme,
            _ if host::is_loopback(name) || host::is_loopback(host) => "http",
            _ => "https",
        };
        BaseUrl(format!("{scheme}://{host}{prefix}"))
    }

    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
