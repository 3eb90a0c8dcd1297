//! The hosts that a request may name, so that a page whose name was bound to this address (DNS rebinding) reaches nothing.

use std::net::{IpAddr, Ipv6Addr};

use http::header::HOST;
use http::{HeaderMap, HeaderValue, Request, Version};

/// The characters of a refused host that are repeated to its caller.
const SHOWN: usize = 200;

/// The accepted hosts.
#[derive(Debug)]
pub struct Hosts {
    named: Vec<Pattern>,
    /// Whether the list is the operator's, and all other hosts are refused everywhere.
    is_listed: bool,
}

/// A host of the list: a name, or `*.` and a name for every host below it; with a port for that one alone.
#[derive(Debug)]
struct Pattern {
    name: String,
    port: Option<u16>,
}

/// The host that a request names.
struct Named<'a> {
    /// As the client sent it.
    text: &'a str,
    /// Without the dot of the root.
    name: &'a str,
    port: Option<u16>,
}

/// Why a request is refused.
#[derive(Debug)]
pub enum Mistake {
    /// It names no host, or several.
    Invalid(&'static str),
    /// It names a host that is not accepted.
    Foreign(String),
}

impl Hosts {
    /// The listed hosts, and those of `urls`, whose hosts are the server's own or trusted with its answers.
    ///
    /// # Errors
    /// The listed host that is invalid.
    pub fn new<'a>(
        listed: &[String],
        urls: impl IntoIterator<Item = &'a str>,
    ) -> Result<Hosts, String> {
        let parse = |text: &String| {
            Pattern::parse(text).ok_or_else(|| {
                format!("`{text}` is not a valid host; use a form such as `api.example.com`, `api.example.com:8443` or `*.example.com`")
            })
        };
        let mut named = listed.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        named.extend(urls.into_iter().filter_map(Pattern::of_url));
        Ok(Hosts {
            named,
            is_listed: !listed.is_empty(),
        })
    }

    /// Checks the host of a request that came over a listener on that address, or through an integration. A target that
    /// has a host replaces the header (RFC 9112 §3.2.2), so that all that follows reads the same one.
    ///
    /// # Errors
    /// The header is missing, repeated or invalid, or the host is not accepted.
    pub fn check<B>(
        &self,
        request: &mut Request<B>,
        listener: Option<IpAddr>,
    ) -> Result<(), Mistake> {
        let named = header(request.headers())?;
        let Some(authority) = request.uri().authority() else {
            // Health checks of load balancers name none, by HTTP/1.0 or in the event of an integration.
            if named.is_none() && listener.is_some() && request.version() > Version::HTTP_10 {
                return Err(Mistake::Invalid("header `host` is missing"));
            }
            return self.admit_named(named, listener);
        };
        let value = HeaderValue::from_str(authority.as_str()).ok();
        let value = value.filter(|_| split(authority.as_str()).is_some());
        let value = value.ok_or(Mistake::Invalid("the target of the request names no host"))?;
        request.headers_mut().insert(HOST, value);
        self.admit(request.headers(), listener)
    }

    /// Checks the header alone, where a request has no target.
    ///
    /// # Errors
    /// It is repeated or invalid, or its host is not accepted.
    pub fn admit(&self, headers: &HeaderMap, listener: Option<IpAddr>) -> Result<(), Mistake> {
        self.admit_named(header(headers)?, listener)
    }

    fn admit_named(&self, named: Option<Named>, listener: Option<IpAddr>) -> Result<(), Mistake> {
        let Some(Named { text, name, port }) = named else {
            return Ok(());
        };
        let is_local = listener.is_some_and(|ip| ip.to_canonical().is_loopback());
        let is_open = !self.is_listed && (!is_local || is_loopback(name));
        if is_open || self.named.iter().any(|it| it.matches(name, port)) {
            return Ok(());
        }
        let shown: String = text.chars().take(SHOWN).collect();
        let own = match is_local && !self.is_listed {
            true => "call it as 127.0.0.1 or localhost, or ",
            false => "",
        };
        Err(Mistake::Foreign(format!(
            "this server does not answer for host `{shown}`: {own}list the host in BIFOLD_ALLOWED_HOSTS"
        )))
    }
}

impl Pattern {
    fn parse(text: &str) -> Option<Pattern> {
        let (below, host) = match text.strip_prefix("*.") {
            Some(host) => ("*.", host),
            None => ("", text),
        };
        let (name, port) = split(host)?;
        Some(Pattern {
            name: format!("{below}{}", name.to_ascii_lowercase()),
            port,
        })
    }

    /// The host of a URL or an origin, on any port.
    fn of_url(url: &str) -> Option<Pattern> {
        let (_, rest) = url.split_once("://")?;
        let (name, _) = split(rest.split('/').next()?)?;
        Some(Pattern {
            name: name.to_ascii_lowercase(),
            port: None,
        })
    }

    fn matches(&self, name: &str, port: Option<u16>) -> bool {
        // Clients leave out the default port of the scheme.
        let is_port = self.port.is_none_or(|own| match port {
            Some(port) => own == port,
            None => matches!(own, 80 | 443),
        });
        is_port
            && match self.name.strip_prefix('*') {
                Some(end) => ends_with(name, end),
                None => is_same(name, &self.name),
            }
    }
}

/// Whether `host`, which may have brackets and no port, is a name or an address of this machine alone.
pub fn is_loopback(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let inside = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let ip: Option<IpAddr> = inside.unwrap_or(host).parse().ok();
    ip.is_some_and(|ip| ip.to_canonical().is_loopback())
        || host.eq_ignore_ascii_case("localhost")
        || ends_with(host, ".localhost")
}

/// Whether two hosts are the same one: an IPv6 address has more than one spelling.
fn is_same(one: &str, other: &str) -> bool {
    let address = |host: &str| -> Option<Ipv6Addr> {
        let inside = host.strip_prefix('[')?.strip_suffix(']')?;
        inside.parse().ok()
    };
    one.eq_ignore_ascii_case(other) || address(one).is_some_and(|it| address(other) == Some(it))
}

/// The header of a request, if it has one.
fn header(headers: &HeaderMap) -> Result<Option<Named<'_>>, Mistake> {
    let mut hosts = headers.get_all(HOST).iter();
    let Some(host) = hosts.next() else {
        return Ok(None);
    };
    if hosts.next().is_some() {
        return Err(Mistake::Invalid("header `host` is repeated"));
    }
    let text = host.to_str().unwrap_or("");
    let (name, port) =
        split(text).ok_or(Mistake::Invalid("header `host` is not a valid host name"))?;
    Ok(Some(Named { text, name, port }))
}

/// The name or the address of a host, without the dot of the root, and its port.
fn split(text: &str) -> Option<(&str, Option<u16>)> {
    let end = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, _) = rest.split_once(']')?;
            address.parse::<Ipv6Addr>().ok()?;
            address.len() + 2
        }
        None => text.find(':').unwrap_or(text.len()),
    };
    let (name, port) = text.split_at(end);
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let is_name = name.starts_with('[') || name.bytes().all(is_legal);
    let port = match port.strip_prefix(':') {
        Some("") => None,
        Some(digits) if digits.bytes().all(|it| it.is_ascii_digit()) => Some(digits.parse().ok()?),
        None if port.is_empty() => None,
        _ => return None,
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    let has_labels = name.split('.').all(|label| !label.is_empty());
    (is_name && has_labels).then_some((name, port))
}

/// Whether there is something before that suffix.
fn ends_with(name: &str, end: &str) -> bool {
    let start = name.len().checked_sub(end.len());
    let tail = start
        .filter(|start| *start > 0)
        .and_then(|it| name.get(it..));
    tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}
