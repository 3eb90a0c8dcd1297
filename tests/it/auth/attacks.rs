//! Every forged, misused or malformed credential is refused on every protocol, and nothing runs.

use axum::body::Body;
use bifold::App;
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};

use super::issuer::{Issuer, Key, hmac_token, now, unsigned};
use super::{ask, bearer, call, closed, get, text, trusting};
use crate::support::{Log, on_socket};

/// A valid token of each algorithm is accepted, on each protocol, by one fetch of the keys.
#[tokio::test]
async fn valid_tokens_of_each_algorithm_are_accepted_on_each_protocol() {
    for key in [Key::rsa(), Key::ec(), Key::ed()] {
        let issuer = Issuer::start(key).await;
        let app = trusting(closed().0, &issuer);
        let headers = bearer(&issuer.token("notes:read"));
        let expected = format!("jwt:{}#ada [notes:read]", issuer.url());
        for request in [call("whoami", json!({})), get("/api/whoami")] {
            let answer = ask(&app, request, &headers).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
            assert_eq!(text(&answer), expected);
        }
        assert_eq!(issuer.asked(), 1);
    }
}

/// What is refused, by the way in which it is wrong.
fn forged(issuer: &Issuer) -> Vec<(&'static str, String)> {
    let (header, claims) = issuer.valid("notes:read");
    let signed = |header: &Value, claims: &Value| issuer.key.token(header, claims);
    let with = |name: &str, value: Value| {
        let mut changed = claims.clone();
        changed[name] = value;
        signed(&header, &changed)
    };
    let without = |name: &str| {
        let mut changed = claims.clone();
        changed.as_object_mut().unwrap().remove(name);
        signed(&header, &changed)
    };
    let headed = |name: &str, value: Value| {
        let mut changed = header.clone();
        changed[name] = value;
        signed(&changed, &claims)
    };
    let algorithm = |name: &str| {
        let mut changed = header.clone();
        changed["alg"] = name.into();
        changed
    };
    let valid = signed(&header, &claims);
    let stranger = Key::ec().token(&algorithm("ES256"), &claims);
    let same_name = Key::ed().token(&algorithm("EdDSA"), &claims);
    let public = issuer.key.public();
    vec![
        ("alg none", unsigned(&algorithm("none"), &claims)),
        ("alg None", unsigned(&algorithm("None"), &claims)),
        (
            "no signature",
            valid.rsplit_once('.').unwrap().0.to_owned() + ".",
        ),
        (
            "HS256 with the public key",
            hmac_token(&algorithm("HS256"), &claims, &public),
        ),
        ("key of a stranger", stranger),
        ("key of a stranger under the same name", same_name),
        ("changed claims", changed(&valid)),
        ("kid as a path", headed("kid", json!("../../etc/passwd"))),
        ("kid as SQL", headed("kid", json!("one' OR '1'='1"))),
        (
            "kid as a URL",
            headed("kid", json!("https://evil.example/keys")),
        ),
        ("kid that is not a text", headed("kid", json!(["one"]))),
        ("unknown kid with jku", {
            let mut changed = header.clone();
            changed["kid"] = "two".into();
            changed["jku"] = "https://evil.example/keys".into();
            Key::ec().token(&changed, &claims)
        }),
        ("critical header", headed("crit", json!(["exp"]))),
        ("unencoded payload", headed("b64", json!(false))),
        ("type of another token", headed("typ", json!("logout+jwt"))),
        ("wrong issuer", with("iss", json!("https://evil.example"))),
        (
            "issuer with more behind it",
            with("iss", json!(format!("{}.evil.example", issuer.url()))),
        ),
        ("no issuer", without("iss")),
        (
            "wrong audience",
            with("aud", json!("https://other.example")),
        ),
        (
            "wrong audiences",
            with("aud", json!(["https://other.example", 7])),
        ),
        (
            "audience that begins alike",
            with("aud", json!("https://notes.example.evil")),
        ),
        ("no audience", without("aud")),
        ("expired", with("exp", json!(now() - 61))),
        ("no expiry", without("exp")),
        ("expiry that is not a number", with("exp", json!("never"))),
        ("not yet valid", with("nbf", json!(now() + 120))),
        (
            "issued far in the future",
            with("iat", json!(now() + 86_400)),
        ),
        ("no subject", {
            let mut changed = claims.clone();
            changed.as_object_mut().unwrap().remove("sub");
            changed.as_object_mut().unwrap().remove("client_id");
            signed(&header, &changed)
        }),
        ("ID token of Cognito", with("token_use", json!("id"))),
        ("ID token of Keycloak", with("typ", json!("ID"))),
        ("ID token with a nonce", with("nonce", json!("n"))),
        ("oversized", format!("{valid}{}", "A".repeat(9000))),
        ("two segments", "a.b".to_owned()),
        ("many segments", format!("{valid}.a.b.c")),
        (
            "five segments, as of an encrypted one",
            "a.b.c.d.e".to_owned(),
        ),
        ("no base64url", "a+b.c/d.e=".to_owned()),
        ("no token", "x".to_owned()),
    ]
}

/// The token with one other character in its claims.
fn changed(token: &str) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let claims = parts[1].replacen('a', "b", 1).replacen('J', "K", 1);
    format!("{}.{claims}.{}", parts[0], parts[2])
}

#[tokio::test]
async fn forged_tokens_are_refused_with_401_on_mcp_rest_and_websocket_and_reach_no_log() {
    let log = Log::default();
    let _guard = log.keep();
    let issuer = Issuer::start(Key::rsa()).await;
    let (server, runs) = closed();
    let app = trusting(server, &issuer);
    let (address, serving) = on_socket(&app).await;
    for (name, token) in forged(&issuer) {
        let headers = bearer(&token);
        for request in [call("read", json!({})), get("/api/read"), upgrade()] {
            let path = request.uri().path().to_owned();
            let answer = ask(&app, request, &headers).await;
            assert_eq!(
                answer.status,
                StatusCode::UNAUTHORIZED,
                "{name} {path}: {}",
                answer.text()
            );
            let challenge = answer.header("www-authenticate");
            assert!(
                challenge.starts_with("Bearer error=\"invalid_token\""),
                "{name}: {challenge}"
            );
            assert!(
                !answer.text().contains(&*token) || token.len() < 8,
                "{name}"
            );
            assert_eq!(answer.header("cache-control"), "no-store", "{name} {path}");
        }
        let refused = connect(&format!("ws://{address}/ws"), &headers).await;
        assert_eq!(refused, Some(StatusCode::UNAUTHORIZED), "{name}");
        for part in token.split('.').filter(|it| it.len() > 20) {
            let lines = log.requests();
            assert!(
                !lines.iter().any(|line| line.to_string().contains(part)),
                "{name}"
            );
        }
    }
    for line in log.requests() {
        assert_eq!(line["error"], "invalid_token", "{line}");
    }
    assert_eq!(runs.count(), 0);
    assert!(issuer.asked() <= 2, "{}", issuer.asked());
    serving.abort();
}

#[tokio::test]
async fn malformed_credentials_are_refused_with_400() {
    let issuer = Issuer::start(Key::ec()).await;
    let (server, runs) = closed();
    let app = trusting(server, &issuer);
    let token = issuer.token("notes:read");
    let mut twice = bearer(&token);
    twice.append("authorization", format!("Bearer {token}").parse().unwrap());
    let mut both = bearer(&token);
    both.insert("x-api-key", "bfk_x".parse().unwrap());
    let two_words = bearer(&format!("{token} {token}"));
    let cases: [(&str, &HeaderMap, Option<&str>); 5] = [
        ("two headers", &twice, None),
        ("a token and a key", &both, None),
        ("two words", &two_words, None),
        ("no token", &bearer(""), None),
        ("a token in the query", &HeaderMap::new(), Some(&token)),
    ];
    for (name, headers, query) in cases {
        let query = query.map_or(String::new(), |token| format!("?access_token={token}"));
        for mut request in [call("read", json!({})), get("/api/read"), upgrade()] {
            let path = format!("{}{query}", request.uri().path());
            *request.uri_mut() = path.parse().unwrap();
            let answer = ask(&app, request, headers).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name} {path}");
            if path.starts_with("/api/") {
                assert_eq!(answer.json()["status"], 400, "{name}");
            }
            let challenge = answer.header("www-authenticate");
            assert!(
                challenge.contains("error=\"invalid_request\""),
                "{name}: {challenge}"
            );
        }
    }
    assert_eq!(runs.count(), 0);
}

#[tokio::test]
async fn a_clock_may_differ_by_a_minute_and_a_slash_makes_no_difference() {
    let issuer = Issuer::start(Key::ed()).await;
    let app = trusting(closed().0, &issuer);
    for (name, value) in [
        ("exp", json!(now() - 30)),
        ("nbf", json!(now() + 30)),
        ("iat", json!(now() + 30)),
        ("exp", json!(now() as f64 + 30.5)),
        ("aud", json!("https://notes.example/")),
        ("aud", json!(["other", "https://notes.example/api"])),
        ("iss", json!(format!("{}/", issuer.url()))),
    ] {
        let (header, mut claims) = issuer.valid("notes:read");
        claims[name] = value;
        let token = issuer.key.token(&header, &claims);
        let answer = ask(&app, get("/api/read"), &bearer(&token)).await;
        assert_eq!(answer.status, StatusCode::OK, "{claims}: {}", answer.text());
    }
}

/// A request that would open a WebSocket.
fn upgrade() -> Request<Body> {
    let request = Request::get("/ws")
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    request.body(Body::empty()).unwrap()
}

/// The status with which a connection is refused.
pub async fn connect(url: &str, headers: &HeaderMap) -> Option<StatusCode> {
    use tokio_tungstenite::tungstenite::Error;
    use tokio_tungstenite::tungstenite::client::IntoClientRequest;
    let mut request = url.into_client_request().unwrap();
    for (name, value) in headers {
        let name = name.as_str().parse::<http::HeaderName>().unwrap();
        request.headers_mut().insert(name, value.clone());
    }
    match tokio_tungstenite::connect_async(request).await {
        Ok(_) => None,
        Err(Error::Http(response)) => Some(response.status()),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_server_without_settings_takes_everybody() {
    let (server, runs) = closed();
    let app = App::new(bifold::Config::default(), server).unwrap();
    for headers in [HeaderMap::new(), bearer("a.b.c")] {
        for request in [call("write", json!({})), get("/api/write")] {
            let answer = ask(&app, request, &headers).await;
            assert_eq!(answer.status, StatusCode::OK);
        }
    }
    assert_eq!(runs.count(), 4);
}

#[tokio::test]
async fn a_clock_that_stands_still_is_named_where_it_is_why_a_token_is_refused() {
    let issuer = Issuer::start(Key::ed()).await;
    let settings = [
        ("BIFOLD_AUTH_ISSUER", issuer.url()),
        ("BIFOLD_PUBLIC_URL", super::PUBLIC),
        ("BIFOLD_CLOCK", "2025-11-18T12:00:00Z"),
    ];
    let app = super::app(closed().0, &settings);
    let answer = ask(&app, get("/api/read"), &bearer(&issuer.token("notes:read"))).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(
        answer
            .text()
            .contains("stands still at 2025-11-18T12:00:00Z"),
        "{}",
        answer.text()
    );
}
