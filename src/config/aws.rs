//! The standard AWS variables: region, credentials and endpoints, which Lambda sets for every function.

use std::collections::BTreeMap;
use std::fmt;

/// What is needed to call AWS services. AWS defines the names and meanings of these variables, so they do not have the
/// prefix `BIFOLD_`; an empty one counts as unset.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AwsConfig {
    /// `AWS_REGION`, or else `AWS_DEFAULT_REGION`: the region whose services are called. Default none.
    pub region: Option<String>,
    /// `AWS_ACCESS_KEY_ID`: the name of the key that requests are signed with. Default none.
    pub access_key_id: Option<String>,
    /// `AWS_SECRET_ACCESS_KEY`: the key itself. Default none.
    pub secret_access_key: Option<Secret>,
    /// `AWS_SESSION_TOKEN`: the token that belongs to a temporary key. Default none.
    pub session_token: Option<Secret>,
    /// `AWS_ENDPOINT_URL`: the base URL of all services, e.g. of an emulator. Default each service's own.
    pub endpoint_url: Option<String>,
    /// `AWS_ENDPOINT_URL_<SERVICE>`: the base URL of one service, which takes precedence. The map's keys are in lower case.
    pub endpoint_urls: BTreeMap<String, String>,
}

/// A secret text, which is never logged.
#[derive(Clone)]
pub struct Secret(String);

impl AwsConfig {
    /// Reads the variable `AWS_<name>`, if it is one of these.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        match name {
            "REGION" => self.region = Some(value.to_owned()),
            // The order of variables is not defined: this one must never replace `AWS_REGION`.
            "DEFAULT_REGION" => drop(self.region.get_or_insert_with(|| value.to_owned())),
            "ACCESS_KEY_ID" => self.access_key_id = Some(value.to_owned()),
            "SECRET_ACCESS_KEY" => self.secret_access_key = Some(Secret::new(value)),
            "SESSION_TOKEN" => self.session_token = Some(Secret::new(value)),
            "ENDPOINT_URL" => self.endpoint_url = Some(value.to_owned()),
            _ => {
                if let Some(service) = name.strip_prefix("ENDPOINT_URL_") {
                    self.endpoint_urls
                        .insert(service.to_ascii_lowercase(), value.to_owned());
                }
            }
        }
    }
}

impl Secret {
    /// A secret with this text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}
