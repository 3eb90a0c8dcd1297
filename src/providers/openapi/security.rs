//! Security schemes, and the credentials that are sent for them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::import::{Given, Import};
use super::library::{Library, Node};
use super::outline::Version;
use super::parameter::Location;
use super::plan::{Plan, Target, security};
use crate::upstream::{ClientCredentials, Credentials};

/// The schemes of a document, and what was given for them.
pub(super) struct Security {
    /// What every operation needs that does not say it itself.
    common: Vec<Vec<String>>,
    given: BTreeMap<String, Credentials>,
    /// The parameters that credentials take the place of.
    parameters: BTreeMap<String, (Location, String)>,
}

/// How one operation is called.
pub(super) enum Access {
    /// Without credentials: it needs none.
    Open,
    /// Without credentials, though it says that it needs those of these schemes.
    Missing(String),
    /// With those of this scheme.
    With(String),
}

impl Security {
    /// The schemes of a document, with the credentials of an import.
    ///
    /// # Errors
    /// Credentials of a scheme that does not exist or is of another type.
    pub(super) fn of(
        library: &Library,
        version: Version,
        import: &Import,
    ) -> Result<Security, String> {
        let schemes = match version {
            Version::Two => library.top("securityDefinitions"),
            Version::Three => library.part("/components/securitySchemes"),
        };
        let mut found = BTreeMap::new();
        for (name, scheme) in schemes.as_object().into_iter().flatten() {
            let node = Node {
                file: 0,
                value: scheme.clone().into(),
            };
            if let Ok(node) = library.follow(node) {
                found.insert(name.clone(), (*node.value).clone());
            }
        }
        let mut given = BTreeMap::new();
        let mut parameters = BTreeMap::new();
        for (name, secrets) in &import.credentials {
            let scheme = found.get(name).ok_or_else(|| {
                let known: Vec<&str> = found.keys().map(String::as_str).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                format!("credentials are given for the security scheme `{name}`, which it does not have; it has: {known}")
            })?;
            let credentials = credentials(scheme, secrets);
            let credentials =
                credentials.map_err(|problem| format!("its security scheme `{name}` {problem}"))?;
            given.insert(name.clone(), credentials);
            parameters.extend(place(scheme).map(|it| (name.clone(), it)));
        }
        let whole = serde_json::json!({ "security": library.top("security") });
        Ok(Security {
            common: security(&whole).unwrap_or_default(),
            given,
            parameters,
        })
    }

    /// How an operation is called: with the first alternative for which credentials were given.
    ///
    /// # Errors
    /// It needs those of several schemes at a time.
    pub(super) fn access(&self, plan: &Plan) -> Result<Access, String> {
        let alternatives = plan.security.as_ref().unwrap_or(&self.common);
        let is_given = |it: &Vec<String>| it.iter().all(|name| self.given.contains_key(name));
        if let Some([name]) = alternatives
            .iter()
            .find(|it| it.len() == 1 && is_given(it))
            .map(Vec::as_slice)
        {
            return Ok(Access::With(name.clone()));
        }
        if alternatives.is_empty() || alternatives.iter().any(Vec::is_empty) {
            return Ok(Access::Open);
        }
        if let Some(several) = alternatives.iter().find(|it| is_given(it)) {
            return Err(format!(
                "it needs the credentials of several schemes at a time: {}",
                several.join(", ")
            ));
        }
        let names: Vec<String> = alternatives.iter().map(|it| it.join(" and ")).collect();
        Ok(Access::Missing(names.join(" or ")))
    }

    /// The credentials of a scheme.
    pub(super) fn credentials(&self, scheme: &str) -> Option<&Credentials> {
        self.given.get(scheme)
    }

    /// Takes the arguments away that credentials take the place of.
    pub(super) fn hide(&self, scheme: &str, plan: &mut Plan) {
        let Some((location, wire)) = self.parameters.get(scheme) else {
            return;
        };
        let is_it = |target: &Target| matches!(target, Target::Parameter { location: own, .. } if own == location);
        let arguments = plan.call.arguments.iter();
        let hidden: Vec<String> = arguments
            .filter(|it| it.wire.eq_ignore_ascii_case(wire) && is_it(&it.target))
            .map(|it| it.name.clone())
            .collect();
        plan.call.arguments.retain(|it| !hidden.contains(&it.name));
        for schema in [&mut plan.input, &mut plan.typed] {
            if let Some(properties) = schema["properties"].as_object_mut() {
                properties.retain(|name, _| !hidden.contains(name));
            }
            if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
                required.retain(|it| !hidden.iter().any(|name| it == name));
            }
        }
    }
}

/// The parameter that a key stands in.
fn place(scheme: &Value) -> Option<(Location, String)> {
    let location = match scheme.get("in")?.as_str()? {
        "header" => Location::Header,
        "query" => Location::Query,
        "cookie" => Location::Cookie,
        _ => return None,
    };
    Some((location, scheme.get("name")?.as_str()?.to_owned()))
}

fn credentials(scheme: &Value, given: &Given) -> Result<Credentials, String> {
    let text = |name: &str| scheme.get(name).and_then(Value::as_str).unwrap_or_default();
    let kind = match text("type") {
        "http" => text("scheme").to_ascii_lowercase(),
        kind => kind.to_owned(),
    };
    match (kind.as_str(), given) {
        ("apiKey", Given::Key(key)) => {
            let name = text("name").to_owned();
            match text("in") {
                "header" => Ok(Credentials::header_named(name, key.clone())),
                "query" => Ok(Credentials::query_named(name, key.clone())),
                "cookie" => Ok(Credentials::cookie_named(name, key.clone())),
                place => Err(format!("stands in `{place}`, which is unknown")),
            }
        }
        ("bearer" | "oauth2" | "openIdConnect", Given::Key(key)) => {
            Ok(Credentials::bearer(key.clone()))
        }
        ("basic", Given::Basic(user, password)) => {
            Ok(Credentials::basic(user.clone(), password.clone()))
        }
        (
            "oauth2" | "bearer" | "openIdConnect",
            Given::Client {
                id,
                secret,
                token_url,
                scopes,
            },
        ) => {
            let url = token_url.clone().or_else(|| url_of_tokens(scheme));
            let url = url.ok_or(
                "does not name the URL from which a client gets tokens: give it with `token_url`",
            )?;
            let client = ClientCredentials::at(url, id.clone(), secret.clone());
            Ok(Credentials::client(client.scopes_named(scopes.clone())))
        }
        (kind, _) => Err(format!(
            "is of type `{kind}`, which other credentials belong to"
        )),
    }
}

/// The URL of tokens of the client credentials flow.
fn url_of_tokens(scheme: &Value) -> Option<String> {
    let flow = scheme
        .get("flows")
        .and_then(|it| it.get("clientCredentials"));
    let is_own = scheme.get("flow").is_some_and(|it| it == "application");
    let flow = flow.or(is_own.then_some(scheme))?;
    flow.get("tokenUrl")?.as_str().map(str::to_owned)
}
