//! Checks the routes of functions: their form, their parameters, and duplicates.

use std::collections::HashMap;
use std::sync::Arc;

use http::Method;
use serde_json::Value;

use super::location::Location;
use super::route::Route;
use super::tool::Tool;

/// A route that was seen, for the message about a duplicate.
struct Seen<'t> {
    function: &'t str,
    path: String,
    is_name_path: bool,
}

/// The problems of the routes of one tool, independent of other tools.
pub(super) fn problems(tool: &Tool) -> Vec<String> {
    let mut found = Vec::new();
    for route in tool.routes() {
        for problem in route_problems(tool, route) {
            if !found.contains(&problem) {
                found.push(problem);
            }
        }
    }
    found.extend(location_problems(tool));
    if let Some(status) = tool.success_status()
        && !(200..300).contains(&status)
    {
        found.push(format!(
            "its status {status} is not that of a success, which is 200 to 299"
        ));
    }
    found
}

/// A line for each duplicate of method and path: a request could reach only one of the two.
pub(super) fn conflicts(tools: &[Arc<Tool>]) -> Vec<String> {
    let mut seen: HashMap<(Method, String), Seen<'_>> = HashMap::new();
    let mut found = Vec::new();
    for tool in tools {
        let by_name = format!("/{}", tool.name());
        let by_name = tool
            .has_name_path()
            .then_some((Method::POST, by_name.as_str(), true));
        let declared = tool
            .routes()
            .iter()
            .map(|route| (route.method().clone(), route.path(), false));
        for (method, path, is_name_path) in by_name.into_iter().chain(declared) {
            let this = Seen {
                function: tool.name(),
                path: path.to_owned(),
                is_name_path,
            };
            let key = (method, anonymous(path));
            match seen.get(&key) {
                Some(other) => found.push(conflict(&key.0, other, &this)),
                None => drop(seen.insert(key, this)),
            }
        }
    }
    found
}

fn conflict(method: &Method, one: &Seen<'_>, other: &Seen<'_>) -> String {
    let paths = match one.path == other.path {
        true => format!("`{}`", one.path),
        false => format!("`{}` and `{}`", one.path, other.path),
    };
    let named = [one, other].into_iter().find(|it| it.is_name_path);
    let remedy = named.map_or_else(String::new, |it| {
        format!(
            "; it is that of the name of `{}`, which `without_name_path` takes away",
            it.function
        )
    });
    format!(
        "functions `{}` and `{}` have the same {method} path: {paths}{remedy}",
        one.function, other.function
    )
}

fn route_problems(tool: &Tool, route: &Route) -> Vec<String> {
    let path = route.path();
    let mut found = form_problems(path);
    if route.is_second && tool.path().is_none() {
        found.push(format!(
            "its path `{path}` is a second one: give it a first one with `get`"
        ));
    }
    let in_path: Vec<&str> = route.parameters().collect();
    for (place, parameter) in in_path.iter().enumerate() {
        if in_path[..place].contains(parameter) {
            found.push(format!("its path `{path}` names `{parameter}` twice"));
        }
        let known = tool
            .parameters()
            .is_some_and(|it| it.contains_key(*parameter));
        if !known {
            found.push(format!(
                "its path `{path}` names `{parameter}`, which is not a parameter"
            ));
        }
        if matches!(tool.location(parameter), Ok(Some(_))) {
            found.push(format!(
                "its path `{path}` names `{parameter}`, which `x-in` puts elsewhere"
            ));
        }
    }
    for (parameter, schema) in tool.parameters().into_iter().flatten() {
        let is_in_path = in_path.contains(&parameter.as_str());
        let is_list = !is_in_path && schema.get("items").is_some_and(is_scalar);
        let is_in_url = is_in_path || !route.takes_body();
        if is_in_url && !is_scalar(schema) && !is_list {
            found.push(format!(
                "its parameter `{parameter}` cannot be sent in a path or query: it must be a string, a number or a boolean, \
                 or in a query a list of them"
            ));
        }
    }
    found
}

/// The problems of the places that fields declare.
fn location_problems(tool: &Tool) -> Vec<String> {
    let parameters = tool.parameters().into_iter().flatten();
    let problems = parameters.filter_map(|(parameter, schema)| {
        let problem = match tool.location(parameter) {
            Ok(None) => return None,
            Ok(Some(Location::Query)) if is_list(schema) => return None,
            Ok(Some(_)) if is_scalar(schema) => return None,
            Ok(Some(Location::Query)) => {
                "it cannot be sent in a query: it must be a string, a number, a boolean or a list of them"
                    .to_owned()
            }
            Ok(Some(_)) => {
                "it cannot be sent in a header or a cookie: it must be a string, a number or a boolean"
                    .to_owned()
            }
            Err(problem) => problem,
        };
        Some(format!("its parameter `{parameter}`: {problem}"))
    });
    problems.collect()
}

fn is_list(schema: &Value) -> bool {
    schema.get("items").is_some_and(is_scalar)
}

/// Whether a value of this schema can be read from a text.
fn is_scalar(schema: &Value) -> bool {
    if let Some(kind) = schema.get("type") {
        return ["string", "integer", "number", "boolean"]
            .iter()
            .any(|it| kind == it);
    }
    let choices = ["oneOf", "anyOf"]
        .iter()
        .find_map(|key| schema.get(key)?.as_array());
    match (choices, schema.get("enum").and_then(Value::as_array)) {
        (Some(choices), _) => choices.iter().all(is_scalar),
        (None, Some(values)) => values.iter().all(Value::is_string),
        (None, None) => schema.get("const").is_some_and(Value::is_string),
    }
}

fn form_problems(path: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !path.starts_with('/') || path.len() < 2 || path.ends_with('/') || path.contains("//") {
        found.push(format!(
            "its path `{path}` must begin with `/` and have no empty part"
        ));
    }
    if let Some(part) = path.split('/').find(|part| !is_part(part)) {
        found.push(format!(
            "its path `{path}` has the part `{part}`, which is neither a parameter in braces nor plain text"
        ));
    }
    found
}

/// A parameter in braces, or unreserved characters of a URL (RFC 3986).
fn is_part(part: &str) -> bool {
    let name = part.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
    let plain = |text: &str, more: &[u8]| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || more.contains(&byte))
    };
    if matches!(part, "." | "..") {
        return false;
    }
    match name {
        Some(name) => !name.is_empty() && plain(name, &[]),
        None => plain(part, b"-.~"),
    }
}

/// The path with nameless parameters: two paths that differ only in their names are the same route.
pub(super) fn anonymous(path: &str) -> String {
    let parts = path
        .split('/')
        .map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}
