//! The file of mounted servers is read again and again: what is gone leaves nothing behind.

use std::time::Duration;

use bifold::{App, Config, Server};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::eras::settled;
use super::legacy::Legacy;
use super::stdio::Folder;
use super::{tools, until};
use crate::support::{TestApp, pass};

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

#[tokio::test]
async fn a_thousand_reloads_leave_no_task_behind() {
    let folder = Folder::new("tasks");
    let file = folder.path("mcp.json");
    let legacy = Legacy::with_tools(&["one"]);
    let (address, _) = legacy.on_socket().await;
    let web = json!({ "url": format!("http://{address}/mcp") });
    let write = |round: usize| {
        let mut servers = json!({ "stays": web });
        if round > 0 {
            servers[format!("web{round}")] = web.clone();
            // It answers every request with the same text.
            servers[format!("child{round}")] = json!({ "command": "cat" });
        }
        std::fs::write(&file, json!({ "mcpServers": servers }).to_string()).unwrap();
    };
    write(0);
    let mut config = Config::default();
    config.mcp_servers = Some(file.clone());
    let server = Server::new("gateway", "1");
    let app = TestApp::of(App::start(config, server).await.unwrap()).await;
    until(&app, |it| it[0]["state"] == "up").await;
    settled(|| legacy.streams() == 1).await;
    let before = tasks();
    for round in 1..=1_000 {
        write(round);
        // The file is looked at every two seconds.
        pass(Duration::from_secs(2)).await;
        let name = format!("child{round}");
        let has_it = |it: &Value| it.as_array().unwrap().iter().any(|it| it["name"] == name);
        until(&app, has_it).await;
    }
    write(0);
    pass(Duration::from_secs(2)).await;
    until(&app, |it| it.as_array().unwrap().len() == 1).await;
    assert_eq!(tools(&app).await, ["stays_one"]);
    // What a process or a session needs to end counts in steps of time.
    for _ in 0..1_000 {
        if tasks() <= before {
            break;
        }
        pass(Duration::from_millis(100)).await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
    assert!(
        tasks() <= before,
        "{before} tasks before, {} after",
        tasks()
    );
    app.app.stop(Duration::from_secs(10)).await;
}
