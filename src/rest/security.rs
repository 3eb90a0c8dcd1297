//! The security of the OpenAPI document: how callers authenticate, and which scopes each operation needs.

use serde_json::{Map, Value, json};

use super::operation::failure;
use crate::auth::Schemes;
use crate::config::Config;
use crate::registry::Tool;

const TOKEN: &str = "token";
const KEY: &str = "api_key";

/// The rules for callers that the document shows.
#[derive(Clone, Default)]
pub(super) struct Security {
    /// `None` if callers are not checked.
    schemes: Option<Schemes>,
    issuers: Vec<String>,
    /// The scopes that every function needs, except for public ones.
    base: Vec<String>,
    is_limited: bool,
}

impl Security {
    /// The rules of the settings.
    pub(super) fn new(schemes: Option<Schemes>, config: &Config) -> Security {
        Security {
            schemes,
            issuers: config.auth_issuer.clone(),
            base: config.auth_scopes.clone(),
            is_limited: config.rate_limit.is_some()
                || config.rate_limit_total.is_some()
                || !config.rate_limit_classes.is_empty(),
        }
    }

    /// The object `securitySchemes`; `None` if clients cannot authenticate.
    pub(super) fn schemes(&self) -> Option<Value> {
        let schemes = self.schemes.filter(|it| it.tokens || it.keys)?;
        let mut all = Map::new();
        if schemes.tokens {
            let issuers = self.issuers.join(", ");
            let token = json!({
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": format!("An access token of {issuers}"),
            });
            all.insert(TOKEN.to_owned(), token);
        }
        if schemes.keys {
            let key = json!({
                "type": "apiKey",
                "in": "header",
                "name": "X-API-Key",
                "description": "A key that the operator of this server has given out",
            });
            all.insert(KEY.to_owned(), key);
        }
        Some(all.into())
    }

    /// Adds the security requirements and the error responses of a function to its operation.
    pub(super) fn describe(&self, tool: &Tool, operation: &mut Value) {
        let responses = &mut operation["responses"];
        if self.is_limited {
            let said = "The rate limit is reached; `Retry-After` says when to come back";
            add(responses, "429", said);
        }
        let Some(schemes) = self.schemes else {
            return;
        };
        let said = match tool.is_public() {
            true => "The credentials are not valid; none are needed",
            false => "There are no credentials, or they are not valid",
        };
        add(responses, "401", said);
        let scopes = self.scopes(tool);
        if !tool.is_public() && (!scopes.is_empty() || tool.names_others()) {
            let said = "The credentials do not have the scopes; `WWW-Authenticate` names them";
            add(responses, "403", said);
        }
        let offered = [(schemes.tokens, TOKEN), (schemes.keys, KEY)];
        let offered = offered.iter().filter(|it| it.0);
        let needed: Vec<Value> = match tool.is_public() {
            true => vec![json!({})],
            false => offered.map(|it| json!({ it.1: scopes })).collect(),
        };
        if !needed.is_empty() {
            operation["security"] = needed.into();
        }
    }

    fn scopes<'a>(&'a self, tool: &'a Tool) -> Vec<&'a str> {
        let own = tool.required_scopes().iter().map(AsRef::as_ref);
        let mut all: Vec<&str> = self.base.iter().map(String::as_str).chain(own).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// Adds a cause to the description of a response.
fn add(responses: &mut Value, status: &str, said: &str) {
    let before = responses[status]["description"].as_str();
    let said = before.map_or(said.to_owned(), |before| format!("{before}. {said}"));
    responses[status] = failure(&said);
}
