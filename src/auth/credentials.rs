//! The credentials of a request: a bearer token or an API key, in a header.

use http::HeaderMap;
use http::header::{AUTHORIZATION, Entry};

use super::denial::Denial;

/// The header of API keys, for clients that cannot set `Authorization`.
pub const API_KEY: &str = "x-api-key";

/// The longest token that is read. Those of the large issuers have 1 to 4 KiB.
const MAX_BYTES: usize = 8 << 10;

/// The credentials of a request.
pub(super) enum Credentials<'a> {
    None,
    /// A JSON Web Token.
    Token(&'a str),
    /// An API key.
    Key(&'a str),
}

impl<'a> Credentials<'a> {
    /// Reads the credentials. Schemes other than `Bearer`, such as the signature of IAM, are ignored.
    ///
    /// # Errors
    /// There are several credentials, or they are malformed.
    pub(super) fn read(
        headers: &'a HeaderMap,
        query: Option<&str>,
    ) -> Result<Credentials<'a>, Denial> {
        if query.is_some_and(has_token) {
            let detail = "an access token must not stand in the query: send it in the header `Authorization: Bearer …`";
            return Err(Denial::malformed(detail));
        }
        let bearer = match one(headers, AUTHORIZATION.as_str())? {
            Some(value) => bearer(value)?,
            None => None,
        };
        match (bearer, one(headers, API_KEY)?) {
            (Some(_), Some(_)) => Err(Denial::malformed(
                "send either `Authorization: Bearer …` or `X-API-Key`, not both",
            )),
            (None, None) => Ok(Credentials::None),
            (None, Some(key)) => Ok(Credentials::Key(key)),
            (Some(token), None) if token.contains('.') => Ok(Credentials::Token(token)),
            (Some(key), None) => Ok(Credentials::Key(key)),
        }
    }
}

/// Whether the request carries credentials of any kind, so that no shared cache may keep its response.
pub fn has_credentials(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION) || headers.contains_key(API_KEY)
}

/// Marks the credentials, so that the `Debug` text of the headers hides them.
pub fn hide(headers: &mut HeaderMap) {
    for name in [AUTHORIZATION.as_str(), API_KEY] {
        if let Entry::Occupied(mut values) = headers.entry(name) {
            values.iter_mut().for_each(|it| it.set_sensitive(true));
        }
    }
}

fn one<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Denial> {
    let mut lines = headers.get_all(name).iter();
    let Some(line) = lines.next() else {
        return Ok(None);
    };
    if lines.next().is_some() {
        let detail = format!("header `{name}` is repeated: send it once");
        return Err(Denial::malformed(detail));
    }
    let text = line.to_str().map_err(|_| {
        Denial::malformed(format!(
            "header `{name}` has characters other than visible ASCII"
        ))
    })?;
    match text.len() > MAX_BYTES {
        true => Err(Denial::invalid(format!(
            "header `{name}` has {} bytes, at most {MAX_BYTES} are read",
            text.len()
        ))),
        false => Ok(Some(text)),
    }
}

/// What follows `Bearer`; the scheme is not case-sensitive (RFC 9110 §11.1).
fn bearer(value: &str) -> Result<Option<&str>, Denial> {
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Ok(None);
    }
    let token = rest.trim_ascii();
    // Bytes are searched many at a time, and a token has some hundred of them.
    let is_one = !token.is_empty() && ![b' ', b','].iter().any(|it| token.as_bytes().contains(it));
    match is_one {
        true => Ok(Some(token)),
        false => Err(Denial::malformed(
            "header `authorization` must be `Bearer` and one token",
        )),
    }
}

/// Whether the query has a token where RFC 6750 §2.3 would have put it.
fn has_token(query: &str) -> bool {
    query
        .split('&')
        .any(|pair| pair.split('=').next() == Some("access_token"))
}
