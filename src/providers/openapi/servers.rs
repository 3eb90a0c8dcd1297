//! The base URL of an API: the one of the import, or else what the document says.

use std::collections::BTreeMap;

use serde_json::Value;

use super::library::{Library, Node};
use super::outline::Version;
use super::plan::variables;

/// What decides on the base URL beside the document.
pub(super) struct Bases<'i> {
    /// The URL that wins.
    pub(super) base_url: Option<&'i str>,
    /// Where the document is from: relative servers are relative to it.
    pub(super) document_url: Option<&'i str>,
    /// The values of the variables of servers.
    pub(super) variables: &'i BTreeMap<String, String>,
}

impl Bases<'_> {
    /// The base URL of operations without servers of their own.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn common(&self, library: &Library, version: Version) -> Result<String, String> {
        if let Some(url) = self.base_url {
            return Ok(url.to_owned());
        }
        match version {
            Version::Two => self.absolute(&of_two(library)),
            Version::Three => self.first(&library.top("servers")),
        }
    }

    /// The base URL of an operation that names servers itself.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn own(&self, servers: &Node) -> Result<String, String> {
        match self.base_url {
            Some(url) => Ok(url.to_owned()),
            None => self.first(&servers.value),
        }
    }

    fn first(&self, servers: &Value) -> Result<String, String> {
        let servers = servers.as_array().map(Vec::as_slice).unwrap_or_default();
        // A document without servers has one, whose URL is `/`.
        let Some(first) = servers.first() else {
            return self.absolute("/");
        };
        let url = first.get("url").and_then(Value::as_str).unwrap_or("/");
        self.absolute(&self.expand(url, first)?)
    }

    /// The URL with the values of its variables.
    fn expand(&self, url: &str, server: &Value) -> Result<String, String> {
        let mut expanded = url.to_owned();
        for name in variables(url) {
            let declared = server.get("variables").and_then(|it| it.get(name));
            let default = declared.and_then(|it| it.get("default")?.as_str());
            let value = self.variables.get(name).map(String::as_str).or(default);
            let value = value.ok_or_else(|| {
                format!("the variable `{name}` of its server `{url}` has no value: give one with `server_variable`, or a base URL")
            })?;
            let allowed = declared.and_then(|it| it.get("enum")?.as_array());
            if allowed.is_some_and(|it| !it.is_empty() && !it.iter().any(|it| it == value)) {
                return Err(format!(
                    "the variable `{name}` of its server cannot be `{value}`"
                ));
            }
            expanded = expanded.replace(&format!("{{{name}}}"), value);
        }
        Ok(expanded)
    }

    /// The URL itself, or relative to that of the document.
    fn absolute(&self, url: &str) -> Result<String, String> {
        if url.starts_with("https://") || url.starts_with("http://") {
            return Ok(url.trim_end_matches('/').to_owned());
        }
        let missing = || {
            format!(
                "its server `{url}` is relative: give the URL of the API with `base_url`, or that of the document with `document_url`"
            )
        };
        let document = self.document_url.ok_or_else(missing)?;
        let scheme_end = document.find("://").ok_or_else(missing)? + 3;
        let path_start = document[scheme_end..]
            .find('/')
            .map_or(document.len(), |it| scheme_end + it);
        let (origin, path) = document.split_at(path_start);
        if url.starts_with("//") {
            return Ok(format!("{}{url}", &document[..scheme_end - 2])
                .trim_end_matches('/')
                .to_owned());
        }
        let mut parts: Vec<&str> = match url.starts_with('/') {
            true => Vec::new(),
            false => {
                let path = path.split(['?', '#']).next().unwrap_or_default();
                let folder = path.rsplit_once('/').map_or("", |it| it.0);
                folder.split('/').filter(|it| !it.is_empty()).collect()
            }
        };
        for part in url.split('/').filter(|it| !it.is_empty()) {
            match part {
                "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        let path: String = parts.iter().map(|it| format!("/{it}")).collect();
        Ok(format!("{origin}{path}"))
    }
}

/// The server of a document of Swagger 2.0.
fn of_two(library: &Library) -> String {
    let text = |name: &str| library.top(name).as_str().map(str::to_owned);
    let path = text("basePath").unwrap_or_default();
    let schemes = library.top("schemes");
    let mut schemes = schemes
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let is_plain = schemes.clone().any(|it| it == "http") && !schemes.any(|it| it == "https");
    match text("host") {
        Some(host) => format!("{}://{host}{path}", if is_plain { "http" } else { "https" }),
        None if path.is_empty() => "/".to_owned(),
        None => path,
    }
}
