//! Who guards a server: its metadata (RFC 9728), and those of its authorization server (RFC 8414, OpenID).

use http::Uri;
use serde_json::Value;

use super::web::{Web, checked};
use crate::cli::Failure;

/// A server as its authorization server knows it.
pub(super) struct Resource {
    /// The value of `resource`.
    pub(super) id: String,
    pub(super) issuer: String,
    /// The scopes to ask for.
    pub(super) scope: Option<String>,
}

/// An authorization server.
pub(super) struct Issuer {
    pub(super) id: String,
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) registration_endpoint: Option<String>,
    /// Whether its redirects always name it (RFC 9207).
    pub(super) names_itself: bool,
}

impl Resource {
    /// Reads what the server says about itself; `None` if it says nothing.
    ///
    /// # Errors
    /// It speaks for another server.
    pub(super) async fn discover(
        web: &Web<'_>,
        url: &str,
        challenge: Option<&str>,
    ) -> Result<Option<Resource>, Failure> {
        let uri: Uri = url.parse()?;
        let origin = origin(&uri);
        let path = uri.path().trim_end_matches('/');
        let well_known = format!("{origin}/.well-known/oauth-protected-resource");
        let announced = challenge.and_then(|it| parameter(it, "resource_metadata"));
        let places = match announced {
            Some(place) => vec![place],
            None => vec![format!("{well_known}{path}"), well_known],
        };
        for place in places {
            let Some(document) = web.get(&place).await? else {
                continue;
            };
            let id = document["resource"].as_str().unwrap_or_default();
            if !covers(id, &uri) {
                return Err(
                    format!("`{place}` describes the resource `{id}` and not `{url}`").into(),
                );
            }
            let issuer = document["authorization_servers"][0].as_str();
            let issuer = issuer.ok_or(format!("`{place}` names no authorization server"))?;
            let scope = challenge.and_then(|it| parameter(it, "scope"));
            return Ok(Some(Resource {
                id: id.to_owned(),
                issuer: issuer.to_owned(),
                scope: scope.or_else(|| scopes(&document)),
            }));
        }
        Ok(None)
    }
}

impl Issuer {
    /// Reads the metadata of the authorization server `id`.
    ///
    /// # Errors
    /// It has none, or they lack what a safe login needs.
    pub(super) async fn discover(web: &Web<'_>, id: &str) -> Result<Issuer, Failure> {
        let uri = checked(id)?;
        let (origin, path) = (origin(&uri), uri.path().trim_end_matches('/'));
        let mut places = vec![
            format!("{origin}/.well-known/oauth-authorization-server{path}"),
            format!("{origin}/.well-known/openid-configuration{path}"),
        ];
        if !path.is_empty() {
            places.push(format!("{origin}{path}/.well-known/openid-configuration"));
        }
        for place in places {
            let Some(document) = web.get(&place).await? else {
                continue;
            };
            let named = document["issuer"].as_str().unwrap_or_default();
            if named.trim_end_matches('/') != id.trim_end_matches('/') {
                return Err(format!("`{place}` describes `{named}` and not `{id}`").into());
            }
            return Issuer::read(&document, named);
        }
        Err(format!("the authorization server `{id}` has no metadata").into())
    }

    fn read(document: &Value, id: &str) -> Result<Issuer, Failure> {
        let text = |name: &str| document[name].as_str().map(str::to_owned);
        let required =
            |name: &str| text(name).ok_or(format!("the metadata of `{id}` lack `{name}`"));
        let methods = document["code_challenge_methods_supported"].as_array();
        if !methods.is_some_and(|all| all.iter().any(|it| it == "S256")) {
            return Err(
                format!("the authorization server `{id}` does not support PKCE with S256").into(),
            );
        }
        let issuer = Issuer {
            authorization_endpoint: required("authorization_endpoint")?,
            token_endpoint: required("token_endpoint")?,
            registration_endpoint: text("registration_endpoint"),
            names_itself: document["authorization_response_iss_parameter_supported"] == true,
            id: id.to_owned(),
        };
        checked(&issuer.authorization_endpoint)?;
        Ok(issuer)
    }
}

fn origin(uri: &Uri) -> String {
    let (scheme, authority) = (uri.scheme_str(), uri.authority());
    format!(
        "{}://{}",
        scheme.unwrap_or(""),
        authority.map_or("", |it| it.as_str())
    )
}

/// Whether the resource is this endpoint or a part of its path from the beginning.
fn covers(resource: &str, endpoint: &Uri) -> bool {
    let Ok(uri) = resource.parse::<Uri>() else {
        return false;
    };
    let path = uri.path().trim_end_matches('/');
    let rest = endpoint.path().strip_prefix(path);
    origin(&uri) == origin(endpoint) && rest.is_some_and(|it| it.is_empty() || it.starts_with('/'))
}

fn scopes(document: &Value) -> Option<String> {
    let all: Vec<&str> = document["scopes_supported"]
        .as_array()?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    (!all.is_empty()).then(|| all.join(" "))
}

/// A quoted or plain parameter of a challenge `Bearer a="…", b=…`.
fn parameter(challenge: &str, name: &str) -> Option<String> {
    let mut rest = challenge;
    loop {
        let at = rest.to_ascii_lowercase().find(&format!("{name}="))?;
        let is_whole = rest[..at]
            .chars()
            .next_back()
            .is_none_or(|it| it == ' ' || it == ',');
        rest = &rest[at + name.len() + 1..];
        if !is_whole {
            continue;
        }
        return match rest.strip_prefix('"') {
            Some(quoted) => Some(quoted.split('"').next()?.to_owned()),
            None => Some(rest.split([',', ' ']).next()?.to_owned()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_of_a_challenge_is_found_by_its_whole_name() {
        let challenge = r#"Bearer error="invalid_token", resource_metadata="https://a.example/x?y=1", scope="a b", plain=z"#;
        for (name, expected) in [
            ("resource_metadata", Some("https://a.example/x?y=1")),
            ("scope", Some("a b")),
            ("plain", Some("z")),
            ("metadata", None),
            ("realm", None),
        ] {
            assert_eq!(parameter(challenge, name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn a_resource_covers_its_endpoint_and_no_other_host_or_path() {
        let endpoint: Uri = "https://a.example/v1/mcp".parse().unwrap();
        for (resource, expected) in [
            ("https://a.example/v1/mcp", true),
            ("https://a.example/v1/mcp/", true),
            ("https://a.example/v1", true),
            ("https://a.example", true),
            ("https://a.example/v", false),
            ("https://a.example/v1/mcp/more", false),
            ("https://b.example/v1/mcp", false),
            ("http://a.example/v1/mcp", false),
            ("", false),
        ] {
            assert_eq!(covers(resource, &endpoint), expected, "{resource}");
        }
    }
}
