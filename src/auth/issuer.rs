//! One issuer of tokens: where it publishes its keys, and the keys as they were last read.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, StatusCode, Uri};
use serde::Deserialize;

use super::fetched::{Fetched, PATIENCE, Read};
use super::jwks::KeySet;
use super::jws::{Algorithm, Token};
use crate::clock::Deadline;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::http::host;
use crate::upstream::Client;

/// The age at which keys are read again, while they are still used.
const FRESH: Duration = Duration::from_secs(3600);

/// The age at which keys are no longer used, because an issuer that was away so long may have withdrawn them.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// The largest document that is read.
const MAX_BYTES: usize = 256 << 10;

/// An issuer. It is asked for the first time when a token of it is to be verified.
pub(super) struct Issuer {
    url: String,
    keys: Fetched<KeySet>,
}

/// The metadata of an issuer, of RFC 8414 or OpenID Connect Discovery.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

/// Whether a token is what its issuer has signed.
pub(super) enum Verified {
    /// It is, with the keys of that generation.
    Yes(u64),
    /// It is not.
    No,
    /// The issuer has no key of that name.
    UnknownKey,
    /// There are no keys, because the issuer cannot be asked.
    Unavailable,
}

impl Issuer {
    pub(super) fn new(url: &str, config: &Arc<Config>) -> Issuer {
        let (issuer, config) = (url.to_owned(), config.clone());
        let fetch = move || {
            let (issuer, config) = (issuer.clone(), config.clone());
            Box::pin(async move { keys(&config, &issuer).await }) as BoxFuture<'static, _>
        };
        let what = format!("the keys of the issuer {url}");
        Issuer {
            url: url.to_owned(),
            keys: Fetched::new(what, [FRESH, LONGEST], Box::new(fetch)),
        }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Whether a token names this issuer; a slash at the end makes no difference.
    pub(super) fn is_named(&self, iss: &str) -> bool {
        same(&self.url, iss)
    }

    /// Whether what was verified with keys of that generation still holds. Reads them again in the background once they
    /// are old.
    pub(super) fn is_current(&self, generation: u64) -> bool {
        self.keys.is_current(generation)
    }

    /// Verifies the token. Waits for the issuer 2 s at most, and only if its keys are not known.
    pub(super) async fn verify(&self, token: &Token<'_>, algorithm: Algorithm) -> Verified {
        let found = self.keys.get(|keys, _| keys.has(token, algorithm)).await;
        let Some(Read { value, generation }) = found else {
            return Verified::Unavailable;
        };
        match value.has(token, algorithm) {
            false => Verified::UnknownKey,
            true if value.verify(token, algorithm) => Verified::Yes(generation),
            true => Verified::No,
        }
    }
}

/// Asks the issuer where its keys are, unless the settings say so, and then for them.
async fn keys(config: &Config, issuer: &str) -> Result<KeySet> {
    let deadline = Deadline::after(PATIENCE);
    if let Some(url) = &config.auth_jwks_url {
        let keys = get(config, url, deadline).await?;
        return read(&keys, KeySet::read);
    }
    let mut failure = None;
    for url in places(issuer) {
        let metadata = match get(config, &url, deadline).await {
            Ok(body) => body,
            Err(error) => {
                failure = failure.or(Some(error));
                continue;
            }
        };
        let metadata: Metadata = read(&metadata, serde_json::from_slice)?;
        if !same(&metadata.issuer, issuer) {
            return Err(Error::internal(
                "the metadata of the issuer names another issuer",
            ));
        }
        if !may_ask(&metadata.jwks_uri, is_loopback(issuer)) {
            let problem = "the keys of the issuer are not published over https";
            return Err(Error::internal(problem));
        }
        let keys = get(config, &metadata.jwks_uri, deadline).await?;
        return read(&keys, KeySet::read);
    }
    Err(failure.unwrap_or_else(Error::deadline_exceeded))
}

/// Where the metadata may be: as OpenID Connect Discovery has it, then as RFC 8414 inserts it before the path.
fn places(issuer: &str) -> Vec<String> {
    let issuer = issuer.trim_end_matches('/');
    let scheme = issuer.find("://").map_or(0, |at| at + 3);
    let path = issuer[scheme..]
        .find('/')
        .map_or(issuer.len(), |at| scheme + at);
    let (origin, path) = issuer.split_at(path);
    let mut places = vec![
        format!("{issuer}/.well-known/openid-configuration"),
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
    ];
    if !path.is_empty() {
        places.push(format!("{origin}/.well-known/openid-configuration{path}"));
    }
    places
}

async fn get(config: &Config, url: &str, deadline: Deadline) -> Result<Bytes> {
    let request = Request::get(url).header("accept", "application/json");
    let request = request.body(Bytes::new()).map_err(|error| {
        Error::internal("a URL of the issuer cannot be used").with_source(error)
    })?;
    let client = Client::new(config, url)?;
    let response = client.send("issuer", request, deadline).await?;
    match response.status() {
        StatusCode::OK if response.body().len() <= MAX_BYTES => Ok(response.into_body()),
        status => Err(Error::internal(format!(
            "the issuer answered with HTTP {} and {} bytes",
            status.as_u16(),
            response.body().len()
        ))),
    }
}

fn read<'a, T>(json: &'a [u8], parse: impl FnOnce(&'a [u8]) -> serde_json::Result<T>) -> Result<T> {
    parse(json).map_err(|error| {
        Error::internal("the issuer answered with another document").with_source(error)
    })
}

/// Whether keys may be fetched from the URL: over TLS, or on this machine from an issuer that is there too.
fn may_ask(url: &str, is_local: bool) -> bool {
    url.starts_with("https://") || (is_local && is_loopback(url))
}

fn is_loopback(url: &str) -> bool {
    let uri: Option<Uri> = url.parse().ok();
    uri.is_some_and(|it| it.host().is_some_and(host::is_loopback))
}

fn same(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}
