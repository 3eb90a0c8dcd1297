//! Whether a client prefers an event stream to one document.

use http::HeaderMap;
use http::header::ACCEPT;

/// The specificity and the weight of a media range.
type Weight = (u8, f32);

/// Whether `Accept` prefers `text/event-stream`. If it names JSON with the same weight, JSON is preferred (RFC 9110,
/// section 12.5.1).
pub(super) fn prefers_events(headers: &HeaderMap) -> bool {
    let lines = || {
        let lines = headers.get_all(ACCEPT).iter();
        lines.filter_map(|line| line.to_str().ok())
    };
    // Most requests do not name it and need no parsing.
    if !lines().any(names_events) {
        return false;
    }
    let ranges: Vec<(String, f32)> = lines()
        .flat_map(|line| line.split(','))
        .filter_map(read)
        .collect();
    let events = weight(&ranges, "text", "event-stream");
    let json = weight(&ranges, "application", "json");
    let Some((2, events)) = events else {
        return false;
    };
    match json {
        Some((2, json)) => events > json,
        Some((_, json)) => events > 0.0 && events >= json,
        None => events > 0.0,
    }
}

fn names_events(line: &str) -> bool {
    const NAME: &[u8] = b"event-stream";
    let mut parts = line.as_bytes().windows(NAME.len());
    parts.any(|part| part.eq_ignore_ascii_case(NAME))
}

/// The weight of the most specific range for a type.
fn weight(ranges: &[(String, f32)], family: &str, kind: &str) -> Option<Weight> {
    let exact = format!("{family}/{kind}");
    let of_family = format!("{family}/*");
    let ranked = ranges.iter().filter_map(|(range, weight)| match range {
        it if *it == exact => Some((2, *weight)),
        it if *it == of_family => Some((1, *weight)),
        it if it == "*/*" => Some((0, *weight)),
        _ => None,
    });
    ranked.max_by_key(|it| it.0)
}

fn read(range: &str) -> Option<(String, f32)> {
    let mut parts = range.split(';').map(|it| it.trim().to_ascii_lowercase());
    let name = parts.next().filter(|it| !it.is_empty())?;
    let weight = parts.find_map(|part| part.strip_prefix("q=")?.trim().parse::<f32>().ok());
    Some((name, weight.unwrap_or(1.0)))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_stream_must_be_named_and_preferred() {
        for (accept, expected) in [
            ("", false),
            ("*/*", false),
            ("text/*", false),
            ("application/json", false),
            ("text/event-stream", true),
            ("TEXT/Event-Stream", true),
            ("text/event-stream, */*", true),
            ("text/event-stream;q=0.5, */*", false),
            ("text/event-stream;q=0.5, */*;q=0.1", true),
            ("text/event-stream, application/json", false),
            ("application/json;q=0.9, text/event-stream", true),
            ("application/json, text/event-stream;q=0.9", false),
            ("text/event-stream;q=0", false),
            ("text/event-stream;q=0, */*;q=0", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(prefers_events(&headers), expected, "{accept}");
        }
    }
}
