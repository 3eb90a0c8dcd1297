//! The Content-Security-Policy of a page: what stands in it runs, by its hash, and nothing else does.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use ring::digest::{SHA256, digest};

/// The policy of a page whose style and script are the ones that it has when it is made. Nothing in it comes from
/// elsewhere, and nothing in it may go elsewhere; an image that a function answers with is shown from memory. Data in a `<script>` of another type is not run, and needs no hash.
pub(super) fn of_page(page: &str) -> HeaderValue {
    let hash = |tag: &str| {
        let inside = inside(page, tag).unwrap_or("");
        STANDARD.encode(digest(&SHA256, inside.as_bytes()))
    };
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; img-src 'self' data: blob:; \
         frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash("style"),
        hash("script")
    );
    HeaderValue::try_from(policy).expect("base64 and words are visible ASCII")
}

/// The policy of a frame that shows the page of a tool: its scripts run, without an origin, and can ask no host for
/// anything. Only a page of this server may hold the frame.
pub(super) const OF_FRAME: &str = "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; \
     style-src 'unsafe-inline'; img-src data: blob:; font-src data:; media-src data: blob:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'self'";

/// What stands between the tags, of which the first one has no attributes.
fn inside<'p>(page: &'p str, tag: &str) -> Option<&'p str> {
    let (_, rest) = page.split_once(&format!("<{tag}>"))?;
    let (inside, _) = rest.split_once(&format!("</{tag}>"))?;
    Some(inside)
}
