//! Everything that can be wrong with a registration, found at start.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::functions::Functions;
use super::icon::Icon;
use super::meta;
use super::prompt::Prompt;
use super::resource::Resource;
use super::tool::Tool;
use crate::schema::Rules;

/// The longest name that every client takes.
const MAX_NAME: usize = 64;

/// A line for every problem, with the names of the functions. What stands among the `known` ones was checked before, and
/// only what it has in common with others can be wrong.
pub(super) fn problems(functions: &Functions, known: &Functions) -> Vec<String> {
    let Functions {
        tools,
        resources,
        prompts,
    } = functions;
    let mut problems: Vec<String> = added(tools, &known.tools)
        .flat_map(|it| alone(it))
        .collect();
    problems.extend(twice(tools, "name", Tool::name, |tool| {
        vec![tool.name().to_owned()]
    }));
    problems.extend(twice(tools, "GET path", Tool::name, |tool| {
        tool.paths().map(anonymous).collect()
    }));
    problems.extend(twice(tools, "POST path", Tool::name, |tool| {
        let by_name = tool.on_rest().then(|| format!("/{}", tool.name()));
        let own = tool.post_path().map(str::to_owned);
        by_name.into_iter().chain(own).collect()
    }));
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

/// What is wrong with one tool, whatever the others are.
fn alone(tool: &Tool) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(name_problem(tool.name()));
    if tool.description().trim().is_empty() {
        found.push("its argument struct has no doc comment, so it has no description".into());
    }
    if !tool.on_mcp() && !tool.on_rest() {
        found.push(
            "it answers on no protocol: give it a path with `get` or `post`, or take away `rest_only`".into(),
        );
    }
    found.extend(schema_problems(tool));
    found.extend(tool.paths().flat_map(|path| path_problems(tool, path)));
    found.extend(tool.post_path().into_iter().flat_map(post_problems));
    found.extend(header_problems(tool));
    found.extend(tool.icons().iter().flat_map(Icon::problems));
    found.extend(tool.metadata().keys().filter_map(|key| meta::problem(key)));
    found
        .into_iter()
        .map(|problem| format!("function `{}`: {problem}", tool.name()))
        .collect()
}

fn name_problem(name: &str) -> Option<String> {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let good = !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(legal);
    (!good).then(|| format!("a name has 1 to {MAX_NAME} characters of `a-z`, `0-9`, `_`"))
}

fn schema_problems(tool: &Tool) -> Vec<String> {
    let mut found = Vec::new();
    if tool.schema().get("type").is_none_or(|it| it != "object") {
        found.push("its arguments must be a struct (a JSON object)".to_owned());
    }
    found.extend(Rules::of(tool.schema()).1);
    let is_described =
        |schema: &Value| schema.get("description").is_some() || schema.get("$ref").is_some();
    let is_own = tool.schema().get("$schema").is_none();
    for (parameter, _) in tool
        .parameters()
        .into_iter()
        .flatten()
        .filter(|(_, schema)| is_own && !is_described(schema))
    {
        found.push(format!("its parameter `{parameter}` has no doc comment"));
    }
    let schemas = [Some(tool.schema()), tool.result()];
    if is_own && schemas.into_iter().flatten().any(is_unportable) {
        found.push(
            "a type of its arguments or of its result contains itself, or takes any value: \
             many clients refuse such a schema"
                .to_owned(),
        );
    }
    if tool
        .result()
        .is_some_and(|schema| schema.get("type").is_none_or(|it| it != "object"))
    {
        found.push("its result must be a struct (a JSON object)".to_owned());
    }
    found
}

/// Whether a reference or a boolean stands where a schema should: what contains itself cannot be inlined, and what
/// takes any value has no schema but `true`.
fn is_unportable(schema: &Value) -> bool {
    let Value::Object(fields) = schema else {
        return false;
    };
    let of_properties = |it: &Value| match it {
        Value::Object(schemas) => schemas
            .values()
            .any(|it| it.is_boolean() || is_unportable(it)),
        _ => false,
    };
    let of_patterns = |it: &Value| {
        let mut schemas = it.as_object().into_iter().flat_map(Map::values);
        schemas.any(is_unportable)
    };
    fields.contains_key("$ref")
        || fields.get("properties").is_some_and(of_properties)
        || fields.get("patternProperties").is_some_and(of_patterns)
        || fields
            .get("additionalProperties")
            .is_some_and(is_unportable)
        || fields
            .get("items")
            .is_some_and(|it| it.is_boolean() || is_unportable(it))
        || ["anyOf", "oneOf", "allOf", "prefixItems"]
            .iter()
            .any(|key| {
                let schemas = fields.get(*key).and_then(Value::as_array);
                schemas.into_iter().flatten().any(is_unportable)
            })
}

fn path_problems(tool: &Tool, path: &str) -> Vec<String> {
    let mut found = form_problems(path);
    if tool.path().is_none() {
        found.push(format!(
            "its path `{path}` is a second one: give it a first one with `get`"
        ));
    }
    let in_path: Vec<&str> = parameters_in(path).collect();
    for (place, parameter) in in_path.iter().enumerate() {
        if in_path[..place].contains(parameter) {
            found.push(format!("its path `{path}` names `{parameter}` twice"));
        }
        if tool
            .parameters()
            .is_none_or(|known| !known.contains_key(*parameter))
        {
            found.push(format!(
                "its path `{path}` names `{parameter}`, which is no parameter"
            ));
        }
    }
    for (parameter, schema) in tool.parameters().into_iter().flatten() {
        let scalar = schema.get("type").and_then(Value::as_str);
        if !matches!(scalar, Some("string" | "integer" | "number" | "boolean")) {
            found.push(format!("its parameter `{parameter}` cannot stand in a path or query: it is no string, number or boolean"));
        }
    }
    found
}

/// A POST has its arguments in the body, and none in the path.
fn post_problems(path: &str) -> Vec<String> {
    let mut found = form_problems(path);
    if path.contains(['{', '}']) {
        found.push(format!(
            "its POST path `{path}` must have no parameters: they stand in the body"
        ));
    }
    found
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
                "its parameter `{parameter}` names `{name}`, which is no header name"
            ));
        }
        if !matches!(
            schema.get("type").and_then(Value::as_str),
            Some("string" | "integer" | "boolean")
        ) {
            found.push(format!("its parameter `{parameter}` cannot stand in a header: it is no string, integer or boolean"));
        }
        if let Some(other) = seen.insert(name.to_ascii_lowercase(), parameter) {
            found.push(format!(
                "its parameters `{other}` and `{parameter}` name the same header"
            ));
        }
    }
    found
}

/// What a resource needs beside what its function needs: a variable for each parameter, and the reverse.
fn resource_problems(resource: &Resource) -> Vec<String> {
    let mut found = alone(resource.function());
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
            "the parameter `{parameter}` of its function is no variable"
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
            "`{argument}` has proposals and is no variable"
        )));
    }
    found
}

/// What a prompt needs beside what its function needs: arguments that are text, and no structured result.
fn prompt_problems(prompt: &Prompt) -> Vec<String> {
    let mut found = alone(prompt.function());
    let named = |problem: String| format!("prompt `{}`: {problem}", prompt.name());
    let parameters = prompt.function().parameters();
    for (parameter, schema) in parameters.into_iter().flatten() {
        if schema.get("type").is_none_or(|it| it != "string") {
            found.push(named(format!("its argument `{parameter}` is no text")));
        }
    }
    if prompt.function().result().is_some() {
        found.push(named("its function must answer with `Content`".to_owned()));
    }
    for argument in prompt.completers().arguments() {
        if parameters.is_none_or(|it| !it.contains_key(argument)) {
            found.push(named(format!(
                "`{argument}` has proposals and is no argument"
            )));
        }
    }
    found
}

/// A line for each two entries of a list that have the same key.
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

/// A parameter in braces, or characters that stand for themselves in a URL (RFC 3986, unreserved).
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

/// The names in braces.
fn parameters_in(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// The path with nameless parameters: two paths that differ only in their names are the same route.
fn anonymous(path: &str) -> String {
    let parts = path
        .split('/')
        .map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}
