//! Principals that others have checked: an integration, or the application itself.

use bifold::{App, Error, Principal, PrincipalKind, RequestInfo, Result, Server, lambda};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::issuer::{Issuer, Key};
use super::{app, ask, bearer, closed, config, get, text};
use crate::lambda::{changed, document};

const MAP: &str = r#"{
    "notes:admin": ["notes:write"],
    "notes:write": ["notes:read"],
    "iam:arn:aws:sts::1:assumed-role/ops/*": ["notes:admin"],
    "custom:root": ["notes:read"],
    "key:root": ["notes:write"]
}"#;

#[tokio::test]
async fn principals_of_integrations_get_scopes_by_the_map() {
    let app = app(closed().0, &[("BIFOLD_AUTH_SCOPE_MAP", MAP)]);
    let ops = json!({"iam": {"userArn": "arn:aws:sts::1:assumed-role/ops/ada"}});
    let dev = json!({"iam": {"userArn": "arn:aws:sts::1:assumed-role/dev/eve"}});
    let claims = json!({"iss": "https://issuer.example", "sub": "7", "scope": "notes:read"});
    let token = json!({"jwt": {"claims": claims}});
    let custom = json!({"principalId": "root"});
    for (integration, authorizer, path, status) in [
        ("http_api_v2", &ops, "/api/write", 200),
        ("http_api_v2", &dev, "/api/write", 403),
        ("http_api_v2", &dev, "/api/any", 200),
        ("http_api_v2", &token, "/api/read", 200),
        ("http_api_v2", &token, "/api/write", 403),
        ("rest_api_rest", &custom, "/api/read", 403),
        ("http_api_v2", &Value::Null, "/api/any", 401),
    ] {
        let mut event = changed(
            integration,
            &[("/requestContext/authorizer", authorizer.clone())],
        );
        for name in ["path", "rawPath"] {
            if let Some(place) = event.get_mut(name) {
                *place = path.into();
            }
        }
        for name in [
            "queryStringParameters",
            "multiValueQueryStringParameters",
            "rawQueryString",
        ] {
            event.as_object_mut().unwrap().remove(name);
        }
        let reply = lambda::answer(&app, &event.to_string(), RequestInfo::default()).await;
        let reply = document(reply.unwrap()).await;
        assert_eq!(reply["statusCode"], status, "{authorizer} {path}: {reply}");
    }
}

#[tokio::test]
async fn a_broader_scope_includes_others_by_the_map() {
    let issuer = Issuer::start(Key::ed()).await;
    let settings = [
        ("BIFOLD_AUTH_ISSUER", issuer.url()),
        ("BIFOLD_PUBLIC_URL", super::PUBLIC),
        ("BIFOLD_AUTH_SCOPE_MAP", MAP),
    ];
    let app = app(closed().0, &settings);
    let headers = bearer(&issuer.token("notes:admin"));
    let answer = ask(&app, get("/api/whoami"), &headers).await;
    assert!(
        text(&answer).ends_with("[notes:admin notes:read notes:write]"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn scopes_stand_in_the_claim_of_the_settings() {
    let issuer = Issuer::start(Key::ed()).await;
    let settings = [
        ("BIFOLD_AUTH_ISSUER", issuer.url()),
        ("BIFOLD_PUBLIC_URL", super::PUBLIC),
        ("BIFOLD_AUTH_SCOPES_CLAIM", "permissions,cognito:groups"),
        ("BIFOLD_AUTH_SCOPES", "base"),
    ];
    let app = app(closed().0, &settings);
    for (groups, status) in [("base", StatusCode::OK), ("other", StatusCode::FORBIDDEN)] {
        let (header, mut claims) = issuer.valid("base notes:read");
        claims["permissions"] = json!(["notes:read"]);
        claims["cognito:groups"] = json!([groups]);
        let token = issuer.key.token(&header, &claims);
        let answer = ask(&app, get("/api/read"), &bearer(&token)).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
}

#[tokio::test]
async fn tokens_of_cognito_are_accepted_by_their_client() {
    let issuer = Issuer::start(Key::rsa()).await;
    let settings = [
        ("BIFOLD_AUTH_ISSUER", issuer.url()),
        ("BIFOLD_AUTH_CLIENT_IDS", "cli,web"),
    ];
    let app = app(closed().0, &settings);
    let (header, mut claims) = issuer.valid("notes:read");
    claims["token_use"] = "access".into();
    claims.as_object_mut().unwrap().remove("aud");
    for (client, aud, status) in [
        ("cli", None, StatusCode::OK),
        ("other", None, StatusCode::UNAUTHORIZED),
        ("cli", Some("cli"), StatusCode::UNAUTHORIZED),
    ] {
        let mut claims = claims.clone();
        claims["client_id"] = client.into();
        if let Some(aud) = aud {
            claims["aud"] = aud.into();
        }
        let token = issuer.key.token(&header, &claims);
        let answer = ask(&app, get("/api/read"), &bearer(&token)).await;
        assert_eq!(answer.status, status, "{client} {aud:?}: {}", answer.text());
    }
}

#[tokio::test]
async fn an_application_checks_callers_itself() {
    let server = closed()
        .0
        .authenticate(async |parts| -> Result<Option<Principal>> {
            let user = parts.headers.get("x-user").and_then(|it| it.to_str().ok());
            match user {
                Some("banned") => Err(Error::unauthenticated("this user is banned")),
                Some("broken") => Err(Error::failed("the directory cannot be read")),
                user => Ok(user.map(|it| Principal::new(it).with_scopes(["own"]))),
            }
        });
    let app = app(server, &[("BIFOLD_AUTH_SCOPE_MAP", MAP)]);
    let user = |name: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert("x-user", HeaderValue::from_static(name));
        headers
    };
    for (headers, status, said) in [
        (user("ada"), StatusCode::OK, "ada [own]"),
        (user("root"), StatusCode::OK, "root [notes:read own]"),
        (user("key:root"), StatusCode::OK, "key:root [own]"),
        (user("notes:admin"), StatusCode::OK, "notes:admin [own]"),
        (user("banned"), StatusCode::UNAUTHORIZED, "banned"),
        (user("broken"), StatusCode::SERVICE_UNAVAILABLE, "directory"),
        (
            HeaderMap::new(),
            StatusCode::UNAUTHORIZED,
            "needs an authenticated caller",
        ),
    ] {
        let answer = ask(&app, get("/api/whoami"), &headers).await;
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.text());
        assert!(answer.text().contains(said), "{}", answer.text());
    }
}

#[tokio::test]
async fn the_debug_text_of_a_request_hides_its_credentials() {
    let server = closed()
        .0
        .authenticate(async |parts| -> Result<Option<Principal>> {
            Ok(Some(Principal::new(format!("{parts:?}"))))
        });
    let app = app(server, &[]);
    for name in ["authorization", "x-api-key"] {
        let mut headers = HeaderMap::new();
        headers.append(name, HeaderValue::from_static("Bearer s3cr3t"));
        headers.append(name, HeaderValue::from_static("s3cr3t too"));
        let answer = ask(&app, get("/api/whoami"), &headers).await;
        assert_eq!(answer.text().matches("Sensitive").count(), 2, "{name}");
        assert!(!answer.text().contains("s3cr3t"), "{}", answer.text());
    }
}

#[tokio::test]
async fn our_own_credentials_come_before_the_principal_of_the_integration() {
    let issuer = Issuer::start(Key::ed()).await;
    let app = super::trusting(closed().0, &issuer);
    let asking = async |headers: &HeaderMap| {
        let mut request = get("/api/whoami");
        request.headers_mut().extend(headers.clone());
        let mut info = RequestInfo::default();
        info.principal = Some(Principal::new("of the integration"));
        crate::support::Answer::read(crate::support::serve(&app, request, info).await).await
    };
    assert_eq!(
        text(&asking(&HeaderMap::new()).await),
        "of the integration []"
    );
    let own = text(&asking(&bearer(&issuer.token("a"))).await);
    assert_eq!(own, format!("jwt:{}#ada [a]", issuer.url()));
    assert_eq!(
        asking(&bearer("a.b.c")).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        text(&asking(&bearer("opaque")).await),
        "of the integration []"
    );
}

#[test]
fn a_principal_shows_neither_its_claims_nor_its_id() {
    let claims = json!({"email": "ada@example.com"});
    let principal = Principal::new("ada").with_claims(claims.as_object().unwrap().clone());
    assert_eq!(principal.kind(), PrincipalKind::Custom);
    assert_eq!(principal.claims()["email"], "ada@example.com");
    let shown = format!("{principal:?}");
    assert!(!shown.contains("ada"), "{shown}");
    let _: App = App::new(config(&[]), Server::new("notes", "1.0.0")).unwrap();
}
