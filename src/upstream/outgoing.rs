//! One request to an upstream: what is asked for, and whether it may be repeated or shared.

use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, Method};
use ring::digest::{Context, SHA256};

/// What of a response is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accept {
    /// JSON alone.
    Json,
    /// Any media type.
    Any,
}

/// One request.
#[derive(Clone)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    /// The path with its query.
    pub(crate) target: String,
    /// The headers that the function sets.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
    pub(crate) accept: Accept,
    /// Whether it has a key by which the upstream knows a repetition.
    pub(crate) has_key: bool,
}

impl Outgoing {
    /// A GET.
    pub(crate) fn get(target: String, headers: HeaderMap, accept: Accept) -> Outgoing {
        Outgoing {
            method: Method::GET,
            target,
            headers,
            body: None,
            accept,
            has_key: false,
        }
    }

    /// Whether it only reads.
    pub(super) fn is_safe(&self) -> bool {
        self.method.is_safe()
    }

    /// Whether it may be tried again after it may have been carried out.
    pub(super) fn is_repeatable(&self) -> bool {
        self.is_safe() || self.has_key
    }

    /// Whether other callers may get the same response: it depends on nothing but the URL and plain headers.
    pub(super) fn is_shareable(&self) -> bool {
        let is_personal = [AUTHORIZATION, COOKIE]
            .iter()
            .any(|it| self.headers.contains_key(it));
        self.method == Method::GET && self.body.is_none() && !is_personal
    }

    /// The path without its query.
    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// The key under which a response is shared: the upstream, the path with its query, and a digest of everything else that
/// the response may depend on.
pub(super) fn key(upstream: &str, target: &str, headers: &HeaderMap, accept: Accept) -> String {
    let mut key = [upstream, " ", target].concat();
    if headers.is_empty() && accept == Accept::Json {
        return key;
    }
    let mut pairs: Vec<(&str, &[u8])> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    // Values of one name keep their order, which may mean something.
    pairs.sort_by_key(|it| it.0);
    let mut digest = Context::new(&SHA256);
    digest.update(&[accept as u8]);
    for part in pairs.iter().flat_map(|it| [it.0.as_bytes(), it.1]) {
        digest.update(&part.len().to_be_bytes());
        digest.update(part);
    }
    key.push('\n');
    key.extend(
        digest
            .finish()
            .as_ref()
            .iter()
            .map(|it| format!("{it:02x}")),
    );
    key
}

/// Whether the response under `key` is one of `path`, with any query and any headers.
pub(super) fn is_of(key: &str, upstream: &str, path: &str) -> bool {
    let rest = key
        .strip_prefix(upstream)
        .and_then(|it| it.strip_prefix(' '))
        .and_then(|it| it.strip_prefix(path));
    rest.is_some_and(|it| it.is_empty() || it.starts_with(['?', '\n']))
}
