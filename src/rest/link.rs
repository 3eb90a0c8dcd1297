//! The `Link` header that names the next page of a list (RFC 8288).

use http::{HeaderValue, Uri};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// What ends or hides the URL in the header.
const IN_LINK: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>');

/// The link to the page that `cursor` names. It is relative to the URL of the request, which may stand behind a stage or a
/// base path that the server does not see.
pub(super) fn next(uri: &Uri, cursor: &str) -> Option<HeaderValue> {
    let pairs = uri.query().unwrap_or("").split('&');
    let is_other = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or("");
        !pair.is_empty() && percent_decode_str(name).decode_utf8_lossy() != "cursor"
    };
    let mut link = String::from("<?");
    for pair in pairs.filter(is_other) {
        link.extend(utf8_percent_encode(pair, IN_LINK));
        link.push('&');
    }
    HeaderValue::try_from(format!("{link}cursor={cursor}>; rel=\"next\"")).ok()
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn the_link_keeps_all_arguments_but_the_cursor() {
        for (path, expected) in [
            ("/a", "<?cursor=X>; rel=\"next\""),
            ("/a?", "<?cursor=X>; rel=\"next\""),
            (
                "/a?limit=2&cursor=old&b=%20c",
                "<?limit=2&b=%20c&cursor=X>; rel=\"next\"",
            ),
            ("/a?%63ursor=old&&d", "<?d&cursor=X>; rel=\"next\""),
            (
                "/a?x=1%3E&cursors=1",
                "<?x=1%3E&cursors=1&cursor=X>; rel=\"next\"",
            ),
        ] {
            assert_eq!(
                next(&path.parse().unwrap(), "X").unwrap(),
                expected,
                "{path}"
            );
        }
    }
}
