//! Settings of authorization and of rate limits: how their values are parsed and shown.

use std::collections::BTreeMap;
use std::time::Duration;

use super::kind::Kind;
use crate::http::host;

/// So many calls in a period, at once or one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// The calls of one period, at least 1.
    pub calls: u32,
    /// The period.
    pub period: Duration,
}

/// What lists show to a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Every function.
    All,
    /// The functions that the caller may call.
    Allowed,
}

pub(super) const ISSUERS: Kind<Vec<String>> = Kind {
    takes: "URLs",
    parse: |value| words(value).map(issuer).collect(),
    show: |value| value.join(","),
};

pub(super) const JWKS: Kind<Option<String>> = Kind {
    takes: "URL",
    parse: |value| issuer(value).map(Some),
    // The default is none.
    show: |_| String::new(),
};

pub(super) const WORDS: Kind<Vec<String>> = Kind {
    takes: "names",
    parse: |value| Ok(words(value).map(str::to_owned).collect()),
    show: |value| value.join(","),
};

pub(super) const SCOPE_MAP: Kind<BTreeMap<String, Vec<String>>> = Kind {
    takes: "JSON",
    parse: |value| {
        serde_json::from_str(value).map_err(|_| {
            "expected a JSON object of lists such as `{\"notes:admin\": [\"notes:write\"]}`".into()
        })
    },
    show: |_| String::new(),
};

pub(super) const LISTING: Kind<Listing> = Kind {
    takes: "all, allowed",
    parse: |value| match value {
        "all" => Ok(Listing::All),
        "allowed" => Ok(Listing::Allowed),
        _ => Err("expected `all` or `allowed`".into()),
    },
    show: |value| match value {
        Listing::All => "all".to_owned(),
        Listing::Allowed => "allowed".to_owned(),
    },
};

pub(super) const SOURCE: Kind<Option<String>> = Kind {
    takes: "path or lines",
    parse: |value| Ok(Some(value.to_owned()).filter(|it| !it.is_empty())),
    // The default is none.
    show: |_| String::new(),
};

pub(super) const RATE: Kind<Option<RateLimit>> = Kind {
    takes: "calls/period",
    parse: |value| rate(value).map(Some),
    show: |_| String::new(),
};

pub(super) const RATES: Kind<BTreeMap<String, RateLimit>> = Kind {
    takes: "class=calls/period",
    parse: |value| {
        let pairs = value.split(',').map(|pair| {
            let pair = pair.trim().split_once('=');
            let (class, limit) = pair.ok_or("expected classes such as `wallet=10/m`")?;
            Ok((class.to_owned(), rate(limit)?))
        });
        pairs.collect()
    },
    show: |_| String::new(),
};

/// Words with commas or spaces between them.
fn words(value: &str) -> impl Iterator<Item = &str> {
    value
        .split([',', ' ', '\n', '\t'])
        .filter(|it| !it.is_empty())
}

/// The URL of an issuer or of its keys: over TLS, or on this machine.
fn issuer(value: &str) -> Result<String, String> {
    let url: Option<http::Uri> = value.parse().ok();
    let is_usable = url.is_some_and(|url| {
        let is_local = url.host().is_some_and(host::is_loopback);
        let has_user = url.authority().is_some_and(|it| it.as_str().contains('@'));
        let is_safe = match url.scheme_str() {
            Some("https") => true,
            Some("http") => is_local,
            _ => false,
        };
        is_safe && url.query().is_none() && !has_user && !value.contains('#')
    });
    match is_usable {
        true => Ok(value.to_owned()),
        false => Err(format!(
            "`{value}`: expected a URL with `https://`; `http://` is taken on this machine alone"
        )),
    }
}

/// Parses `100/m`: calls in a second, a minute, an hour or a day.
fn rate(value: &str) -> Result<RateLimit, String> {
    let wrong = || format!("`{value}`: expected calls per `s`, `m`, `h` or `d`, such as `100/m`");
    let (calls, unit) = value.trim().split_once('/').ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    match calls.parse() {
        Ok(calls @ 1..=1_000_000) => Ok(RateLimit {
            calls,
            period: Duration::from_secs(seconds),
        }),
        _ => Err(wrong()),
    }
}
