//! What AWS does with the signature of a request: computes it once more, from what came over the wire.

use http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ring::digest::{SHA256, digest};
use ring::hmac::{HMAC_SHA256, Key, sign};

pub const REGION: &str = "eu-west-1";
pub const KEY_ID: &str = "AKIDEXAMPLE";
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub const TOKEN: &str = "AQoDYXdzEPT//////////wEXAMPLE==";

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// Whether the request was signed by who has the secret, for that service, with all that matters among what is signed.
pub fn is_good(parts: &Parts, body: &[u8], service: &str) -> bool {
    let computed = compute(parts, body, service);
    computed.is_some_and(|(computed, found)| computed == found)
}

/// The signature as it should be and as it is, of a request that has one.
fn compute(parts: &Parts, body: &[u8], service: &str) -> Option<(String, String)> {
    let header = |name: &str| parts.headers.get(name)?.to_str().ok();
    let date = header("x-amz-date")?;
    let scope = format!("{}/{REGION}/{service}/aws4_request", date.get(..8)?);
    let start = format!("AWS4-HMAC-SHA256 Credential={KEY_ID}/{scope}, SignedHeaders=");
    let rest = header("authorization")?.strip_prefix(&start)?;
    let (names, signature) = rest.split_once(", Signature=")?;
    let is_signed = |name: &&str| names.split(';').any(|it| it == *name);
    let needed = ["host", "x-amz-date", "x-amz-security-token"];
    let is_whole = needed.iter().all(is_signed) && parts.uri.query().is_none();
    if !is_whole || header("x-amz-security-token")? != TOKEN {
        return None;
    }
    let path = utf8_percent_encode(parts.uri.path(), ENCODED);
    let mut request = format!("{}\n{path}\n\n", parts.method);
    for name in names.split(';') {
        request += &format!("{name}:{}\n", header(name)?);
    }
    request += &format!("\n{names}\n{}", hash(body));
    let text = format!(
        "AWS4-HMAC-SHA256\n{date}\n{scope}\n{}",
        hash(request.as_bytes())
    );
    let mut key = format!("AWS4{SECRET}").into_bytes();
    for part in scope.split('/').chain([&*text]) {
        let key_of_part = Key::new(HMAC_SHA256, &key);
        key = sign(&key_of_part, part.as_bytes()).as_ref().to_vec();
    }
    Some((hex(&key), signature.to_owned()))
}

fn hash(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
