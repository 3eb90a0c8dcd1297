//! Credentials of upstreams: what is sent, when it is renewed, and where it never goes.

mod leaks;
mod sources;

use std::time::Duration;

use bifold::testing::{CannedUpstream, upstream};
use bifold::upstream::{ClientCredentials, Credentials, SecretRef, Upstream};
use bifold::{Config, Secret};
use serde_json::json;

use super::{API, app_of, start_problem};
use crate::support::pass;

const KEY: SecretRef = SecretRef::variable("UPSTREAM_KEY");

const CLIENT: ClientCredentials = ClientCredentials::new(
    "https://login.example.com/token",
    SecretRef::variable("CLIENT_ID"),
    SecretRef::variable("CLIENT_SECRET"),
)
.scopes("read write");

#[tokio::test]
async fn every_request_carries_what_is_declared() {
    let api = upstream("api")
        .on_get("/x")
        .json(1)
        .on_post("/x")
        .json(1)
        .start()
        .await
        .unwrap();
    let cases: [(Credentials, &str, &str); 4] = [
        (Credentials::bearer(KEY), "authorization", "Bearer k&y"),
        (Credentials::header("X-API-Key", KEY), "x-api-key", "k&y"),
        (
            Credentials::basic(SecretRef::Value(Secret::new("ann")), KEY),
            "authorization",
            "Basic YW5uOmsmeQ==",
        ),
        (Credentials::query("key", KEY), "", "k&y"),
    ];
    for (credentials, header, value) in cases {
        api.forget();
        let app = app_of(&api, API.credentials(credentials), keyed);
        let client = app.context().upstream(&API);
        client.get("/x?a=b").json::<u8>().await.unwrap();
        client.post("/x").json::<u8>().await.unwrap();
        client.post("/x").send().await.unwrap();
        for received in api.received() {
            match header {
                "" => assert_eq!(received.query("key"), Some(value)),
                _ => assert_eq!(received.header(header), Some(value)),
            }
        }
        assert_eq!(api.received()[0].query("a"), Some("b"));
    }
}

#[tokio::test]
async fn a_header_of_the_request_replaces_the_credentials() {
    let api = upstream("api").on_get("/x").json(1).start().await.unwrap();
    let app = app_of(&api, API.credentials(Credentials::bearer(KEY)), keyed);
    let request = app.context().upstream(&API).get("/x");
    request
        .header("authorization", "Bearer own")
        .text()
        .await
        .unwrap();
    assert_eq!(
        api.received()[0].header("authorization"),
        Some("Bearer own")
    );
}

#[test]
fn what_is_missing_is_named_at_the_start() {
    let missing = "BIFOLD_TEST_MISSING_KEY";
    let said = start_problem(
        API.credentials(Credentials::bearer(SecretRef::variable(missing))),
        |_| {},
    );
    assert!(
        said.contains("`api`") && said.contains(&format!("`{missing}`")),
        "{said}"
    );
    let empty = start_problem(API.credentials(Credentials::bearer(KEY)), |config| {
        config
            .secrets
            .insert("UPSTREAM_KEY".to_owned(), Secret::new(""));
    });
    assert!(empty.contains("`UPSTREAM_KEY`"), "{empty}");
    let file = SecretRef::file("/nonexistent/key");
    let said = start_problem(API.credentials(Credentials::bearer(file)), |_| {});
    assert!(said.contains("`/nonexistent/key`"), "{said}");
    let name = start_problem(API.credentials(Credentials::header("a b", KEY)), keyed);
    assert!(name.contains("header"), "{name}");
    let aws = Credentials::bearer(SecretRef::aws("prod/key"));
    let said = start_problem(API.credentials(aws), |_| {});
    assert!(
        said.contains("`api`") && said.contains("`AWS_REGION`"),
        "{said}"
    );
    assert_eq!(
        start_problem(API.credentials(Credentials::bearer(KEY)), keyed),
        ""
    );
}

#[test]
fn credentials_are_not_sent_where_others_can_read_them() {
    let declared = || API.credentials(Credentials::bearer(KEY));
    for (url, is_safe) in [
        ("http://api.example.com", false),
        ("http://localhost.example.com", false),
        ("http://127.0.0.1.example.com", false),
        ("http://127.0.0.1:1", true),
        ("http://localhost:1", true),
        ("https://other.example.com", true),
    ] {
        let said = start_problem(declared(), |config| {
            keyed(config);
            config
                .upstream_urls
                .insert("api".to_owned(), url.to_owned());
        });
        assert_eq!(said.is_empty(), is_safe, "{url}: {said}");
    }
    let user = start_problem(declared(), |config| {
        keyed(config);
        let url = "https://ann:hunter2@api.example.com".to_owned();
        config.upstream_urls.insert("api".to_owned(), url);
    });
    assert!(
        user.contains("user name") && !user.contains("hunter2"),
        "{user}"
    );
    for url in [
        "http://login.example.com/token",
        "http://localhost:a@login.example.com",
        "token",
    ] {
        let client = ClientCredentials::new(url, KEY, KEY);
        let said = start_problem(API.credentials(Credentials::client(client)), keyed);
        assert!(said.contains("token URL"), "{url}: {said}");
    }
}

#[tokio::test]
async fn a_name_that_no_variable_can_have_is_refused() {
    for name in ["Weather API", "weather-api", "", "1api", "Api", "ä"] {
        let said = start_problem(Upstream::named(name, "https://api.example.com"), |_| {});
        assert!(said.contains("lower case"), "{name}: {said}");
    }
}

#[tokio::test]
async fn one_token_serves_all_calls_until_shortly_before_it_expires() {
    let (api, declared) = with_tokens(600).await;
    let app = app_of(&api, declared, |config| token_config(config, &api));
    let ask = async |path: &str| {
        let request = app.context().upstream(&API).get(path);
        request.json::<u8>().await.unwrap()
    };
    tokio::join!(ask("/x?1"), ask("/x?2"), ask("/x?3"));
    assert_eq!(api.count("POST", "/token"), 1);
    let token = &api.received()[0];
    assert_eq!(
        token.header("authorization"),
        Some("Basic Y2xpZW50OnMlMjZ0")
    );
    assert_eq!(
        token.body,
        "grant_type=client_credentials&scope=read%20write"
    );
    assert_eq!(
        api.received()[1].header("authorization"),
        Some("Bearer token-1")
    );
    pass(Duration::from_secs(500)).await;
    ask("/x").await;
    assert_eq!(api.count("POST", "/token"), 1);
    pass(Duration::from_secs(71)).await;
    ask("/x").await;
    assert_eq!(api.count("POST", "/token"), 2);
    let last = api.received().pop().unwrap();
    assert_eq!(last.header("authorization"), Some("Bearer token-2"));
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once() {
    for method in ["GET", "POST"] {
        let api = upstream("api")
            .on_post("/token")
            .json(json!({"access_token": "a", "expires_in": 600}))
            .on(method, "/x")
            .times(1)
            .status(401)
            .on(method, "/x")
            .json(1)
            .on(method, "/never")
            .status(401)
            .start()
            .await
            .unwrap();
        let declared = API.credentials(Credentials::client(CLIENT.in_body()));
        let app = app_of(&api, declared, |config| token_config(config, &api));
        let client = app.context().upstream(&API);
        let method = http::Method::from_bytes(method.as_bytes()).unwrap();
        let ask = |path: &str| client.request(method.clone(), path).json::<u8>();
        assert_eq!(ask("/x").await.unwrap(), 1);
        assert_eq!(api.count("POST", "/token"), 2);
        assert!(
            api.received()[0]
                .body
                .ends_with(b"client_id=client&client_secret=s%26t")
        );
        // A client that is not accepted at all does not flood the authorization server.
        for _ in 0..3 {
            let error = ask("/never").await.err().unwrap();
            assert_eq!(error.upstream_status().unwrap().status, Some(401));
        }
        assert_eq!(api.count("POST", "/token"), 2);
        assert_eq!(api.count(method.as_str(), "/never"), 3);
    }
}

#[tokio::test]
async fn a_failure_of_the_authorization_server_is_one_of_the_upstream() {
    for (status, body) in [
        (400, json!({"error": "invalid_client"})),
        (200, json!({"token": "a"})),
    ] {
        let api = upstream("api")
            .on_post("/token")
            .status(status)
            .json(body)
            .start()
            .await
            .unwrap();
        let declared = API.credentials(Credentials::client(CLIENT));
        let app = app_of(&api, declared, |config| token_config(config, &api));
        let error = app
            .context()
            .upstream(&API)
            .get("/x")
            .text()
            .await
            .err()
            .unwrap();
        assert!(
            error.message().contains("`api`") && error.message().contains("token"),
            "{error}"
        );
        assert_eq!(api.count("GET", "/x"), 0);
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_early_is_used_to_its_end() {
    let api = upstream("api")
        .on_post("/token")
        .times(1)
        .json(json!({"access_token": "a", "expires_in": 600}))
        .on_post("/token")
        .status(500)
        .on_get("/x")
        .json(1)
        .start()
        .await
        .unwrap();
    let declared = API.credentials(Credentials::client(CLIENT));
    let app = app_of(&api, declared, |config| token_config(config, &api));
    for (time, is_good) in [(0, true), (575, true), (5, true), (30, false)] {
        pass(Duration::from_secs(time)).await;
        let asked = app.context().upstream(&API).get("/x").json::<u8>().await;
        assert_eq!(asked.is_ok(), is_good, "{time}");
    }
}

/// An upstream with a token endpoint that gives `token-1`, then `token-2`.
async fn with_tokens(seconds: u64) -> (CannedUpstream, Upstream) {
    let token =
        |number: u8| json!({"access_token": format!("token-{number}"), "expires_in": seconds});
    let api = upstream("api")
        .on_post("/token")
        .times(1)
        .json(token(1))
        .delay(Duration::from_millis(10))
        .on_post("/token")
        .json(token(2))
        .on_get("/x")
        .json(1)
        .start()
        .await
        .unwrap();
    (api, API.credentials(Credentials::client(CLIENT)))
}

fn token_config(config: &mut Config, api: &CannedUpstream) {
    let url = format!("{}/token", api.url("api"));
    config.upstream_urls.insert("api_token".to_owned(), url);
    for (name, value) in [("CLIENT_ID", "client"), ("CLIENT_SECRET", "s&t")] {
        config.secrets.insert(name.to_owned(), Secret::new(value));
    }
}

fn keyed(config: &mut Config) {
    config
        .secrets
        .insert("UPSTREAM_KEY".to_owned(), Secret::new("k&y"));
}
