//! The header `WWW-Authenticate` of a refusal (RFC 6750 §3, RFC 9728 §5.1).

use http::HeaderValue;

use super::denial::Denial;

/// The challenge of the denial. `metadata` is the URL of the document that names the issuers, where there are any.
pub(super) fn challenge(denial: &Denial, metadata: Option<&str>) -> HeaderValue {
    let mut parts = Vec::new();
    if let Some(error) = denial.oauth_error() {
        parts.push(format!("error=\"{error}\""));
        parts.push(format!("error_description=\"{}\"", plain(&denial.detail)));
    }
    if !denial.scopes.is_empty() {
        parts.push(format!("scope=\"{}\"", plain(&denial.scopes.join(" "))));
    }
    if let Some(url) = metadata {
        parts.push(format!("resource_metadata=\"{}\"", plain(url)));
    }
    let challenge = match parts.is_empty() {
        true => "Bearer".to_owned(),
        false => format!("Bearer {}", parts.join(", ")),
    };
    HeaderValue::try_from(challenge).unwrap_or(HeaderValue::from_static("Bearer"))
}

/// Escapes a text for a quoted string of this header.
fn plain(text: &str) -> String {
    let plain = text.chars().map(|it| match it {
        '"' | '\\' | '`' => '\'',
        ' '..='~' => it,
        _ => '?',
    });
    plain.collect()
}
