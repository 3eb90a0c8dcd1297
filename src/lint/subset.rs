//! Rules for keywords outside the subsets of JSON Schema that some modes and interfaces of clients support.

use serde_json::Value;

use super::Finding;
use super::node::Node;
use super::refusal::NOT_AT_ROOT;

const GEMINI: &str = "Gemini";
const STRICT: &str = "OpenAI in strict mode";
const STRICT_AND_GEMINI: &str = "OpenAI in strict mode and Gemini";

/// Keywords that a client does not support: those outside the subset of strict mode
/// (<https://developers.openai.com/api/docs/guides/structured-outputs#supported-schemas>), and those outside the
/// subset of OpenAPI to which Gemini's clients translate (<https://ai.google.dev/api/caching#Schema>).
const UNKNOWN: [(&str, &str); 14] = [
    ("allOf", STRICT_AND_GEMINI),
    ("oneOf", STRICT_AND_GEMINI),
    ("not", STRICT_AND_GEMINI),
    ("if", STRICT_AND_GEMINI),
    ("dependentRequired", STRICT_AND_GEMINI),
    ("dependentSchemas", STRICT_AND_GEMINI),
    ("const", GEMINI),
    ("contains", GEMINI),
    ("exclusiveMaximum", GEMINI),
    ("exclusiveMinimum", GEMINI),
    ("multipleOf", GEMINI),
    ("patternProperties", GEMINI),
    ("propertyNames", GEMINI),
    ("uniqueItems", GEMINI),
];

pub(super) fn findings(node: &Node<'_>) -> Vec<Finding> {
    let mut found = unknown(node);
    found.extend(format(node));
    found.extend(null_default(node));
    found.extend(strict(node));
    found
}

fn unknown(node: &Node<'_>) -> Vec<Finding> {
    let is_told = |keyword: &str| node.is_root() && NOT_AT_ROOT.iter().any(|it| it.0 == keyword);
    let here = UNKNOWN
        .iter()
        .filter(|it| node.get(it.0).is_some() && !is_told(it.0));
    here.map(|(keyword, clients)| {
        node.warning(
            node.at(keyword),
            format!("it uses `{keyword}`"),
            clients,
            "describe it in `description`, and let the function check it",
        )
    })
    .collect()
}

/// Gemini supports two string formats (google-gemini/gemini-cli#3178).
fn format(node: &Node<'_>) -> Option<Finding> {
    let format = node.get("format").and_then(Value::as_str)?;
    let is_known = !node.is("string") || matches!(format, "date-time" | "enum");
    (!is_known).then(|| {
        node.warning(
            node.at("format"),
            format!("the string format `{format}` is not `date-time` or `enum`"),
            GEMINI,
            "describe it in `description`, or use `pattern`",
        )
    })
}

/// An absent parameter is null anyway (taylorwilsdon/google_workspace_mcp#1099).
fn null_default(node: &Node<'_>) -> Option<Finding> {
    node.get("default").filter(|it| it.is_null())?;
    Some(node.warning(
        node.at("default"),
        "the default is null",
        GEMINI,
        "remove `default`",
    ))
}

/// Strict mode requires every property, no additional ones, and a type everywhere
/// (<https://developers.openai.com/api/docs/guides/structured-outputs#supported-schemas>).
fn strict(node: &Node<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let names = node.get("required").and_then(Value::as_array);
    let is_required = |name: &str| names.is_some_and(|it| it.iter().any(|it| it == name));
    let properties = node.properties().into_iter().flatten();
    let optional: Vec<String> = properties
        .filter(|(name, _)| !is_required(name))
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    if !optional.is_empty() {
        found.push(node.warning(
            node.place.clone(),
            format!("{} may be absent", optional.join(", ")),
            STRICT,
            "if strict mode matters, require it and let a special value mean that it is absent",
        ));
    }
    if node.is("object") && node.get("additionalProperties") != Some(&Value::Bool(false)) {
        found.push(node.warning(
            node.place.clone(),
            "it accepts unknown fields",
            STRICT,
            "add `\"additionalProperties\": false`, with `#[serde(deny_unknown_fields)]`",
        ));
    }
    let says_what = ["type", "anyOf", "oneOf", "allOf", "enum", "const", "$ref"];
    let is_part = matches!(
        node.keyword,
        "properties" | "items" | "prefixItems" | "anyOf"
    );
    let fields = node.schema.as_object().filter(|_| is_part);
    if fields.is_some_and(|it| it.keys().all(|key| !says_what.contains(&key.as_str()))) {
        found.push(node.warning(
            node.place.clone(),
            "it has no type",
            STRICT_AND_GEMINI,
            "declare the type",
        ));
    }
    found
}
