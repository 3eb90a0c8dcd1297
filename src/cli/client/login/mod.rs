//! `--login`: an access token by OAuth 2.1, for a server that wants to know who calls.
//!
//! The server names its authorization server (RFC 9728), which describes itself (RFC 8414 or OpenID). A person signs in
//! there with a browser, whose last page leads back to a port of this machine.

mod discovery;
mod redirect;
mod token;
mod web;

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use serde_json::json;

use crate::cli::Failure;
use crate::config::key::random;

use discovery::{Issuer, Resource};
use redirect::Redirect;
pub(super) use token::Token;
pub(super) use web::Web;

/// What a login needs.
pub(super) struct Login<'a> {
    pub(super) web: &'a Web<'a>,
    /// The MCP endpoint.
    pub(super) url: &'a str,
    /// The `WWW-Authenticate` header of its refusal.
    pub(super) challenge: Option<&'a str>,
    /// The client that the authorization server knows already.
    pub(super) client_id: Option<&'a str>,
}

impl Login<'_> {
    /// A token: from a person, who is asked to open a page. `None` where the server names no authorization server.
    pub(super) async fn run(&self) -> Result<Option<Token>, Failure> {
        let Some(resource) = Resource::discover(self.web, self.url, self.challenge).await? else {
            return Ok(None);
        };
        let issuer = Issuer::discover(self.web, &resource.issuer).await?;
        let redirect = Redirect::listen().await?;
        let client_id = match self.client_id {
            Some(id) => id.to_owned(),
            None => self.register(&issuer, redirect.url()).await?,
        };
        let (state, verifier) = (secret(), secret());
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        let mut query = vec![
            ("response_type", "code"),
            ("client_id", &client_id),
            ("redirect_uri", redirect.url()),
            ("state", &state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("resource", &resource.id),
        ];
        query.extend(resource.scope.as_deref().map(|it| ("scope", it)));
        let separator = if issuer.authorization_endpoint.contains('?') {
            '&'
        } else {
            '?'
        };
        let page = format!(
            "{}{separator}{}",
            issuer.authorization_endpoint,
            web::form(&query)
        );
        eprintln!(
            "Open this page to sign in:\n{}",
            super::report::clean(&page)
        );
        let code = redirect.code(&state, &issuer).await?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", redirect.url()),
            ("client_id", &client_id),
            ("code_verifier", &verifier),
            ("resource", &resource.id),
        ];
        let answer = self.web.post_form(&issuer.token_endpoint, &form).await?;
        Token::read(&answer, &resource.id, &issuer.token_endpoint, &client_id).map(Some)
    }

    /// Registers this program as a new client (RFC 7591).
    async fn register(&self, issuer: &Issuer, redirect: &str) -> Result<String, Failure> {
        let Some(endpoint) = &issuer.registration_endpoint else {
            let name = &issuer.id;
            return Err(format!(
                "`{name}` registers no clients by itself; give the id of one with `--client-id`"
            )
            .into());
        };
        let about = json!({
            "client_name": "bifold client",
            "redirect_uris": [redirect],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "application_type": "native",
        });
        let answer = self.web.post_json(endpoint, &about).await?;
        let id = answer["client_id"].as_str();
        Ok(id
            .ok_or("the authorization server registered a client without `client_id`")?
            .to_owned())
    }
}

/// A token that was stored, renewed if it must be; `None` where there is none for this server.
pub(super) async fn stored(
    web: &Web<'_>,
    file: &Path,
    url: &str,
) -> Result<Option<Token>, Failure> {
    let Some(token) = Token::load(file)?.filter(|it| it.is_for(url)) else {
        return Ok(None);
    };
    if !token.is_old() {
        return Ok(Some(token));
    }
    renewed(web, &token).await
}

/// A new token for an old one; `None` where a person must sign in again.
pub(super) async fn renewed(web: &Web<'_>, token: &Token) -> Result<Option<Token>, Failure> {
    let Some(refresh) = &token.refresh_token else {
        return Ok(None);
    };
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh.as_str()),
        ("client_id", &token.client_id),
        ("resource", &token.resource),
    ];
    let answer = web.post_form(&token.token_endpoint, &form).await;
    // A refusal means that the login has ended.
    let Ok(answer) = answer else {
        return Ok(None);
    };
    Ok(Token::read(
        &answer,
        &token.resource,
        &token.token_endpoint,
        &token.client_id,
    )
    .ok()
    .map(|mut new| {
        new.refresh_token = new.refresh_token.or_else(|| Some(refresh.clone()));
        new
    }))
}

/// 32 random bytes as text.
fn secret() -> String {
    URL_SAFE_NO_PAD.encode(random::<32>())
}
