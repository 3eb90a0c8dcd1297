//! Whether a client accepts an event stream as the response.

use http::HeaderMap;
use http::header::ACCEPT;

/// Whether `Accept` admits `text/event-stream`. A client without the header has not said that it can read streams.
pub(crate) fn events(headers: &HeaderMap) -> bool {
    let ranges = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','));
    // The most specific range decides (RFC 9110, section 12.5.1).
    let decisive = ranges.filter_map(read).max_by_key(|it| it.0);
    decisive.is_some_and(|(_, is_admitted)| is_admitted)
}

/// How specific the range is for an event stream, and whether it admits one.
fn read(range: &str) -> Option<(u8, bool)> {
    let mut parts = range
        .split(';')
        .map(|part| part.trim().to_ascii_lowercase());
    let rank = match parts.next()?.as_str() {
        "text/event-stream" => 2,
        "text/*" => 1,
        "*/*" => 0,
        _ => return None,
    };
    let weight = parts.find_map(|part| part.strip_prefix("q=")?.trim().parse::<f32>().ok());
    Some((rank, weight.is_none_or(|weight| weight > 0.0)))
}
