//! Settings that hold addresses: URLs, paths, hosts and origins.

use crate::http::host::Hosts;

/// A URL to which paths can be added.
pub(super) fn endpoint(value: &str) -> Result<String, String> {
    let url: Option<http::Uri> = value.parse().ok();
    let is_plain = |url: &http::Uri| {
        matches!(url.scheme_str(), Some("http" | "https")) && url.query().is_none()
    };
    match url.as_ref().is_some_and(is_plain) {
        true => Ok(value.trim_end_matches('/').to_owned()),
        false => Err("expected a URL such as `https://ws.example.com/ws`".into()),
    }
}

pub(super) fn base_path(value: &str) -> Result<String, String> {
    let is_path = value.starts_with('/') && !value.ends_with('/');
    match is_path {
        true => Ok(value.to_owned()),
        false => Err("expected a path such as `/v1`".into()),
    }
}

/// The public URL, to which paths are added, so it has no query.
pub(super) fn public_url(value: &str) -> Result<String, String> {
    let url = endpoint(value).ok();
    let has_user = |url: &String| url.contains('@') || url.contains('#');
    url.filter(|url| !has_user(url))
        .ok_or_else(|| "expected a URL such as `https://api.example.com/v1`".into())
}

/// Hosts, parsed by the same rules as the `Host` header of a request.
pub(super) fn hosts(value: &str) -> Result<Vec<String>, String> {
    let hosts = value.split(',').map(str::trim).filter(|it| !it.is_empty());
    let hosts: Vec<String> = hosts.map(str::to_owned).collect();
    Hosts::new(&hosts, []).map(|_| hosts)
}

/// Origins as browsers send them: a scheme, a host, an optional port, and nothing else.
pub(super) fn origins(value: &str) -> Result<Vec<String>, String> {
    let origins = value.split(',').map(str::trim).filter(|it| !it.is_empty());
    let check = |origin: &str| {
        let (scheme, host) = origin.split_once("://").unwrap_or_default();
        let port = match scheme {
            "http" => ":80",
            "https" => ":443",
            _ => "",
        };
        // Browsers send an origin in lower case and without the scheme's default port, and it is compared as text.
        let is_own = !port.is_empty() && host.ends_with(port);
        let legal =
            |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || b"-._:[]".contains(&it);
        let is_written = !scheme.is_empty() && !host.is_empty() && host.bytes().all(legal);
        match is_written && !is_own && scheme.bytes().all(|it| legal(it) || it == b'+') {
            true => Ok(origin.to_owned()),
            false => Err(format!(
                "`{origin}` is not an origin; expected one such as `https://claude.ai`"
            )),
        }
    };
    origins.map(check).collect()
}
