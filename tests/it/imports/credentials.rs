//! Credentials by security scheme: they are sent, and they are seen nowhere else.

use bifold::testing::{Canned, Client};
use bifold::upstream::SecretRef;
use bifold::{Config, Import, Server};
use serde_json::{Value, json};

use super::{answering, document, echoing, last, refusal, unreached};

const SECRET: &str = "a-secret-of-the-server";

fn guarded(scheme: Value, parameters: Value) -> Value {
    let mut document = document(json!({
        "/q": {"get": {"operationId": "it", "parameters": parameters, "responses": {"200": {"content": {"application/json": {}}}}}},
        "/open": {"get": {"operationId": "open", "security": []}},
    }));
    document["security"] = json!([{"auth": []}]);
    document["components"] = json!({"securitySchemes": {"auth": scheme}});
    document
}

fn config(url: &str) -> Config {
    let mut config = Config::default();
    config
        .secrets
        .insert("API_SECRET".to_owned(), bifold::Secret::new(SECRET));
    config
        .secrets
        .insert("API_USER".to_owned(), bifold::Secret::new("user"));
    config
        .upstream_urls
        .insert("api".to_owned(), url.to_owned());
    config
}

fn secret() -> SecretRef {
    SecretRef::variable("API_SECRET")
}

async fn client(import: Import, url: &str) -> Client {
    // The first upstream of the import is the one of its first operation.
    let server = Server::new("it", "1.0.0").openapi(import.base_url(url));
    let mut config = config(url);
    config.upstream_urls.clear();
    Client::with(config, server).await.unwrap()
}

#[tokio::test]
async fn credentials_are_sent_as_their_scheme_says() {
    let key = |place: &str, name: &str| json!({"type": "apiKey", "in": place, "name": name});
    let basic = "Basic dXNlcjphLXNlY3JldC1vZi10aGUtc2VydmVy";
    let rows = [
        (key("header", "X-Key"), "x-key", SECRET.to_owned()),
        (key("query", "api_key"), "?api_key", SECRET.to_owned()),
        (key("cookie", "sid"), "cookie", format!("sid={SECRET}")),
        (
            json!({"type": "http", "scheme": "Bearer"}),
            "authorization",
            format!("Bearer {SECRET}"),
        ),
        (
            json!({"type": "oauth2", "flows": {}}),
            "authorization",
            format!("Bearer {SECRET}"),
        ),
        (
            json!({"type": "http", "scheme": "basic"}),
            "authorization",
            basic.to_owned(),
        ),
    ];
    for (scheme, place, expected) in rows {
        let api = echoing().await;
        let import = unreached(&guarded(scheme.clone(), json!([])));
        let import = match expected.starts_with("Basic") {
            true => import.basic("auth", SecretRef::variable("API_USER"), secret()),
            false => import.key("auth", secret()),
        };
        let client = client(import, &api.url("api")).await;
        client.call("it", json!({})).await.unwrap();
        let received = last(&api);
        let sent = match place.strip_prefix('?') {
            Some(name) => received.query(name),
            None => received.header(place),
        };
        assert_eq!(sent, Some(&*expected), "{scheme}");
        // An operation that needs none is sent none.
        client.call("open", json!({})).await.unwrap();
        let received = last(&api);
        assert!(received.query.is_empty());
        assert!(
            !format!("{:?}", received.headers).contains("secret"),
            "{scheme}"
        );
    }
}

#[tokio::test]
async fn a_parameter_that_credentials_stand_for_is_not_an_argument() {
    let parameters =
        json!([{"name": "x-key", "in": "header", "required": true, "schema": {"type": "string"}}]);
    let document = guarded(
        json!({"type": "apiKey", "in": "header", "name": "X-Key"}),
        parameters,
    );
    let api = echoing().await;
    let client = client(unreached(&document).key("auth", secret()), &api.url("api")).await;
    assert_eq!(super::schema_of(&client, "it")["properties"], json!({}));
    client.call("it", json!({})).await.unwrap();
    assert_eq!(last(&api).header("x-key"), Some(SECRET));
}

#[tokio::test]
async fn no_list_document_or_error_has_a_credential() {
    let api = answering(Canned::status(
        403,
        "application/json",
        format!(r#"{{"message":"the key {SECRET} is not valid"}}"#),
    ))
    .await;
    let document = guarded(
        json!({"type": "apiKey", "in": "query", "name": "key"}),
        json!([]),
    );
    let client = client(unreached(&document).key("auth", secret()), &api.url("api")).await;
    let error = client.call("it", json!({})).await.unwrap_err();
    assert_eq!(
        error.message(),
        "upstream `api` answered with HTTP 403: the key … is not valid"
    );
    let result = client.mcp().call("it", json!({})).await.unwrap();
    assert!(!result.result().to_string().contains(SECRET));
    let listed = client.mcp().list_tools().await.unwrap();
    let published = client.rest().get("/openapi.json").await;
    for text in [
        format!("{error:?}"),
        json!(listed).to_string(),
        published.text().to_owned(),
    ] {
        assert!(
            !text.contains(SECRET) && !text.contains("API_SECRET"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn the_first_alternative_with_credentials_is_used() {
    let mut document = guarded(
        json!({"type": "apiKey", "in": "header", "name": "X-Key"}),
        json!([]),
    );
    document["security"] = json!([{"both": [], "auth": []}, {"other": []}, {"auth": []}]);
    document["components"]["securitySchemes"]["other"] =
        json!({"type": "http", "scheme": "bearer"});
    document["components"]["securitySchemes"]["both"] = json!({"type": "http", "scheme": "bearer"});
    let api = echoing().await;
    let client = client(unreached(&document).key("auth", secret()), &api.url("api")).await;
    client.call("it", json!({})).await.unwrap();
    assert_eq!(last(&api).header("x-key"), Some(SECRET));
}

#[tokio::test]
async fn credentials_that_cannot_be_used_end_the_start() {
    let bearer = guarded(json!({"type": "http", "scheme": "bearer"}), json!([]));
    let import = || unreached(&bearer);
    let value = || SecretRef::Value(bifold::Secret::new(SECRET));
    for (import, expected) in [
        (
            import().key("wrong", value()),
            "the security scheme `wrong`, which it does not have; it has: auth",
        ),
        (
            import().basic("auth", value(), value()),
            "`auth` is of type `bearer`, which other credentials belong to",
        ),
        (
            import().client("auth", value(), value()),
            "does not name the URL from which a client gets tokens",
        ),
        (
            import().key("auth", SecretRef::variable("NOT_SET_ANYWHERE")),
            "the variable `NOT_SET_ANYWHERE` is not set",
        ),
    ] {
        let problem = refusal(import).await;
        assert!(problem.contains(expected), "{problem}");
        assert!(!problem.contains(SECRET));
    }
    // Not in the clear.
    let import = Import::text(bearer.to_string())
        .name("api")
        .base_url("http://api.example.com")
        .key("auth", value());
    let server = Server::new("it", "1.0.0").openapi(import);
    let client = Client::with(Config::default(), server).await.unwrap();
    assert_eq!(super::names(&client), ["open"]);
}
