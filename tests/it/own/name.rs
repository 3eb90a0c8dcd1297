//! The name of the application stands wherever a client or an upstream reads a name.

use bifold::upstream::Upstream;
use bifold::{App, Config, Content, Context, Result, Server, Tool};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{Log, TestApp};

const STATION: Upstream = Upstream::new("station", "https://station.example");

/// The weather.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Current {}

async fn current(cx: Context, Current {}: Current) -> Result<Content> {
    let value: Value = cx.get_json(&STATION, "/current").await?;
    Ok(Content::text(value.to_string()))
}

fn server() -> Server {
    Server::new("weather", "1.2.3")
        .description("The weather at the station.")
        .upstreams(&[STATION])
        .tools(vec![Tool::new("current", current).get("/current")])
}

#[tokio::test]
async fn pages_and_protocols_have_the_name_of_the_application_and_not_ours() {
    let app = TestApp::serving(server()).await;
    let health = app.get("/health").await.json();
    assert_eq!(
        (&health["name"], &health["version"]),
        (&json!("weather"), &json!("1.2.3"))
    );
    assert!(!health.to_string().contains("bifold"), "{health}");
    let openapi = app.get("/openapi.json").await.json();
    assert_eq!(openapi["info"]["title"], "weather");
    let told = app
        .legacy(
            "2025-06-18",
            "initialize",
            json!({"protocolVersion": "2025-06-18"}),
        )
        .await
        .json();
    let info = &told["result"]["serverInfo"];
    assert_eq!(
        (&info["name"], &info["version"]),
        (&json!("weather"), &json!("1.2.3"))
    );
}

#[tokio::test]
async fn upstreams_read_the_name_of_the_application_and_the_library_behind_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = Config::default();
    let url = format!("http://{}", listener.local_addr().unwrap());
    config.upstream_urls.insert("station".to_owned(), url);
    let app = TestApp::of(App::new(config, server()).unwrap()).await;
    let asking = tokio::spawn(async move { app.get("/api/current").await.status });
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut head = vec![0; 4096];
    let length = socket.read(&mut head).await.unwrap();
    let head = String::from_utf8_lossy(&head[..length]).to_lowercase();
    let agent = format!(
        "user-agent: weather/1.2.3 (bifold/{})\r\n",
        env!("CARGO_PKG_VERSION")
    );
    assert!(head.contains(&agent), "{head}");
    let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
    socket.write_all(answer.as_bytes()).await.unwrap();
    assert_eq!(asking.await.unwrap(), 200);
}

#[tokio::test]
async fn without_recordings_the_switch_for_them_is_an_unknown_variable() {
    let log = Log::default();
    let _guard = log.keep();
    let given = [("BIFOLD_REPLAY".to_owned(), "true".to_owned())];
    let config = Config::from_vars(given.into_iter(), &[]).unwrap();
    let app = TestApp::of(App::start(config, server()).await.unwrap()).await;
    assert!(app.get("/health").await.json().get("replay").is_none());
    let text = log.text();
    assert!(
        text.contains("unknown setting") && text.contains("BIFOLD_REPLAY"),
        "{text}"
    );
}
