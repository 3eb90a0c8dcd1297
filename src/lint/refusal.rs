//! Rules for valid schemas that some client always refuses.

use serde_json::Value;

use super::Finding;
use super::node::Node;

const CLAUDE: &str = "Claude";
const GEMINI: &str = "Gemini";
const OPENAI: &str = "OpenAI";
const CLAUDE_AND_GEMINI: &str = "Claude and Gemini";
const CLAUDE_AND_OPENAI: &str = "Claude and OpenAI";
const GEMINI_AND_OPENAI: &str = "Gemini and OpenAI";

/// Keywords that must not be at the root, by the error messages of the two APIs (anthropics/claude-code#4886,
/// langchain-ai/langchainjs#9804) and by what Claude Code drops (anthropics/claude-code#95504).
pub(super) const NOT_AT_ROOT: [(&str, &str); 6] = [
    ("oneOf", CLAUDE_AND_OPENAI),
    ("anyOf", CLAUDE_AND_OPENAI),
    ("allOf", CLAUDE_AND_OPENAI),
    ("if", CLAUDE),
    ("not", OPENAI),
    ("enum", OPENAI),
];

/// The maximum length of a parameter name for Claude.
const MAX_NAME: usize = 64;

pub(super) fn findings(node: &Node<'_>, root: &Node<'_>) -> Vec<Finding> {
    let mut found = root_keywords(node);
    found.extend(boolean(node));
    found.extend(names(node));
    found.extend(types(node));
    found.extend(array(node));
    found.extend(choice(node));
    found.extend(required(node));
    found.extend(fields(node));
    found.extend(reference(node, root));
    found
}

/// `true` instead of a schema: Claude Code loses all tools of the server (anthropics/claude-code#92900), and Gemini's
/// clients fail (docker/docker-agent#3634). Most clients accept a boolean for `additionalProperties`.
fn boolean(node: &Node<'_>) -> Option<Finding> {
    let is_usual = matches!(
        node.keyword,
        "additionalProperties" | "unevaluatedProperties" | "unevaluatedItems"
    );
    (node.schema.is_boolean() && !is_usual).then(|| {
        node.error(
            node.place.clone(),
            "it is a boolean instead of a schema",
            CLAUDE_AND_GEMINI,
            "declare the type, such as `{\"type\": \"object\"}`",
        )
    })
}

fn root_keywords(node: &Node<'_>) -> Vec<Finding> {
    let here = NOT_AT_ROOT
        .iter()
        .filter(|it| node.is_root() && node.get(it.0).is_some());
    here.map(|(keyword, clients)| {
        node.error(
            node.at(keyword),
            format!("`{keyword}` is at the root"),
            clients,
            "make the arguments one plain object, and let the function check their combination",
        )
    })
    .collect()
}

/// Claude requires names at the root to match `^[a-zA-Z0-9_.-]{1,64}$` (anthropics/claude-code#79418).
fn names(node: &Node<'_>) -> Vec<Finding> {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    let is_good = |name: &str| (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_legal);
    let names = node
        .properties()
        .filter(|_| node.is_root())
        .into_iter()
        .flatten();
    let bad = names.filter(|(name, _)| !is_good(name));
    bad.map(|(name, _)| {
        node.error(
            node.named("properties", name),
            format!("its name is `{name}`"),
            CLAUDE,
            "use 1 to 64 characters of `a-z`, `A-Z`, `0-9`, `_`, `.`, `-`",
        )
    })
    .collect()
}

/// Gemini requires `type` to be one value (zed-industries/zed#53919, taylorwilsdon/google_workspace_mcp#1099).
fn types(node: &Node<'_>) -> Option<Finding> {
    node.get("type").filter(|it| it.is_array())?;
    Some(node.error(
        node.at("type"),
        "it names several types",
        GEMINI,
        "name one type, and leave an optional parameter out of `required`",
    ))
}

/// Both APIs report that `items` is missing (streamnative/streamnative-mcp-server#26,
/// NousResearch/hermes-agent#71804).
fn array(node: &Node<'_>) -> Option<Finding> {
    let is_bare = node.is("array") && node.get("items").is_none();
    is_bare.then(|| {
        node.error(
            node.place.clone(),
            "it is a list without `items`",
            GEMINI_AND_OPENAI,
            "declare the type of its items in `items`",
        )
    })
}

/// Gemini accepts only strings, and only with `type: string` (microsoft/azure-devops-mcp#145,
/// directus/directus#27100).
fn choice(node: &Node<'_>) -> Option<Finding> {
    let values = node.get("enum")?.as_array()?;
    let is_text = node.is("string") && values.iter().all(Value::is_string);
    (!is_text && !node.is_root()).then(|| {
        node.error(
            node.at("enum"),
            "it lists values that are not strings",
            GEMINI,
            "list strings with `\"type\": \"string\"`, or use `minimum` and `maximum`",
        )
    })
}

/// Gemini reports that the property is not defined (anomalyco/opencode#3140).
fn required(node: &Node<'_>) -> Vec<Finding> {
    let names = node.get("required").and_then(Value::as_array);
    let names = names.filter(|_| node.is("object")).into_iter().flatten();
    let is_there = |name: &str| node.properties().is_some_and(|it| it.contains_key(name));
    let lost = names
        .filter_map(Value::as_str)
        .filter(|name| !is_there(name));
    lost.map(|name| {
        node.error(
            node.at("required"),
            format!("it names the unknown property `{name}`"),
            GEMINI,
            "describe it in `properties`, or remove it",
        )
    })
    .collect()
}

/// Gemini accepts these keywords only in objects (anomalyco/opencode#11889).
fn fields(node: &Node<'_>) -> Option<Finding> {
    let has_fields = node.get("properties").is_some() || node.get("required").is_some();
    (has_fields && !node.is("object")).then(|| {
        node.error(
            node.place.clone(),
            "it has fields but is not an object",
            GEMINI,
            "say `\"type\": \"object\"`",
        )
    })
}

/// Clients must not fetch a schema (MCP 2026-07-28, tools), and Gemini's clients fail at references inside the same
/// schema (google-gemini/gemini-cli#13326, NousResearch/hermes-agent#99438).
fn reference(node: &Node<'_>, root: &Node<'_>) -> Option<Finding> {
    let target = node.get("$ref")?.as_str().unwrap_or_default();
    let pointer = target.strip_prefix('#');
    let is_lost = pointer.is_none_or(|it| it.starts_with('/') && root.schema.pointer(it).is_none());
    Some(match is_lost {
        true => node.error(
            node.at("$ref"),
            format!("`{target}` is not in this schema"),
            "every client",
            "write the referenced schema in its place",
        ),
        false => node.error(
            node.at("$ref"),
            "it is a reference",
            GEMINI,
            "write the referenced schema in its place",
        ),
    })
}
