//! The keys that an application may add to `_meta`.

/// Names without a prefix that have a meaning in the protocol.
const RESERVED: [&str; 4] = ["progressToken", "traceparent", "tracestate", "baggage"];

/// What is wrong with a key of `_meta`. A key is a name, optionally after a prefix of labels and a slash; some names and
/// prefixes are reserved for the protocol (MCP 2026-07-28, `_meta`).
pub(super) fn problem(key: &str) -> Option<String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let labels: Vec<&str> = prefix.into_iter().flat_map(|it| it.split('.')).collect();
    if !is_name(name) || !labels.iter().all(|label| is_label(label)) {
        return Some(format!(
            "`{key}` is not a valid key of `_meta`: use a name such as `ui`, or a prefix and a name such as `com.example/ui`"
        ));
    }
    let is_kept = matches!(labels.get(1), Some(&("modelcontextprotocol" | "mcp")));
    (is_kept || RESERVED.contains(&key))
        .then(|| format!("`{key}` is a key of `_meta` that the protocol keeps for itself"))
}

/// The specification allows an empty name; here it is refused as a mistake.
fn is_name(name: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    is_edge(bytes.first()) && is_edge(bytes.last()) && name.bytes().all(inside)
}

fn is_label(label: &str) -> bool {
    let bytes = label.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
