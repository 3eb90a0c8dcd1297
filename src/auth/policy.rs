//! The rules where callers are checked: authentication and required scopes.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::Request;
use http::request::Parts;

use super::claims::Rules;
use super::credentials::Credentials;
use super::denial::{Denial, Reason};
use super::issuer::{Issuer, Verified};
use super::jws::Token;
use super::key_source::KeySource;
use super::principal::Principal;
use super::scopes::ScopeMap;
use super::tokens::Tokens;
use super::{Asking, Authenticator, Needs, Schemes, metadata};
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::error::Kind;

/// A scope that asks for tokens that live longer, which a server must not name to its clients.
const OFFLINE: &str = "offline_access";

/// The rules of one process.
pub(super) struct Policy {
    issuers: Vec<Issuer>,
    rules: Rules,
    keys: Option<KeySource>,
    own: Option<Authenticator>,
    map: Arc<ScopeMap>,
    /// The scopes that every function needs, except for public ones.
    base: Vec<String>,
    tokens: Tokens,
    clock: Clock,
}

impl Policy {
    /// The rules of the settings, if they check callers at all.
    ///
    /// # Errors
    /// The setting that cannot be used.
    pub(super) fn new(
        config: &Arc<Config>,
        own: Option<Authenticator>,
    ) -> Result<Option<Policy>, String> {
        let map = Arc::new(ScopeMap::new(&config.auth_scope_map));
        let keys = KeySource::new(config, &map)?;
        let is_on = !config.auth_issuer.is_empty()
            || keys.is_some()
            || own.is_some()
            || !config.auth_scopes.is_empty()
            || !config.auth_scope_map.is_empty();
        if !is_on {
            return Ok(None);
        }
        let rules = Rules::new(config);
        if !config.auth_issuer.is_empty() && !rules.accept_any() {
            let problem = "`BIFOLD_AUTH_ISSUER` needs `BIFOLD_PUBLIC_URL`, `BIFOLD_AUTH_AUDIENCE` or \
                           `BIFOLD_AUTH_CLIENT_IDS`: tokens for other servers must be refused";
            return Err(problem.to_owned());
        }
        if config.auth_jwks_url.is_some() && config.auth_issuer.len() != 1 {
            let problem =
                "`BIFOLD_AUTH_JWKS_URL` is for exactly one issuer in `BIFOLD_AUTH_ISSUER`";
            return Err(problem.to_owned());
        }
        let issuers = config.auth_issuer.iter();
        Ok(Some(Policy {
            issuers: issuers.map(|url| Issuer::new(url, config)).collect(),
            rules,
            keys,
            own,
            map,
            base: config.auth_scopes.clone(),
            tokens: Tokens::new(),
            clock: config.clock,
        }))
    }

    pub(super) fn schemes(&self) -> Schemes {
        Schemes {
            tokens: !self.issuers.is_empty(),
            keys: self.keys.is_some(),
        }
    }

    /// The principal with the scopes that its claims and the settings give it.
    pub(super) fn complete(&self, principal: Principal) -> Principal {
        let scopes = self.rules.scopes(principal.claims());
        self.map.complete(principal.with_scopes(scopes))
    }

    /// The principal of the request: as the application has it, or else by its token or key.
    pub(super) async fn authenticate(
        &self,
        asking: Asking<'_>,
        is_checked: bool,
    ) -> Result<Option<Arc<Principal>>, Denial> {
        if let Some(own) = &self.own {
            let found = own(parts(asking))
                .await
                .map_err(|error| match error.kind() {
                    Kind::Unauthenticated => Denial::invalid(error.message()),
                    _ => Denial::new(Reason::Unavailable, error.message()),
                })?;
            if let Some(principal) = found {
                return Ok(Some(Arc::new(self.complete(principal))));
            }
        }
        match Credentials::read(asking.headers, asking.uri.query())? {
            Credentials::Token(text) if !self.issuers.is_empty() => {
                self.token(text).await.map(Some)
            }
            Credentials::Key(secret) if self.keys.is_some() => self.key(secret).await.map(Some),
            Credentials::None => Ok(None),
            // The integration has checked the caller by credentials of its own.
            _ if is_checked => Ok(None),
            Credentials::Token(_) => Err(Denial::invalid("this server takes no access tokens")),
            Credentials::Key(_) => Err(Denial::invalid("this server takes no API keys")),
        }
    }

    async fn key(&self, secret: &str) -> Result<Arc<Principal>, Denial> {
        let keys = match &self.keys {
            Some(source) => source.keys().await,
            None => None,
        };
        let Some(keys) = keys else {
            let detail = "the API keys cannot be read now: try again in a moment";
            return Err(Denial::new(Reason::Unavailable, detail));
        };
        let found = keys.principal(secret, self.clock.now());
        found.map_err(|problem| Denial::invalid(format!("the API key {problem}")))
    }

    async fn token(&self, text: &str) -> Result<Arc<Principal>, Denial> {
        let now = self.clock.now();
        if let Some(known) = self.tokens.get(text, now)
            && self.issuers[known.issuer].is_current(known.generation)
        {
            return Ok(known.principal.clone());
        }
        // The state of a verification is large, and the usual request needs none.
        Box::pin(self.verify(text, now)).await
    }

    async fn verify(&self, text: &str, now: Timestamp) -> Result<Arc<Principal>, Denial> {
        let refuse = |problem: &str| Denial::invalid(format!("the access token {problem}"));
        let token = Token::read(text).map_err(refuse)?;
        let algorithm = token.algorithm();
        let algorithm = algorithm.ok_or_else(|| refuse("has an algorithm that is not accepted"))?;
        let iss = token.claims.get("iss").and_then(|it| it.as_str());
        let place = iss.and_then(|iss| self.issuers.iter().position(|it| it.is_named(iss)));
        let place = place.ok_or_else(|| refuse("is of an issuer that is not accepted"))?;
        let issuer = &self.issuers[place];
        let generation = match issuer.verify(&token, algorithm).await {
            Verified::Yes(generation) => generation,
            Verified::No => return Err(refuse("has a signature that is not valid")),
            Verified::UnknownKey => {
                return Err(refuse("is signed with a key that its issuer does not have"));
            }
            Verified::Unavailable => {
                let detail = "the keys of the issuer cannot be read now: try again in a moment";
                return Err(Denial::new(Reason::Unavailable, detail));
            }
        };
        let principal = self.rules.principal(issuer.url(), token.claims, now);
        let principal = principal.map_err(|problem| match self.clock {
            Clock::System => refuse(problem),
            // As with recorded data, which would else refuse each token without a word of the reason.
            Clock::Fixed(at) => refuse(&format!(
                "{problem} (the clock of this server stands still at {at})"
            )),
        });
        let principal = Arc::new(self.complete(principal?));
        self.tokens
            .insert(text, (place, generation), principal.clone());
        Ok(principal)
    }

    /// Checks that the caller fulfils these requirements.
    pub(super) fn authorize(
        &self,
        principal: Option<&Principal>,
        needs: &Needs<'_>,
    ) -> Result<(), Denial> {
        if needs.is_public {
            return Ok(());
        }
        let principal = self.require(principal, needs)?;
        let needed = self.needed(needs);
        let missing: Vec<&str> = needed
            .iter()
            .copied()
            .filter(|it| !principal.has_scope(it))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let what = what(needs);
        let mut denial = Denial::new(
            Reason::Scope,
            format!(
                "{what} needs the scopes `{}`, which the credentials do not have: authorize again and ask for them",
                missing.join(" ")
            ),
        );
        let granted = principal.granted().iter().map(String::as_str);
        denial.scopes = names(needed.iter().copied().chain(granted));
        Err(denial)
    }

    /// The caller, if its credentials are still valid.
    pub(super) fn require<'p>(
        &self,
        principal: Option<&'p Principal>,
        needs: &Needs<'_>,
    ) -> Result<&'p Principal, Denial> {
        let principal = principal.ok_or_else(|| self.unauthenticated(needs))?;
        match principal.has_expired(self.clock.now()) {
            true => Err(Denial::invalid(
                "the credentials of this connection have expired",
            )),
            false => Ok(principal),
        }
    }

    fn unauthenticated(&self, needs: &Needs<'_>) -> Denial {
        let schemes = self.schemes();
        let way = match (schemes.tokens, schemes.keys) {
            (true, true) => {
                ": authorize with the server that `WWW-Authenticate` leads to, or send an API key in `X-API-Key`"
            }
            (true, false) => ": authorize with the server that `WWW-Authenticate` leads to",
            (false, true) => ": send an API key in `X-API-Key` or `Authorization: Bearer`",
            (false, false) => "",
        };
        let detail = format!("{} needs an authenticated caller{way}", what(needs));
        let mut denial = Denial::new(Reason::Missing, detail);
        denial.scopes = names(self.needed(needs).into_iter());
        denial
    }

    /// The scopes of the functions, and those that every function needs.
    fn needed<'a>(&'a self, needs: &Needs<'a>) -> BTreeSet<&'a str> {
        let base = self.base.iter().map(String::as_str);
        base.chain(needs.scopes.iter().copied()).collect()
    }

    /// The metadata of a resource.
    pub(super) fn document(
        &self,
        url: &str,
        resource: &str,
        scopes: BTreeSet<&str>,
        name: &str,
    ) -> String {
        let issuers: Vec<&str> = self.issuers.iter().map(Issuer::url).collect();
        let base = self.base.iter().map(String::as_str);
        let scopes = names(base.chain(scopes));
        metadata::document(url, resource, &issuers, &scopes, name)
    }
}

/// Each of the scopes once, without what a server must not ask for.
fn names<'a>(scopes: impl Iterator<Item = &'a str>) -> Vec<String> {
    let all: BTreeSet<&str> = scopes.filter(|it| *it != OFFLINE).collect();
    all.into_iter().map(str::to_owned).collect()
}

fn what(needs: &Needs<'_>) -> String {
    match needs.function {
        "" => "this server".to_owned(),
        name => format!("`{name}`"),
    }
}

fn parts(asking: Asking<'_>) -> Parts {
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.method = asking.method.clone();
    parts.uri = asking.uri.clone();
    parts.headers = asking.headers.clone();
    parts
}
