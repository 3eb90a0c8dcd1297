//! Where credentials never are: the log at any level, errors, `Debug`, documents, other hosts.

use std::error::Error as _;
use std::io;

use bifold::testing::{Canned, CannedUpstream, Fault, upstream};
use bifold::upstream::Credentials;
use bifold::{App, Context, Result, Secret};
use serde_json::{Value, json};
use tracing_subscriber::filter::LevelFilter;

use super::{CLIENT, KEY, keyed, token_config};
use crate::support::{Log, TestApp};
use crate::upstream::{API, app_of, server_asking};

const SENTINEL: &str = "s3nt1nel-c0ffee";

#[tokio::test]
async fn no_log_line_error_or_document_contains_them() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || -> Box<dyn io::Write> { Box::new(writer.clone()) })
        .finish();
    // The log of other levels keeps the threads of other tests from deciding which lines are enabled.
    let _first = Log::default().keep();
    let _guard = tracing::subscriber::set_default(subscriber);
    tracing::callsite::rebuild_interest_cache();
    let mut said = String::new();
    for credentials in [
        Credentials::bearer(KEY),
        Credentials::header("x-api-key", KEY),
        Credentials::basic(KEY, KEY),
        Credentials::query("key", KEY),
        Credentials::client(CLIENT),
    ] {
        let api = faulty().await;
        let is_client = format!("{credentials:?}").contains("token_url");
        let declared = API.credentials(credentials);
        said += &format!("{declared:?}");
        let app = app_of(&api, declared, |config| {
            token_config(config, &api);
            if !is_client {
                config.upstream_urls.remove("api_token");
            }
            for name in ["UPSTREAM_KEY", "CLIENT_SECRET"] {
                config
                    .secrets
                    .insert(name.to_owned(), Secret::new(SENTINEL));
            }
            config.upstream_tries = 1;
            said += &format!("{config:?}");
        });
        let client = app.context().upstream(&API);
        for path in [
            "/x",
            "/500",
            "/401",
            "/reset",
            "/garbage",
            "/html",
            "/away",
            "/truncated",
        ] {
            match client.get(path).json::<Value>().await {
                Ok(value) => assert_eq!(value, 1),
                Err(error) => said += &with_sources(&error),
            }
        }
        // It did reach the upstream.
        let received = format!("{:?}", api.received());
        let sent = received.contains(SENTINEL)
            || received.contains("Basic")
            || received.contains("Bearer");
        assert!(sent, "{received}");
    }
    said += &log.text();
    assert!(said.contains("an upstream request failed"), "{said}");
    let own = said.lines().filter(|it| !is_of_another_crate(it));
    for secret in [SENTINEL, "czNudDFuZWw", "token-s3cret"] {
        let line = own.clone().find(|it| it.contains(secret));
        assert_eq!(line, None);
    }
}

#[tokio::test]
async fn no_document_of_the_server_contains_them() {
    let api = faulty().await;
    let server = server_asking(
        API.credentials(Credentials::query("key", KEY)),
        async |cx: Context| -> Result<Value> { cx.get_json(&API, "/500").await },
    );
    let mut config = bifold::Config::default();
    api.configure(&mut config);
    config
        .secrets
        .insert("UPSTREAM_KEY".to_owned(), Secret::new(SENTINEL));
    let app = TestApp::of(App::new(config, server).unwrap()).await;
    for path in [
        "/health",
        "/openapi.json",
        "/docs",
        "/api/ask",
        "/api/nothing",
    ] {
        let answer = app.get(path).await;
        let said = format!("{:?} {}", answer.headers, answer.text());
        assert!(
            !said.contains(SENTINEL) && !said.contains("UPSTREAM_KEY"),
            "{path}: {said}"
        );
    }
    let called = app.tool("ask", json!({})).await.to_string();
    assert!(
        called.contains("HTTP 500") && !called.contains(SENTINEL),
        "{called}"
    );
}

#[tokio::test]
async fn no_other_host_gets_them() {
    let other = upstream("other")
        .on_get("/x")
        .json(1)
        .start()
        .await
        .unwrap();
    let target = format!("{}/x", other.url("other"));
    let api = CannedUpstream::start(
        move |target_of| match target_of.split('?').next().unwrap() {
            "/api/near" => Canned::status(302, "", "").header("location", "/api/x"),
            "/api/x" => Canned::json("1"),
            _ => Canned::status(307, "", "").header("location", target.clone()),
        },
    )
    .await
    .unwrap();
    for credentials in [
        Credentials::bearer(KEY),
        Credentials::header("x-api-key", KEY),
        Credentials::query("key", KEY),
    ] {
        let app = super::super::app_at(&api.url("api"), API.credentials(credentials), keyed);
        let client = app.context().upstream(&API);
        for request in [client.get("/far"), client.post("/far")] {
            let error = request.text().await.err().unwrap();
            assert!(error.message().contains("redirect"), "{error}");
        }
        assert_eq!(other.received().len(), 0);
        assert_eq!(client.get("/near").json::<u8>().await.unwrap(), 1);
        let near = api.received().pop().unwrap();
        assert_eq!(near.header("referer"), None);
    }
}

/// An upstream that fails in many ways.
async fn faulty() -> CannedUpstream {
    let html = "<html>no</html>";
    upstream("api")
        .on_post("/token")
        .json(json!({"access_token": "token-s3cret", "expires_in": 600}))
        .on_get("/x")
        .json(1)
        .on_get("/500")
        .status(500)
        .text("down")
        .on_get("/401")
        .status(401)
        .text("who?")
        .on_get("/reset")
        .fault(Fault::Reset)
        .on_get("/garbage")
        .fault(Fault::Garbage)
        .on_get("/html")
        .body("text/html", html)
        .on_get("/away")
        .status(302)
        .header("location", "http://127.0.0.2:9/x")
        .on_get("/truncated")
        .json(json!("text"))
        .fault(Fault::Truncate)
        .start()
        .await
        .unwrap()
}

fn with_sources(error: &bifold::Error) -> String {
    let mut said = format!(
        "{error} {error:?} {}",
        serde_json::to_string(&error.detail()).unwrap()
    );
    let mut source = error.source();
    while let Some(it) = source {
        said += &format!(" {it} {it:?}");
        source = it.source();
    }
    said + "\n"
}

/// Whether the line is of the HTTP client, which says at trace level what it sends.
fn is_of_another_crate(line: &str) -> bool {
    ["hyper", "h2::", "reqwest", "rustls", "mio"]
        .iter()
        .any(|it| line.contains(&format!(" {it}")))
}
