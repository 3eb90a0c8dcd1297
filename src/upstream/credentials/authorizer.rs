//! What is sent with each request: read once for all calls, and again after it has changed, expired or was refused.

use std::borrow::Cow;
use std::fs::metadata;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwapOption;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderName, HeaderValue};
use reqwest::Url;
use tokio::time::Instant;

use super::token;
use super::{Credentials, Scheme, SecretRef, SecretStore};
use crate::clock::{Deadline, Throttle};
use crate::config::{Config, Secret};
use crate::error::{Error, Result};
use crate::upstream::client::Client;
use crate::upstream::once::Once;

/// Credentials that were refused are read again, but not more often than this.
const PAUSE: Duration = Duration::from_secs(10);
/// How often files are checked for a change.
const CHECK: Duration = Duration::from_secs(1);

/// The credentials of one upstream in this process.
pub(in crate::upstream) struct Authorizer {
    reader: Arc<Reader>,
    current: Once<Credential>,
    /// The one that was due and may still be good.
    previous: ArcSwapOption<Credential>,
    /// Limits how often a refused credential is dropped.
    drops: Throttle,
}

/// What is read, and with what.
struct Reader {
    upstream: Cow<'static, str>,
    scheme: Scheme,
    token_url: Option<String>,
    config: Config,
    store: Option<SecretStore>,
}

/// What one request is sent with.
pub(in crate::upstream) struct Credential {
    pub(in crate::upstream) placement: Placement,
    read: (Instant, SystemTime),
    /// The times after which it is renewed, and after which it is useless.
    lifetime: Option<(Duration, Duration)>,
    checks: Throttle,
    modified: Option<SystemTime>,
}

/// Where in a request a credential is.
pub(in crate::upstream) enum Placement {
    Header(HeaderName, HeaderValue),
    Query(Cow<'static, str>, Secret),
}

impl Authorizer {
    /// Checks what costs nothing and reads nothing from the network.
    ///
    /// # Errors
    /// The variable or the file that is missing, a URL of a token that is not safe.
    pub(in crate::upstream) fn new(
        upstream: Cow<'static, str>,
        credentials: &Credentials,
        config: &Config,
        store: Option<SecretStore>,
    ) -> Result<Authorizer, String> {
        for secret in credentials.secrets() {
            secret.check(config)?;
        }
        let scheme = credentials.0.clone();
        if let Scheme::Header(name, _) = &scheme {
            let name = HeaderName::from_bytes(name.as_bytes());
            name.map_err(|_| "the name of the header of its credentials is not a header name")?;
        }
        let token_url = match &scheme {
            Scheme::Client(client) => {
                let variable = format!("{upstream}_token");
                let configured = config.upstream_urls.get(&variable);
                Some(
                    configured
                        .cloned()
                        .unwrap_or_else(|| client.token_url.to_string()),
                )
            }
            _ => None,
        };
        if token_url.as_deref().is_some_and(|url| !keeps_secrets(url)) {
            return Err(
                "its token URL must begin with `https://`: the client's secret is sent there"
                    .to_owned(),
            );
        }
        let reader = Reader {
            upstream,
            scheme,
            token_url,
            config: config.clone(),
            store,
        };
        Ok(Authorizer {
            reader: Arc::new(reader),
            current: Once::new(),
            previous: ArcSwapOption::empty(),
            drops: Throttle::new(PAUSE),
        })
    }

    /// What the next request is sent with.
    ///
    /// # Errors
    /// The secret that cannot be read, or the failure of the authorization server.
    pub(in crate::upstream) async fn credential(
        &self,
        deadline: Deadline,
    ) -> Result<Arc<Credential>> {
        if let Some(known) = self.current.built() {
            if !known.is_due(&self.reader) {
                return Ok(known);
            }
            self.current.drop_broken(&known);
            self.previous.store(Some(known));
        }
        let reader = self.reader.clone();
        let read = self
            .current
            .get(deadline, || async move { reader.read().await })
            .await;
        // A token that is still good is better than the failure to renew it early.
        let previous = || self.previous.load_full().filter(|it| it.is_usable());
        read.or_else(|error| previous().ok_or(error))
    }

    /// Whether another credential may be accepted now that the upstream has refused `used` (HTTP 401).
    pub(in crate::upstream) fn drop_refused(&self, used: &Arc<Credential>) -> bool {
        if !self.reader.may_change() {
            return false;
        }
        self.previous.store(None);
        let current = self.current.built();
        // Another request has dropped it, and may have read another one already.
        if !current.is_some_and(|it| Arc::ptr_eq(&it, used)) {
            return true;
        }
        let passes = self.drops.passes();
        if passes {
            self.current.drop_broken(used);
        }
        passes
    }
}

impl Reader {
    async fn read(&self) -> Result<Credential> {
        // Before the files are read: a change in between is noticed the next time.
        let modified = self.modified();
        let (placement, lifetime) = match &self.scheme {
            Scheme::Bearer(secret) => (header(token::bearer(&self.secret(secret).await?)?), None),
            Scheme::Header(name, secret) => {
                let name = HeaderName::from_bytes(name.as_bytes());
                let name =
                    name.map_err(|_| Error::internal("invalid header name of credentials"))?;
                let value = value(self.secret(secret).await?.reveal())?;
                (Placement::Header(name, value), None)
            }
            Scheme::Basic(user, password) => {
                let (user, password) = (self.secret(user).await?, self.secret(password).await?);
                (header(basic(user.reveal(), password.reveal())?), None)
            }
            Scheme::Query(name, secret) => (
                Placement::Query(name.clone(), self.secret(secret).await?),
                None,
            ),
            Scheme::Cookie(name, secret) => {
                let cookie = format!("{name}={}", self.secret(secret).await?.reveal());
                (Placement::Header(COOKIE, value(&cookie)?), None)
            }
            Scheme::Client(client) => {
                let (id, secret) = (
                    self.secret(&client.id).await?,
                    self.secret(&client.secret).await?,
                );
                let url = self.token_url.as_deref().unwrap_or(&client.token_url);
                let connection = Client::new(&self.config, url)?;
                let token = token::request(&self.upstream, &connection, url, client, &id, &secret);
                let token = token.await?;
                let lifetime = (token.renewed_after, token.lifetime);
                (header(token::bearer(&token.token)?), Some(lifetime))
            }
        };
        Ok(Credential {
            placement,
            read: (Instant::now(), SystemTime::now()),
            lifetime,
            checks: Throttle::new(CHECK),
            modified,
        })
    }

    async fn secret(&self, secret: &SecretRef) -> Result<Secret> {
        let read = secret.read(&self.config, self.store.as_ref()).await;
        read.map_err(|error| {
            let name = &self.upstream;
            error.with_context(format!(", so upstream `{name}` cannot be asked"))
        })
    }

    /// Whether another credential may be read later.
    fn may_change(&self) -> bool {
        matches!(self.scheme, Scheme::Client(_)) || self.secrets().any(SecretRef::may_change)
    }

    /// The latest change of the files that are read.
    fn modified(&self) -> Option<SystemTime> {
        let files = self.secrets().filter_map(|it| match it {
            SecretRef::File(path) => Some(path),
            _ => None,
        });
        files
            .filter_map(|it| metadata(&**it).ok()?.modified().ok())
            .max()
    }

    fn secrets(&self) -> impl Iterator<Item = &SecretRef> {
        let (first, second) = match &self.scheme {
            Scheme::Bearer(it)
            | Scheme::Header(_, it)
            | Scheme::Query(_, it)
            | Scheme::Cookie(_, it) => (it, None),
            Scheme::Basic(user, password) => (user, Some(password)),
            Scheme::Client(client) => (&client.id, Some(&client.secret)),
        };
        std::iter::once(first).chain(second)
    }
}

impl Credential {
    /// Whether it has to be read again.
    fn is_due(&self, reader: &Reader) -> bool {
        if let Some((renewed_after, _)) = self.lifetime {
            return self.age() >= renewed_after;
        }
        self.modified.is_some() && self.checks.passes() && reader.modified() != self.modified
    }

    /// Whether it can still be sent although it is due.
    fn is_usable(&self) -> bool {
        self.lifetime.is_none_or(|(_, end)| self.age() < end)
    }

    /// Its age by the clock that runs faster: the monotonic one may stop while a process is frozen.
    fn age(&self) -> Duration {
        let (instant, time) = self.read;
        instant.elapsed().max(time.elapsed().unwrap_or_default())
    }
}

/// `Basic <user:password>`.
pub(super) fn basic(user: &str, password: &str) -> Result<HeaderValue> {
    value(&format!(
        "Basic {}",
        STANDARD.encode(format!("{user}:{password}"))
    ))
}

/// A header value that no `Debug` shows.
pub(super) fn value(text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        Error::internal(
            "the credentials of an upstream have characters that a header cannot contain",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn header(value: HeaderValue) -> Placement {
    Placement::Header(AUTHORIZATION, value)
}

/// Whether a secret may be sent to the URL: it is encrypted on its way, or stays on this machine.
pub(crate) fn keeps_secrets(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else {
        return false;
    };
    let is_encrypted = url.scheme() == "https";
    let is_own = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    (is_encrypted || is_own) && url.username().is_empty() && url.password().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_request_that_was_refused_with_a_dropped_credential_may_use_the_next_one() {
        let path = std::env::temp_dir().join(format!("bifold-refused-{:x}", fastrand::u64(..)));
        std::fs::write(&path, "key").unwrap();
        let secret = SecretRef::File(path.to_str().unwrap().to_owned().into());
        let (credentials, config) = (Credentials::bearer(secret), Config::default());
        let authorizer = Authorizer::new("api".into(), &credentials, &config, None);
        let authorizer = authorizer.ok().unwrap();
        let read = async || {
            let deadline = Deadline::after(Duration::from_secs(60));
            authorizer.credential(deadline).await.unwrap()
        };
        let used = read().await;
        assert!(authorizer.drop_refused(&used));
        assert!(authorizer.drop_refused(&used), "it is not read yet");
        let next = read().await;
        assert!(authorizer.drop_refused(&used), "another one is read");
        assert!(!authorizer.drop_refused(&next), "one was just dropped");
        std::fs::remove_file(path).unwrap();
    }
}
