//! The claims of a verified token: whether it is an access token for this server, now, and whose it is.

use serde_json::{Map, Value};

use super::principal::{Principal, PrincipalKind};
use crate::clock::Timestamp;
use crate::config::Config;

/// How far the clocks of an issuer and of this server may differ, in seconds.
const SKEW: i64 = 60;

/// What access tokens must say.
pub(super) struct Rules {
    audiences: Vec<String>,
    client_ids: Vec<String>,
    scope_claims: Vec<String>,
}

type Claims = Map<String, Value>;

impl Rules {
    /// The rules of the settings. The audiences are those of the setting, or else the URLs of this server.
    pub(super) fn new(config: &Config) -> Rules {
        let own = config.public_url.iter();
        let own = own.flat_map(|url| [url.clone(), format!("{url}/mcp"), format!("{url}/api")]);
        let audiences = match config.auth_audience.is_empty() {
            true => own.collect(),
            false => config.auth_audience.clone(),
        };
        Rules {
            audiences,
            client_ids: config.auth_client_ids.clone(),
            scope_claims: config.auth_scopes_claim.clone(),
        }
    }

    /// Whether any token could be accepted.
    pub(super) fn accept_any(&self) -> bool {
        !self.audiences.is_empty() || !self.client_ids.is_empty()
    }

    /// The principal of a token of `issuer` with these claims.
    ///
    /// # Errors
    /// Why the token is refused.
    pub(super) fn principal(
        &self,
        issuer: &str,
        claims: Claims,
        now: Timestamp,
    ) -> Result<Principal, &'static str> {
        check_kind(&claims)?;
        let expires = check_time(&claims, now.unix())?;
        self.check_audience(&claims)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let subject = text("sub").or(text("client_id")).or(text("azp"));
        let subject = subject.ok_or("names no subject")?;
        let id = format!("jwt:{}#{subject}", issuer.trim_end_matches('/'));
        let principal = Principal::checked(PrincipalKind::Token, id);
        Ok(principal.until(expires).with_claims(claims))
    }

    /// The scopes that the claims name.
    pub(super) fn scopes(&self, claims: &Claims) -> Vec<String> {
        scopes(claims, &self.scope_claims)
    }

    /// The token must be for this server (RFC 8707). Those of Cognito have no audience, so that their client decides.
    fn check_audience(&self, claims: &Claims) -> Result<(), &'static str> {
        let is_own = |name: &str| {
            let name = name.trim_end_matches('/');
            self.audiences
                .iter()
                .any(|it| it.trim_end_matches('/') == name)
        };
        match claims.get("aud") {
            Some(Value::String(name)) if is_own(name) => Ok(()),
            Some(Value::Array(names)) if names.iter().filter_map(Value::as_str).any(is_own) => {
                Ok(())
            }
            Some(_) => Err("is for another server"),
            None => {
                let client = claims.get("client_id").and_then(Value::as_str);
                match client.is_some_and(|it| self.client_ids.iter().any(|id| id == it)) {
                    true => Ok(()),
                    false => Err("names no audience"),
                }
            }
        }
    }
}

/// The scopes of the claims with these names: a text with spaces, or a list.
fn scopes(claims: &Claims, names: &[String]) -> Vec<String> {
    let values = names.iter().filter_map(|name| claims.get(name));
    let texts = values.flat_map(|value| match value {
        Value::String(text) => vec![text.as_str()],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    });
    texts
        .flat_map(str::split_ascii_whitespace)
        .map(str::to_owned)
        .collect()
}

/// Refuses a token of another type, such as an ID token, although the same issuer has signed it.
fn check_kind(claims: &Claims) -> Result<(), &'static str> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let is_other = text("token_use").is_some_and(|it| it != "access")
        || matches!(text("typ"), Some("ID" | "Refresh" | "Offline" | "Logout"))
        || ["nonce", "at_hash", "c_hash"]
            .iter()
            .any(|it| claims.contains_key(*it));
    match is_other {
        true => Err("is not an access token"),
        false => Ok(()),
    }
}

/// When it expires.
fn check_time(claims: &Claims, now: i64) -> Result<Timestamp, &'static str> {
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value
            .as_f64()
            .map(|it| Some(it as i64))
            .ok_or("has a time that is not a number"),
    };
    let expires = time("exp")?.ok_or("says no time when it expires")?;
    if expires.saturating_add(SKEW) <= now {
        return Err("has expired");
    }
    if time("nbf")?.is_some_and(|it| it.saturating_sub(SKEW) > now) {
        return Err("is not valid yet");
    }
    if time("iat")?.is_some_and(|it| it.saturating_sub(SKEW) > now) {
        return Err("was issued in the future");
    }
    let expires = Timestamp::from_unix(expires.saturating_add(SKEW));
    expires.ok_or("expires after the year 9999")
}
