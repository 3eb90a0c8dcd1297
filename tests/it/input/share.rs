//! The memory of the process is shared: a client with a large share of it is refused, and all others are served.

use std::net::IpAddr;
use std::time::Duration;

use bifold::{App, Content, RequestInfo, Store, local};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::tasks::{client, task};
use super::{function, greet, legacy, serving};
use crate::support::{Answer, serve};

fn app() -> App {
    let long = function("long", async |cx| {
        cx.detach().await;
        Ok(Content::text("done"))
    });
    serving(vec![long.task(), function("greet", greet)])
}

/// Fills the share of this client.
async fn fill(store: &Store, holder: &str) {
    let key = |number| format!("{holder} {number}");
    let mut kept = 0;
    let hour = Duration::from_secs(3_600);
    while store
        .create_for(Some(holder), &key(kept), String::new(), hour)
        .await
        .is_ok()
    {
        kept += 1;
    }
}

/// Calls the function that becomes a task, from this address and as this principal.
async fn call(app: &App, peer: Option<&str>, principal: Option<&str>) -> Value {
    let request = client(app).request("tools/call", json!({"name": "long"}));
    let request_info = {
        let mut info = RequestInfo::default();
        info.peer = peer.map(|it| it.parse::<IpAddr>().unwrap());
        info.principal = principal.map(bifold::Principal::new);
        info
    };
    Answer::read(serve(app, request, request_info).await)
        .await
        .json()
}

#[track_caller]
fn assert_refused(message: &Value) {
    let kind = &message["error"]["data"]["kind"];
    assert_eq!(kind, "store_unavailable", "{message}");
}

#[tokio::test]
async fn the_share_is_counted_by_network() {
    let app = app();
    fill(app.store(), "192.0.2.1").await;
    fill(app.store(), "2001:db8:0:1::").await;
    for peer in ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8:0:1::5"] {
        assert_refused(&call(&app, Some(peer), None).await);
    }
    for peer in [Some("192.0.2.2"), Some("2001:db8:0:2::5"), None] {
        task(&call(&app, peer, None).await["result"]);
    }
}

#[tokio::test]
async fn the_share_is_counted_by_principal_where_it_is_known() {
    let app = app();
    fill(app.store(), "eve").await;
    assert_refused(&call(&app, Some("192.0.2.1"), Some("eve")).await);
    for principal in [Some("ada"), None] {
        task(&call(&app, Some("192.0.2.1"), principal).await["result"]);
    }
}

#[tokio::test]
async fn the_local_server_knows_the_network_of_a_call() {
    let app = app();
    fill(app.store(), "127.0.0.1").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut socket = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let server = tokio::spawn(local::serve(app.clone(), listener, std::future::pending()));
    let (parts, body) = legacy("2025-11-25", "greet").into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let mut head = "POST /mcp HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n".to_owned();
    for (name, value) in &parts.headers {
        head += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    head += &format!("content-length: {}\r\n\r\n", body.len());
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&body).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains(r#""kind":"store_unavailable""#), "{answer}");
    server.abort();
}
