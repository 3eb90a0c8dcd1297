//! AWS Signature Version 4, which proves the sender of a request and that it was not changed on its way.

use std::fmt::Write;

use http::request::Parts;
use http::{HeaderName, HeaderValue, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use ring::digest::{SHA256, digest};
use ring::hmac::{self, HMAC_SHA256};
use time::OffsetDateTime;

use crate::config::Secret;
use crate::error::{Error, Result};

/// All but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const ENCODED_IN_PATH: &AsciiSet = &ENCODED.remove(b'/');

/// The credentials that sign.
pub(super) struct Keys {
    pub(super) id: String,
    pub(super) secret: Secret,
    pub(super) token: Option<Secret>,
}

/// Adds the date, the token and the signature over all headers and the body. The path and the query are signed as
/// they are in the URL, because they are sent like that.
///
/// # Errors
/// `Internal` for credentials with characters that a header cannot contain.
pub(super) fn sign(
    parts: &mut Parts,
    body: &[u8],
    keys: &Keys,
    region: &str,
    service: &str,
    now: OffsetDateTime,
) -> Result<()> {
    let (day, time) = (now.date(), now.time());
    let date = format!(
        "{:04}{:02}{:02}",
        day.year(),
        u8::from(day.month()),
        day.day()
    );
    let moment = format!(
        "{date}T{:02}{:02}{:02}Z",
        time.hour(),
        time.minute(),
        time.second()
    );
    parts.headers.insert("x-amz-date", visible(&moment)?);
    if let Some(token) = &keys.token {
        let mut token = visible(token.reveal())?;
        token.set_sensitive(true);
        parts.headers.insert("x-amz-security-token", token);
    }
    let headers = canonical_headers(parts);
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let request = canonical_request(parts, &headers, &names, body);
    let scope = format!("{date}/{region}/{service}/aws4_request");
    let text = format!(
        "AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}",
        hex(digest(&SHA256, request.as_bytes()).as_ref())
    );
    let signature = hex(mac(&signing_key(keys, &scope), &text).as_ref());
    let id = &keys.id;
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}"
    );
    parts
        .headers
        .insert(http::header::AUTHORIZATION, visible(&authorization)?);
    Ok(())
}

/// The signing key for one day, region and service: each part of the scope derives a key from the one before.
fn signing_key(keys: &Keys, scope: &str) -> hmac::Tag {
    let first = hmac::Key::new(
        HMAC_SHA256,
        format!("AWS4{}", keys.secret.reveal()).as_bytes(),
    );
    let mut parts = scope.split('/');
    let first = hmac::sign(&first, parts.next().unwrap_or_default().as_bytes());
    parts.fold(first, |key, part| mac(&key, part))
}

fn mac(key: &hmac::Tag, text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(HMAC_SHA256, key.as_ref()), text.as_bytes())
}

fn canonical_request(
    parts: &Parts,
    headers: &[(&str, String)],
    names: &str,
    body: &[u8],
) -> String {
    let path = percent_encode(parts.uri.path().as_bytes(), ENCODED_IN_PATH);
    let query = canonical_query(parts.uri.query().unwrap_or(""));
    let mut request = format!("{}\n{path}\n{query}\n", parts.method);
    for (name, value) in headers {
        request += &format!("{name}:{value}\n");
    }
    request += &format!("\n{names}\n{}", hex(digest(&SHA256, body).as_ref()));
    request
}

/// The pairs of the query in order, each in its canonical encoding.
fn canonical_query(query: &str) -> String {
    let encode = |text: &str| {
        let bytes: Vec<u8> = percent_decode_str(text).collect();
        percent_encode(&bytes, ENCODED).to_string()
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<(String, String)> = pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

/// All headers sorted by name, values of one name joined, spaces collapsed; with the host, which the client adds.
fn canonical_headers(parts: &Parts) -> Vec<(&str, String)> {
    let values = |name: &HeaderName| {
        let values = parts.headers.get_all(name).iter();
        let values: Vec<String> = values.map(single_spaced).collect();
        values.join(",")
    };
    let mut headers: Vec<(&str, String)> = parts
        .headers
        .keys()
        .map(|name| (name.as_str(), values(name)))
        .collect();
    headers.push(("host", host(&parts.uri)));
    headers.sort_unstable();
    headers
}

fn single_spaced(value: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes());
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    words.join(" ")
}

/// The host as the client sends it: without the default port of the scheme.
fn host(uri: &Uri) -> String {
    let host = uri.host().unwrap_or_default();
    match (uri.scheme_str(), uri.port_u16()) {
        (Some("http"), Some(80)) | (Some("https"), Some(443)) | (_, None) => host.to_owned(),
        (_, Some(port)) => format!("{host}:{port}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn visible(text: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text).map_err(|_| {
        Error::internal("the credentials for AWS have characters that no header may have")
    })
}

#[cfg(test)]
mod tests {
    use http::Request;
    use time::{Date, Month, OffsetDateTime, Time};

    use super::{Keys, sign};
    use crate::config::Secret;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    fn keys(token: Option<&str>) -> Keys {
        Keys {
            id: "AKIDEXAMPLE".to_owned(),
            secret: Secret::new(SECRET),
            token: token.map(Secret::new),
        }
    }

    fn moment(year: i32, month: Month, day: u8, time: (u8, u8, u8)) -> OffsetDateTime {
        let date = Date::from_calendar_date(year, month, day).unwrap();
        OffsetDateTime::new_utc(date, Time::from_hms(time.0, time.1, time.2).unwrap())
    }

    /// The headers that were signed, and the signature.
    fn signed(
        request: http::request::Builder,
        body: &str,
        keys: &Keys,
        (region, service): (&str, &str),
        now: OffsetDateTime,
    ) -> (String, String) {
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        sign(&mut parts, body.as_bytes(), keys, region, service, now).unwrap();
        let value = parts.headers["authorization"].to_str().unwrap();
        let date = parts.headers["x-amz-date"].to_str().unwrap();
        let scope = format!("{}/{region}/{service}/aws4_request", &date[..8]);
        let start = format!("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders=");
        let rest = value.strip_prefix(&start).unwrap();
        let (names, signature) = rest.split_once(", Signature=").unwrap();
        (names.to_owned(), signature.to_owned())
    }

    /// One case of the suite: method, path and query, headers, body, and the signature that it publishes.
    type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, &'a str);

    /// Cases of the test suite for signatures of this version, as awslabs/aws-c-auth publishes it in
    /// `tests/aws-signing-test-suite/v4`; their names stand above them.
    #[test]
    fn signs_what_the_published_suite_signs() {
        const ALL: &str = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let (path, query) = (format!("/{ALL}"), format!("/?{ALL}={ALL}"));
        let form = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e";
        let form = [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Content-Length", "13"),
            ("x-amz-content-sha256", form),
        ];
        #[rustfmt::skip]
        let cases: [Case; 17] = [
            // get-vanilla
            ("GET", "/", &[], "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            // get-unreserved
            ("GET", &path, &[], "", "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
            // get-utf8
            ("GET", "/ሴ", &[], "", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
            // get-slash-unnormalized
            ("GET", "//", &[], "", "c88bcd3d312d75078c0cd961d6deae3f4c754924b01669efcfcb439fd5e5b76e"),
            // get-slash-pointless-dot-unnormalized
            ("GET", "/./example", &[], "", "beb03f223f7deae4146464f06e29eebbee9c8afbe15c290cf07aa8b119e14cff"),
            // get-vanilla-query-order-key-case
            ("GET", "/?Param2=value2&Param1=value1", &[], "", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
            // get-vanilla-query-order-encoded
            ("GET", "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1", &[], "", "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"),
            // get-vanilla-query-unreserved
            ("GET", &query, &[], "", "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"),
            // get-vanilla-utf8-query
            ("GET", "/?ሴ=bar", &[], "", "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
            // get-header-key-duplicate
            ("GET", "/", &[("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1")], "", "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"),
            // get-header-value-order
            ("GET", "/", &[("My-Header1", "value4"), ("My-Header1", "value1"), ("My-Header1", "value3"), ("My-Header1", "value2")], "", "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"),
            // get-header-value-trim
            ("GET", "/", &[("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")], "", "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
            // post-vanilla
            ("POST", "/", &[], "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
            // post-vanilla-query
            ("POST", "/?Param1=value1", &[], "", "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"),
            // post-header-key-sort
            ("POST", "/", &[("My-Header1", "value1")], "", "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"),
            // post-header-value-case
            ("POST", "/", &[("My-Header1", "VALUE1")], "", "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"),
            // post-x-www-form-urlencoded
            ("POST", "/", &form, "Param1=value1", "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"),
        ];
        let now = moment(2015, Month::August, 30, (12, 36, 0));
        for (method, target, headers, body, expected) in cases {
            let url = format!("https://example.amazonaws.com{target}");
            let mut request = Request::builder().method(method).uri(url);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let place = ("us-east-1", "service");
            let (_, signature) = signed(request, body, &keys(None), place, now);
            assert_eq!(signature, expected, "{method} {target} {headers:?}");
        }
        // get-vanilla-with-session-token
        let token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
        let request = Request::get("https://example.amazonaws.com/");
        let place = ("us-east-1", "service");
        assert_eq!(
            signed(request, "", &keys(Some(token)), place, now),
            (
                "host;x-amz-date;x-amz-security-token".to_owned(),
                "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8".to_owned()
            )
        );
    }

    /// The figures are those of botocore 1.44.5 (`SigV4Auth`) for the same requests.
    #[test]
    fn signs_requests_to_the_services_as_the_sdk_for_python_does() {
        let table = Request::post("https://dynamodb.eu-central-1.amazonaws.com/")
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", "DynamoDB_20120810.GetItem");
        let connection = Request::post(
            "https://abc123.execute-api.us-east-1.amazonaws.com:443/prod/@connections/LZbVcd_-IAMCIWQ=",
        )
        .header("content-type", "application/json");
        let function = "/2015-03-31/functions/bifold/invocations?Qualifier=live&b=%2Fx";
        let function = Request::post(format!("http://127.0.0.1:9001{function}"))
            .header("x-amz-invocation-type", "Event");
        let cases = [
            (
                table,
                ("eu-central-1", "dynamodb"),
                r#"{"TableName":"bifold"}"#,
                "content-type;host;x-amz-date;x-amz-security-token;x-amz-target",
                "522ed8a2023a1c31e36878b11ec5ebcbf92433623903f70ffccc096037a3462d",
            ),
            (
                connection,
                ("us-east-1", "execute-api"),
                r#"{"jsonrpc":"2.0"}"#,
                "content-type;host;x-amz-date;x-amz-security-token",
                "e70f42d85ccba53b8d38117d3ab45068f4e3968d94a7dd780aad278cc157850a",
            ),
            (
                function,
                ("us-east-1", "lambda"),
                "{}",
                "host;x-amz-date;x-amz-invocation-type;x-amz-security-token",
                "97a716d06a8b85807ab33bdf42f5f0e36ccedaa4588d1bd6a04d94b8add1d922",
            ),
        ];
        let now = moment(2026, Month::November, 21, (5, 6, 7));
        let keys = keys(Some("AQoDYXdzEPT//////////wEXAMPLE=="));
        for (request, place, body, names, signature) in cases {
            let expected = (names.to_owned(), signature.to_owned());
            assert_eq!(
                signed(request, body, &keys, place, now),
                expected,
                "{place:?}"
            );
        }
    }

    #[test]
    fn neither_the_secret_nor_the_token_is_shown() {
        let keys = keys(Some("hidden-token"));
        let (mut parts, ()) = Request::get("http://h/").body(()).unwrap().into_parts();
        let now = moment(2026, Month::November, 21, (5, 6, 7));
        sign(&mut parts, b"", &keys, "r", "s", now).unwrap();
        let shown = format!("{parts:?} {:?} {:?}", keys.secret, keys.token);
        assert!(
            !shown.contains(SECRET) && !shown.contains("hidden"),
            "{shown}"
        );
        let broken = Keys {
            token: Some(Secret::new("hidden\ntoken")),
            ..keys
        };
        let error = sign(&mut parts, b"", &broken, "r", "s", now).unwrap_err();
        assert!(!format!("{error:?}").contains("hidden"), "{error:?}");
    }
}
