//! The place of a parameter in a REST request, as declared by its field with `x-in` and `x-name`.

use std::borrow::Cow;

use http::HeaderName;
use serde_json::Value;

use super::tool::Tool;
use crate::schema::PLACES;

/// Headers with a meaning in HTTP, which cannot be parameters.
const RESERVED: [&str; 17] = [
    "accept",
    "authorization",
    "connection",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "idempotency-key",
    "if-none-match",
    "keep-alive",
    "last-event-id",
    "origin",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-request-id",
];

/// The prefixes of such headers.
const RESERVED_FAMILIES: [&str; 6] = [
    "accept-",
    "access-control-",
    "content-",
    "mcp-",
    "proxy-",
    "sec-",
];

/// The place that a field declares for its parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    /// The query, on every method.
    Query,
    /// A header.
    Header(HeaderName),
    /// The cookie of that name.
    Cookie(String),
}

impl Tool {
    /// The declared place of a parameter.
    ///
    /// # Errors
    /// The declaration is invalid.
    pub(crate) fn location(&self, parameter: &str) -> Result<Option<Location>, String> {
        match self.parameters().and_then(|known| known.get(parameter)) {
            Some(schema) => of_schema(parameter, schema),
            None => Ok(None),
        }
    }

    /// The headers that carry parameters on REST.
    pub(crate) fn request_headers(&self) -> impl Iterator<Item = HeaderName> {
        let parameters = self.parameters().into_iter().flatten();
        parameters.filter_map(|(name, schema)| match of_schema(name, schema) {
            Ok(Some(Location::Header(header))) => Some(header),
            _ => None,
        })
    }
}

/// Removes the attributes for REST from the schemas of the parameters.
pub(crate) fn strip(schema: &mut Value) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(|it| it.values_mut()) {
        if let Some(fields) = property.as_object_mut() {
            for attribute in PLACES {
                fields.remove(attribute);
            }
        }
    }
}

fn of_schema(parameter: &str, schema: &Value) -> Result<Option<Location>, String> {
    let name = schema.get("x-name").map(|name| name.as_str().unwrap_or(""));
    let Some(place) = schema.get("x-in") else {
        return match name {
            Some(_) => Err("`x-name` stands without `x-in`".to_owned()),
            None => Ok(None),
        };
    };
    match (place.as_str(), name) {
        (Some("query"), None) => Ok(Some(Location::Query)),
        (Some("query"), Some(_)) => {
            Err("`x-name` is for headers and cookies: a query has the name of the field".to_owned())
        }
        (Some("header"), name) => {
            let own = || parameter.replace('_', "-").into();
            header(&name.map_or_else(own, Cow::Borrowed))
        }
        (Some("cookie"), name) => cookie(name.unwrap_or(parameter)),
        _ => Err(format!(
            "`x-in` must be `query`, `header` or `cookie`, not `{place}`"
        )),
    }
}

fn header(name: &str) -> Result<Option<Location>, String> {
    let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else {
        return Err(format!("`{name}` is not a valid header name"));
    };
    let known = header.as_str();
    let mut families = RESERVED_FAMILIES.iter();
    if RESERVED.contains(&known) || families.any(|it| known.starts_with(it)) {
        return Err(format!(
            "the header `{name}` has a meaning of its own in HTTP or here: name another one with `x-name`"
        ));
    }
    Ok(Some(Location::Header(header)))
}

/// The name of a cookie is a token (RFC 6265, section 4.1.1), like that of a header.
fn cookie(name: &str) -> Result<Option<Location>, String> {
    match HeaderName::from_bytes(name.as_bytes()) {
        Ok(_) => Ok(Some(Location::Cookie(name.to_owned()))),
        Err(_) => Err(format!("`{name}` is not a valid name of a cookie")),
    }
}
