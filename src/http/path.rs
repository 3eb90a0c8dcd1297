//! One spelling of a path: what RFC 3986 §6.2.2 calls equivalent is the same resource.

use std::borrow::Cow;

use http::Uri;
use http::uri::PathAndQuery;

/// The path with unreserved characters decoded, repeated slashes collapsed, and without a slash at its end. Characters
/// whose encoding matters, such as `%2F` in an argument, stay encoded, and dot segments stay.
pub fn normal(path: &str) -> Cow<'_, str> {
    if is_normal(path.as_bytes()) {
        return Cow::Borrowed(path);
    }
    let bytes = path.as_bytes();
    let mut normal = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let decoded = unreserved(&bytes[at..]);
        at += if decoded.is_some() { 3 } else { 1 };
        let byte = decoded.unwrap_or(byte);
        if byte != b'/' || normal.last() != Some(&b'/') {
            normal.push(byte);
        }
    }
    if normal.len() > 1 && normal.last() == Some(&b'/') {
        normal.pop();
    }
    // Whole characters were kept, and the decoded ones are ASCII.
    match String::from_utf8(normal) {
        Ok(normal) => Cow::Owned(normal),
        Err(_) => Cow::Borrowed(path),
    }
}

/// Normalises the path of the target. Most paths are normal already, and nothing is copied then.
pub fn normalise(uri: &mut Uri) {
    let Cow::Owned(path) = normal(uri.path()) else {
        return;
    };
    let target = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut parts = uri.clone().into_parts();
    // It consists of characters of a valid path, and is shorter.
    if let Ok(target) = PathAndQuery::try_from(target) {
        parts.path_and_query = Some(target);
        *uri = Uri::from_parts(parts).unwrap_or_else(|_| uri.clone());
    }
}

/// Whether there is nothing to change. `*` and the empty path do not name a resource and stay as they are.
fn is_normal(path: &[u8]) -> bool {
    let has_end = path.len() > 1 && path.last() == Some(&b'/');
    let is_doubled = || path.windows(2).any(|pair| pair == b"//");
    let is_encoded =
        || path.contains(&b'%') && path.windows(3).any(|text| unreserved(text).is_some());
    !path.starts_with(b"/") || !(has_end || is_doubled() || is_encoded())
}

/// The unreserved character (RFC 3986 §2.3) that is percent-encoded at the start of `text`.
fn unreserved(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = *text else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = u8::try_from(digit(high)? * 16 + digit(low)?).ok()?;
    let is_unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    is_unreserved.then_some(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equivalent_paths_have_one_spelling() {
        for (path, expected) in [
            ("/", "/"),
            ("//", "/"),
            ("/mcp", "/mcp"),
            ("/mcp/", "/mcp"),
            ("//mcp//", "/mcp"),
            ("/%6dcp", "/mcp"),
            ("/%6Dcp%2f", "/mcp%2f"),
            ("/api/registry%5Fsummary", "/api/registry_summary"),
            ("/api/x/a%2Fb%252F", "/api/x/a%2Fb%252F"),
            ("/api/x/%", "/api/x/%"),
            ("/api/x/%4", "/api/x/%4"),
            ("/api/x/%zz//", "/api/x/%zz"),
            ("/api/../mcp", "/api/../mcp"),
            ("/api/%2e%2E/mcp", "/api/../mcp"),
            ("/größe//", "/größe"),
            ("*", "*"),
            ("", ""),
        ] {
            assert_eq!(normal(path), expected, "{path}");
        }
    }

    #[test]
    fn a_normal_path_is_not_copied() {
        for path in ["/", "/mcp", "/api/account_info/pb1", "/api/x/a%2Fb"] {
            assert!(matches!(normal(path), Cow::Borrowed(_)), "{path}");
        }
    }

    #[test]
    fn the_rest_of_a_target_stays() {
        for (target, expected) in [
            ("//mcp/?a=%41//", "/mcp?a=%41//"),
            ("http://localhost:1//mcp/", "http://localhost:1/mcp"),
            ("*", "*"),
            ("localhost:1", "localhost:1"),
        ] {
            let mut uri: Uri = target.parse().unwrap();
            normalise(&mut uri);
            assert_eq!(uri.to_string(), expected);
        }
    }
}
