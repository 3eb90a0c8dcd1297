//! What is wrong with a declaration of pages, selected fields or trimmed text, found at start.

use serde_json::Value;

use super::{Fit, List};
use crate::registry::tool::Tool;

/// A line for every problem.
pub(in crate::registry) fn problems(tool: &Tool) -> Vec<String> {
    let Some(fit) = &tool.fit else {
        let is_page = tool.own_output().is_page;
        let problem = "it returns `Paged`: add `.pages(…)` with the field of its list";
        return is_page.then(|| problem.to_owned()).into_iter().collect();
    };
    let mut found = names(fit, tool);
    found.extend(
        fit.list
            .as_ref()
            .into_iter()
            .flat_map(|it| of_list(it, tool)),
    );
    if fit.selects && !tool.own_output().schema.as_ref().is_some_and(has_fields) {
        let problem = "it has `.selects()`, and its result is neither an object nor a list of objects with a schema";
        found.push(problem.to_owned());
    }
    if fit.trims && !is_text(tool) {
        let problem =
            "it has `.trims()`, and its result is not a text: return a `String` or `Content`";
        found.push(problem.to_owned());
    }
    found
}

fn names(fit: &Fit, tool: &Tool) -> Vec<String> {
    let own = tool
        .own_schema()
        .get("properties")
        .and_then(Value::as_object);
    let taken = fit
        .names()
        .filter(|name| own.is_some_and(|it| it.contains_key(*name)));
    let problem = |name| {
        format!(
            "its parameter `{name}` has a name that `.pages(…)`, `.selects()` or `.trims()` gives: rename it"
        )
    };
    taken.map(problem).collect()
}

fn of_list(list: &List, tool: &Tool) -> Vec<String> {
    let name = &list.name;
    let mut found = Vec::new();
    let default = list.default.unwrap_or(1);
    if default == 0 || default > list.most {
        found.push(format!(
            "its pages of `{name}` must have 1 to {} items where the caller does not say, not {default}",
            list.most
        ));
    }
    let schema = tool.own_output().schema.as_ref();
    let properties = schema.and_then(|it| it.get("properties"));
    let is_list = |it: &Value| it.get("type").is_some_and(|it| it == "array");
    if !properties
        .and_then(|it| it.get(&**name))
        .is_some_and(is_list)
    {
        found.push(format!(
            "it has `.pages(…)` of `{name}`, and its result is not an object with a list in this field"
        ));
    }
    for made in ["next_cursor", "truncated"] {
        if properties.is_some_and(|it| it.get(made).is_some()) {
            found.push(format!(
                "the field `{made}` of its result is made by `.pages(…)`: remove it from the result"
            ));
        }
    }
    found
}

/// Whether the schema names fields of an object, or of the objects of a list.
fn has_fields(schema: &Value) -> bool {
    let any = |key: &str| {
        let schemas = schema.get(key).and_then(Value::as_array);
        schemas.is_some_and(|it| it.iter().any(has_fields))
    };
    ["properties", "additionalProperties"]
        .iter()
        .any(|it| schema.get(it).is_some_and(Value::is_object))
        || schema.get("items").is_some_and(has_fields)
        || ["anyOf", "oneOf", "allOf"].into_iter().any(any)
}

fn is_text(tool: &Tool) -> bool {
    let output = tool.own_output();
    match &output.schema {
        Some(schema) => schema.get("type").is_some_and(|it| it == "string"),
        None => output.media_type == Some("application/json"),
    }
}
