//! The principal, as each integration has checked it.

use bifold::{App, Config, Context, JsonSchema, Result, Server, Tool};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{answer, changed};
use crate::support::TestApp;

/// Returns the principal.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Ask {}

#[derive(Serialize, JsonSchema)]
struct Caller {
    /// The principal.
    name: Option<String>,
}

async fn whoami(cx: Context, Ask {}: Ask) -> Result<Caller> {
    let name = cx.principal().map(|it| it.id().to_owned());
    Ok(Caller { name })
}

async fn server() -> TestApp {
    let tool = Tool::new("whoami", whoami).get("/whoami");
    let server = Server::new("asking", "1.0.0").tools(vec![tool]);
    TestApp {
        app: App::new(Config::default(), server).unwrap(),
        replay: bifold::provenance::replay::Replay::start().await.unwrap(),
    }
}

#[tokio::test]
async fn each_integration_names_the_principal_in_its_own_field() {
    let app = server().await;
    let arn = "arn:aws:iam::123456789012:user/example";
    let claims = json!({"iss": "https://issuer.example", "sub": "7", "aud": "x"});
    let signed = json!({"iam": {"userArn": arn, "cognitoIdentity": null}});
    let token = json!({"jwt": {"claims": claims, "scopes": null}});
    let pool = json!({"claims": claims, "scopes": null});
    let custom = json!({"principalId": "me", "iam": "no", "claims": 7, "jwt": true});
    let (iam, jwt) = (
        json!(format!("iam:{arn}")),
        json!("jwt:https://issuer.example#7"),
    );
    for (integration, authorizer, expected) in [
        ("function_url_rest", &signed, &iam),
        ("http_api_v2", &signed, &iam),
        ("http_api_v2", &token, &jwt),
        ("http_api_v1", &pool, &jwt),
        ("rest_api_rest", &pool, &jwt),
        ("rest_api_rest", &custom, &json!("authorizer:me")),
        (
            "http_api_v2",
            &json!({"lambda": {"user": "me"}}),
            &Value::Null,
        ),
        ("http_api_v2", &json!("me"), &Value::Null),
        ("function_url_rest", &Value::Null, &Value::Null),
        ("rest_api_rest", &Value::Null, &Value::Null),
    ] {
        let event = asking(
            integration,
            &[("/requestContext/authorizer", authorizer.clone())],
        );
        let reply = answer(&app, &event).await;
        assert_eq!(reply.status(), 200, "{integration}: {}", reply.0);
        assert_eq!(
            reply.json()["name"],
            *expected,
            "{integration} {authorizer}"
        );
    }
    let event = asking(
        "rest_api_rest",
        &[("/requestContext/identity/userArn", json!(arn))],
    );
    assert_eq!(answer(&app, &event).await.json()["name"], iam);
    let pooled = [
        (
            "/requestContext/identity/userArn",
            json!("arn:aws:sts::1:assumed-role/pool/CognitoIdentityCredentials"),
        ),
        (
            "/requestContext/identity/cognitoIdentityId",
            json!("us-west-2:7"),
        ),
    ];
    let event = asking("rest_api_rest", &pooled);
    assert_eq!(
        answer(&app, &event).await.json()["name"],
        "cognito:us-west-2:7"
    );
    let pooled = json!({"iam": {"userArn": arn, "cognitoIdentity": {"amr": [], "identityId": "us-west-2:7"}}});
    let event = asking("http_api_v2", &[("/requestContext/authorizer", pooled)]);
    assert_eq!(
        answer(&app, &event).await.json()["name"],
        "cognito:us-west-2:7"
    );
    let event = asking("load_balancer", &[("/requestContext/authorizer", signed)]);
    assert_eq!(
        answer(&app, &event).await.json()["name"],
        iam,
        "a caller that may invoke the function may name a principal"
    );
}

/// An event of this integration that calls the function, with these fields.
fn asking(integration: &str, fields: &[(&str, Value)]) -> Value {
    let mut event = changed(integration, fields);
    for (path, value) in [
        ("path", "/api/whoami"),
        ("rawPath", "/api/whoami"),
        ("rawQueryString", ""),
    ] {
        if let Some(place) = event.get_mut(path) {
            *place = json!(value);
        }
    }
    for query in ["queryStringParameters", "multiValueQueryStringParameters"] {
        event.as_object_mut().unwrap().remove(query);
    }
    event
}
