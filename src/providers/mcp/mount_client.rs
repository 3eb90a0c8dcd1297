//! How a mount gets its access tokens: with an id and a secret of its own (OAuth 2 client credentials).

use serde::Deserialize;

use crate::config::Secret;
use crate::upstream::{ClientCredentials, SecretRef, keeps_secrets};

/// A client of an authorization server, as the file of mounts has it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct MountClient {
    pub(super) token_url: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    /// The scopes that it asks for, separated by spaces.
    #[serde(default)]
    pub(super) scope: String,
    /// The audience that it asks for, which some servers need.
    #[serde(default)]
    pub(super) audience: String,
}

impl MountClient {
    /// What is wrong with it, beside these headers.
    pub(super) fn problem(&self, headers: &[(String, String)]) -> Option<String> {
        let is_own = |it: &(String, String)| it.0.eq_ignore_ascii_case("authorization");
        if headers.iter().any(is_own) {
            return Some(
                "it has the header `Authorization` and `oauth`: remove one of them".to_owned(),
            );
        }
        let is_safe = keeps_secrets(&self.token_url);
        (!is_safe).then(|| {
            "its `tokenUrl` must begin with `https://`: the client's secret is sent there"
                .to_owned()
        })
    }

    /// The same with the values of its variables, which `expand` gives for a field and its text.
    ///
    /// # Errors
    /// A variable that is not set.
    pub(super) fn expanded(
        self,
        expand: &dyn Fn(&str, String) -> Result<String, String>,
    ) -> Result<MountClient, String> {
        Ok(MountClient {
            token_url: expand("oauth.tokenUrl", self.token_url)?,
            client_id: expand("oauth.clientId", self.client_id)?,
            client_secret: expand("oauth.clientSecret", self.client_secret)?,
            scope: expand("oauth.scope", self.scope)?,
            audience: expand("oauth.audience", self.audience)?,
        })
    }

    pub(super) fn credentials(&self) -> ClientCredentials {
        let secret = |text: &str| SecretRef::Value(Secret::new(text));
        let (id, secret) = (secret(&self.client_id), secret(&self.client_secret));
        ClientCredentials::at(self.token_url.clone(), id, secret)
            .scopes_named(self.scope.clone())
            .audience_named(self.audience.clone())
    }
}
