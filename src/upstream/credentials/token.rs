//! The request of an access token.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request};
use percent_encoding::utf8_percent_encode;
use serde::Deserialize;

use super::ClientCredentials;
use super::authorizer::basic;
use crate::clock::Deadline;
use crate::config::Secret;
use crate::error::{Error, Kind, Result, UpstreamStatus};
use crate::upstream::client::Client;
use crate::upstream::target::ENCODED;

/// The time limit of one request.
const LIMIT: Duration = Duration::from_secs(10);
/// The lifetime of a token whose server does not name one.
const LIFETIME: Duration = Duration::from_secs(300);
/// A token is renewed this long before it expires, or a tenth of a short lifetime before.
const EARLY: Duration = Duration::from_secs(30);

/// A token, the time after which it is renewed, and the time after which it is useless.
pub(super) struct Token {
    pub(super) token: Secret,
    pub(super) renewed_after: Duration,
    pub(super) lifetime: Duration,
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
    #[serde(default)]
    expires_in: Option<f64>,
}

/// Gets a token for the upstream `name`.
///
/// # Errors
/// An upstream kind, for the upstream that the token is for.
pub(super) async fn request(
    name: &str,
    client: &Client,
    url: &str,
    declared: &ClientCredentials,
    id: &Secret,
    secret: &Secret,
) -> Result<Token> {
    let mut form = vec![("grant_type", "client_credentials")];
    form.extend(
        [
            ("scope", &*declared.scopes),
            ("audience", &*declared.audience),
        ]
        .into_iter()
        .filter(|it| !it.1.is_empty()),
    );
    if declared.is_in_body {
        form.extend([
            ("client_id", id.reveal()),
            ("client_secret", secret.reveal()),
        ]);
    }
    let mut request = Request::post(url)
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    if !declared.is_in_body {
        let (id, secret) = (encoded(id.reveal()), encoded(secret.reveal()));
        request = request.header(AUTHORIZATION, basic(&id, &secret)?);
    }
    let form: Vec<String> = form
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    let request = request.body(Bytes::from(form.join("&"))).map_err(|_| {
        Error::internal(format!("the token URL of upstream `{name}` cannot be used"))
    })?;
    let sent = client.send(name, request, Deadline::after(LIMIT)).await;
    let response = sent.map_err(|error| error.with_context(", when it was asked for a token"))?;
    let status = response.status();
    if !status.is_success() {
        let problem =
            format!("gave no access token: its token endpoint answered with HTTP {status}");
        return Err(failed(
            name,
            Kind::UpstreamError,
            Some(status.as_u16()),
            &problem,
        ));
    }
    read(response.body()).ok_or_else(|| {
        let problem = "gave no access token: its token endpoint answered with something else";
        failed(name, Kind::UpstreamInvalidResponse, None, problem)
    })
}

fn read(body: &[u8]) -> Option<Token> {
    let response: TokenResponse = serde_json::from_slice(body).ok()?;
    let token = Some(response.access_token).filter(|it| !it.is_empty())?;
    let named = response
        .expires_in
        .and_then(|it| Duration::try_from_secs_f64(it).ok());
    let lifetime = named.unwrap_or(LIFETIME).min(Duration::from_secs(86_400));
    Some(Token {
        token: Secret::new(token),
        renewed_after: lifetime - EARLY.min(lifetime / 10),
        lifetime,
    })
}

fn failed(name: &str, kind: Kind, status: Option<u16>, problem: &str) -> Error {
    let origin = UpstreamStatus {
        name: name.to_owned().into(),
        status,
    };
    tracing::warn!(upstream = name, status, "an upstream gave no access token");
    Error::upstream(kind, origin, problem)
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// `Bearer <token>`.
pub(super) fn bearer(token: &Secret) -> Result<HeaderValue> {
    super::authorizer::value(&format!("Bearer {}", token.reveal()))
}
