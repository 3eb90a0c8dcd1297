//! The kinds of settings: how a value is parsed, and how a default is shown.

use std::net::SocketAddr;
use std::time::Duration;

use super::address::{base_path, endpoint, hosts, origins, public_url};
use super::{Key, Transfer};
use crate::clock::{Clock, Timestamp};

/// How the values of a kind of setting are parsed and shown.
pub(super) struct Kind<T> {
    /// The accepted values, in a word or two.
    pub(super) takes: &'static str,
    pub(super) parse: fn(&str) -> Result<T, String>,
    /// The value as it is written in the environment; empty for none.
    pub(super) show: fn(&T) -> String,
}

pub(super) const ADDRESS: Kind<SocketAddr> = Kind {
    takes: "address:port",
    parse: |value| {
        value
            .parse()
            .map_err(|_| "expected an address such as `127.0.0.1:8787`".into())
    },
    show: SocketAddr::to_string,
};

pub(super) const SWITCH: Kind<bool> = Kind {
    takes: super::setting::SWITCH,
    parse: boolean,
    show: bool::to_string,
};

pub(super) const MILLISECONDS: Kind<Duration> = Kind {
    takes: "milliseconds",
    parse: milliseconds,
    show: |value| value.as_millis().to_string(),
};

/// Milliseconds, or `0`.
pub(super) const MARGIN: Kind<Duration> = Kind {
    takes: "milliseconds",
    parse: |value| match value {
        "0" => Ok(Duration::ZERO),
        _ => milliseconds(value),
    },
    show: |value| value.as_millis().to_string(),
};

pub(super) const BYTES: Kind<usize> = Kind {
    takes: "bytes",
    parse: bytes,
    show: usize::to_string,
};

/// Bytes, or `0`.
pub(super) const BYTES_OR_NONE: Kind<usize> = Kind {
    takes: "bytes",
    parse: |value| {
        value
            .parse()
            .map_err(|_| "expected a number of bytes".into())
    },
    show: usize::to_string,
};

pub(super) const CONNECTIONS: Kind<usize> = Kind {
    takes: "number",
    parse: |value| bytes(value).map_err(|_| "expected a number of connections above 0".into()),
    show: usize::to_string,
};

pub(super) const HOSTS: Kind<Vec<String>> = Kind {
    takes: "hosts",
    parse: hosts,
    show: |value| value.join(","),
};

pub(super) const PUBLIC_URL: Kind<Option<String>> = Kind {
    takes: "URL",
    parse: |value| public_url(value).map(Some),
    show: optional,
};

pub(super) const TRIES: Kind<u32> = Kind {
    takes: "1 to 10",
    parse: |value| match value.parse() {
        Ok(tries @ 1..=10) => Ok(tries),
        _ => Err("expected a whole number from 1 to 10".into()),
    },
    show: u32::to_string,
};

pub(super) const FAILURES: Kind<u32> = Kind {
    takes: "number",
    parse: |value| {
        value
            .parse()
            .map_err(|_| "expected a number of failures".into())
    },
    show: u32::to_string,
};

pub(super) const TEXT: Kind<String> = Kind {
    takes: "text",
    parse: |value| Ok(value.to_owned()),
    show: String::clone,
};

/// A number, or `0`.
pub(super) const COUNT: Kind<usize> = Kind {
    takes: "number",
    parse: |value| value.parse().map_err(|_| "expected a number".into()),
    show: usize::to_string,
};

pub(super) const PATH_OF_FILE: Kind<Option<String>> = Kind {
    takes: "file",
    parse: |value| Ok(Some(value.to_owned())),
    show: optional,
};

pub(super) const PATH: Kind<String> = Kind {
    takes: "path",
    parse: base_path,
    show: String::clone,
};

pub(super) const KEYS: Kind<Vec<Key>> = Kind {
    takes: "keys",
    parse: keys,
    // Keys are never shown, and the default is none.
    show: |_| String::new(),
};

pub(super) const ORIGINS: Kind<Vec<String>> = Kind {
    takes: "origins",
    parse: origins,
    show: |value| value.join(","),
};

pub(super) const INVOKE_MODE: Kind<Transfer> = Kind {
    takes: "buffered, response_stream",
    parse: |value| transfer(value, "response_stream"),
    show: |value| shown(*value, "response_stream"),
};

pub(super) const TRANSFER_MODE: Kind<Transfer> = Kind {
    takes: "buffered, stream",
    parse: |value| transfer(value, "stream"),
    show: |value| shown(*value, "stream"),
};

pub(super) const TABLE: Kind<Option<String>> = Kind {
    takes: "name",
    parse: |value| table(value).map(Some),
    show: optional,
};

pub(super) const URL: Kind<Option<String>> = Kind {
    takes: "URL",
    parse: |value| endpoint(value).map(Some),
    show: optional,
};

/// A variable that other programs also read, where an empty value means none.
pub(super) const COLLECTOR: Kind<Option<String>> = Kind {
    takes: "URL",
    parse: |value| Ok(Some(value.to_owned()).filter(|it| !it.is_empty())),
    show: optional,
};

pub(super) const NAMESPACE: Kind<Option<String>> = Kind {
    takes: "name",
    parse: |value| namespace(value).map(Some),
    show: optional,
};

pub(super) const FUNCTION: Kind<Option<String>> = Kind {
    takes: "name",
    parse: |value| Ok(Some(value.to_owned())),
    show: optional,
};

pub(super) const CLOCK: Kind<Clock> = Kind {
    takes: "RFC 3339 time",
    parse: |value| Timestamp::parse(value).map(Clock::Fixed),
    show: |value| match value {
        Clock::System => String::new(),
        Clock::Fixed(at) => at.to_string(),
    },
};

fn optional(value: &Option<String>) -> String {
    value.clone().unwrap_or_default()
}

fn shown(value: Transfer, streamed: &str) -> String {
    match value {
        Transfer::Buffered => "buffered".to_owned(),
        Transfer::Streamed => streamed.to_owned(),
    }
}

/// Parses keys. An error never repeats the value, which may be a real key with a typing error.
fn keys(value: &str) -> Result<Vec<Key>, String> {
    let keys: Option<Vec<Key>> = value.split(',').map(|it| Key::parse(it.trim())).collect();
    keys.ok_or_else(|| {
        "expected keys of 64 hexadecimal digits, as `openssl rand -hex 32` gives".into()
    })
}

pub(super) fn boolean(value: &str) -> Result<bool, String> {
    value
        .parse()
        .map_err(|_| "expected `true` or `false`".into())
}

fn milliseconds(value: &str) -> Result<Duration, String> {
    match value.parse() {
        // One day is longer than any platform allows; a much larger value would overflow a deadline.
        Ok(ms @ 1..=86_400_000) => Ok(Duration::from_millis(ms)),
        _ => Err("expected milliseconds, a whole number from 1 to 86400000".into()),
    }
}

/// Parses the platform's own terms, which templates write in capitals.
fn transfer(value: &str, streamed: &str) -> Result<Transfer, String> {
    match value {
        _ if value.eq_ignore_ascii_case("buffered") => Ok(Transfer::Buffered),
        _ if value.eq_ignore_ascii_case(streamed) => Ok(Transfer::Streamed),
        _ => Err(format!("expected `buffered` or `{streamed}`")),
    }
}

/// A CloudWatch namespace; names that begin with `AWS/` are reserved.
fn namespace(value: &str) -> Result<String, String> {
    let is_legal = |it: u8| it.is_ascii_alphanumeric() || b".-_/#".contains(&it);
    let is_name = (1..=255).contains(&value.len()) && value.bytes().all(is_legal);
    match is_name && !value.starts_with("AWS/") {
        true => Ok(value.to_owned()),
        false => Err("expected 1 to 255 characters of `A-Z`, `a-z`, `0-9`, `.-_/#`, not beginning with `AWS/`".into()),
    }
}

fn bytes(value: &str) -> Result<usize, String> {
    value
        .parse()
        .ok()
        .filter(|&bytes| bytes > 0)
        .ok_or_else(|| "expected a number of bytes above 0".into())
}

/// A DynamoDB table name.
fn table(value: &str) -> Result<String, String> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    match (3..=255).contains(&value.len()) && value.bytes().all(is_name) {
        true => Ok(value.to_owned()),
        false => {
            Err("expected a table name: 3 to 255 of `a-z`, `A-Z`, `0-9`, `_`, `.`, `-`".into())
        }
    }
}
