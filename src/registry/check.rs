//! Checks registrations at start.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::app;
use super::fit;
use super::functions::Functions;
use super::icon::Icon;
use super::meta;
use super::paths::{self, anonymous};
use super::prompt::Prompt;
use super::resource::Resource;
use super::tool::Tool;
use super::types;

/// The maximum length of a name in MCP.
const MAX_NAME: usize = 128;

/// A line for every problem, with the names of the functions. Functions among the `known` ones are already checked,
/// except for conflicts with others.
pub(super) fn problems(functions: &Functions, known: &Functions) -> Vec<String> {
    let Functions {
        tools,
        resources,
        prompts,
        ..
    } = functions;
    let mut problems: Vec<String> = added(tools, &known.tools)
        .flat_map(|it| alone(it))
        .collect();
    problems.extend(twice(tools, "name", Tool::name, |tool| {
        vec![tool.name().to_owned()]
    }));
    problems.extend(paths::conflicts(tools));
    // A mounted server's pages are its own.
    let own = added(tools, &known.tools).filter(|it| !it.is_dynamic());
    problems.extend(own.filter_map(|it| app::problem(it, resources)));
    problems.extend(added(resources, &known.resources).flat_map(|it| resource_problems(it)));
    problems.extend(twice(
        resources,
        "URI",
        |it| it.function().name(),
        |it| vec![anonymous(it.uri())],
    ));
    problems.extend(added(prompts, &known.prompts).flat_map(|it| prompt_problems(it)));
    problems.extend(twice(prompts, "prompt name", Prompt::name, |it| {
        vec![it.name().to_owned()]
    }));
    problems
}

/// The entries of a list that are not in the known one.
fn added<'l, T>(list: &'l [Arc<T>], known: &[Arc<T>]) -> impl Iterator<Item = &'l Arc<T>> {
    let known: HashSet<*const T> = known.iter().map(Arc::as_ptr).collect();
    list.iter()
        .filter(move |it| !known.contains(&Arc::as_ptr(it)))
}

/// The problems of one tool, independent of other tools.
fn alone(tool: &Tool) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(name_problem(tool.name()));
    if !tool.on_mcp() && !tool.on_rest() {
        found.push(
            "it answers on no protocol: give it a path with `get` or `post`, or take away `rest_only`".into(),
        );
    }
    found.extend(types::problems(tool));
    found.extend(fit::problems(tool));
    found.extend(paths::problems(tool));
    if !tool.is_unchecked() {
        found.extend(header_problems(tool));
    }
    found.extend(tool.icons().iter().flat_map(Icon::problems));
    found.extend(tool.metadata().keys().filter_map(|key| meta::problem(key)));
    found
        .into_iter()
        .map(|problem| format!("function `{}`: {problem}", tool.name()))
        .collect()
}

/// The names that MCP allows for tools. `.` and `..` would not stay in a path.
fn name_problem(name: &str) -> Option<String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let is_long = name.is_empty() || name.len() > MAX_NAME;
    let good = !is_long && name.bytes().all(legal) && !matches!(name, "." | "..");
    (!good).then(|| {
        format!("a name has 1 to {MAX_NAME} characters of `a-z`, `A-Z`, `0-9`, `_`, `-`, `.`")
    })
}

/// `x-mcp-header` names: a header token, once, on a string, integer or boolean (MCP 2026-07-28).
fn header_problems(tool: &Tool) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen: HashMap<String, &str> = HashMap::new();
    for (parameter, schema) in tool.parameters().into_iter().flatten() {
        let Some(header) = schema.get("x-mcp-header") else {
            continue;
        };
        let name = header.as_str().unwrap_or("");
        if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
            found.push(format!(
                "its parameter `{parameter}` names `{name}`, which is not a valid header name"
            ));
        }
        if !matches!(
            schema.get("type").and_then(Value::as_str),
            Some("string" | "integer" | "boolean")
        ) {
            found.push(format!("its parameter `{parameter}` cannot be sent in a header: it must be a string, an integer or a boolean"));
        }
        if let Some(other) = seen.insert(name.to_ascii_lowercase(), parameter) {
            found.push(format!(
                "its parameters `{other}` and `{parameter}` name the same header"
            ));
        }
    }
    found
}

/// The problems of a resource: each variable needs a parameter, and the reverse.
fn resource_problems(resource: &Resource) -> Vec<String> {
    let mut found = alone(resource.function());
    if resource.function().is_dynamic() {
        return found;
    }
    let named = |problem: String| format!("resource `{}`: {problem}", resource.uri());
    let parameters: Vec<&String> = resource
        .function()
        .parameters()
        .into_iter()
        .flat_map(|it| it.keys())
        .collect();
    for variable in resource
        .variables()
        .filter(|it| !parameters.iter().any(|known| known == it))
    {
        found.push(named(format!(
            "its variable `{variable}` is not a parameter of its function"
        )));
    }
    for parameter in parameters
        .iter()
        .filter(|it| !resource.variables().any(|known| known == it.as_str()))
    {
        found.push(named(format!(
            "the parameter `{parameter}` of its function is not a variable"
        )));
    }
    if resource.is_template() && resource.bytes().is_some() {
        found.push(named(
            "it is a template, whose documents have no size in common".to_owned(),
        ));
    }
    if !resource.uri().contains("://") {
        found.push(named(
            "its URI has no scheme, such as `wallet://`".to_owned(),
        ));
    }
    for argument in resource
        .completers()
        .arguments()
        .filter(|it| !resource.variables().any(|known| known == *it))
    {
        found.push(named(format!(
            "`{argument}` has proposals and is not a variable"
        )));
    }
    found
}

/// The problems of a prompt: its arguments must be strings, and its result must not be structured.
fn prompt_problems(prompt: &Prompt) -> Vec<String> {
    let mut found = alone(prompt.function());
    let named = |problem: String| format!("prompt `{}`: {problem}", prompt.name());
    let parameters = prompt.function().parameters();
    for (parameter, schema) in parameters.into_iter().flatten() {
        if schema.get("type").is_none_or(|it| it != "string") {
            found.push(named(format!(
                "its argument `{parameter}` must be a string"
            )));
        }
    }
    let is_text = |schema: &Value| schema.get("type").is_some_and(|it| it == "string");
    if prompt.function().result().is_some_and(|it| !is_text(it)) {
        let problem = "its function must answer with a `String` or `Content`";
        found.push(named(problem.to_owned()));
    }
    for argument in prompt.completers().arguments() {
        if parameters.is_none_or(|it| !it.contains_key(argument)) {
            found.push(named(format!(
                "`{argument}` has proposals and is not an argument"
            )));
        }
    }
    found
}

/// A line for each two entries of a list with the same key.
fn twice<T>(
    list: &[Arc<T>],
    what: &str,
    name: fn(&T) -> &str,
    keys: impl Fn(&T) -> Vec<String>,
) -> Vec<String> {
    let mut seen: HashMap<String, &str> = HashMap::new();
    let mut found = Vec::new();
    for entry in list {
        for key in keys(entry) {
            if let Some(other) = seen.insert(key.clone(), name(entry)) {
                let name = name(entry);
                found.push(format!(
                    "functions `{other}` and `{name}` have the same {what}: `{key}`"
                ));
            }
        }
    }
    found
}
