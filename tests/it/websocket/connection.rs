//! How a connection begins, and how it is known to be alive.

use std::time::Duration;

use http::HeaderValue;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::Error;

use super::{Served, pass};

/// The refusal of a connection: its status and the type of its problem.
async fn refused(served: &Served, name: &'static str, value: &str) -> (u16, String) {
    let mut request = served.request();
    let value = HeaderValue::from_str(value).unwrap();
    request.headers_mut().insert(name, value);
    match served
        .try_connect(request)
        .await
        .map(drop)
        .map_err(|it| *it)
    {
        Err(Error::Http(response)) => {
            let problem: Value = serde_json::from_slice(response.body().as_ref().unwrap()).unwrap();
            (
                response.status().as_u16(),
                problem["type"].as_str().unwrap().to_owned(),
            )
        }
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn pages_of_foreign_origins_and_foreign_hosts_are_refused() {
    let served = Served::with(|config| {
        config.allowed_origins = vec!["https://admitted.example".to_owned()];
    })
    .await;
    for origin in [
        "https://evil.example",
        "null",
        "https://admitted.example.evil",
    ] {
        let refusal = refused(&served, "origin", origin).await;
        assert_eq!(
            refusal,
            (403, "urn:bifold:problem:forbidden_origin".to_owned())
        );
    }
    let refusal = refused(&served, "host", "evil.example").await;
    assert_eq!(refusal, (403, "urn:bifold:problem:foreign_host".to_owned()));
    for origin in ["https://admitted.example", "http://localhost:3000"] {
        let mut request = served.request();
        request
            .headers_mut()
            .insert("origin", HeaderValue::from_static(origin));
        let (mut client, _) = served.try_connect(request).await.unwrap();
        client.is_quiet().await;
    }
}

#[tokio::test]
async fn a_request_that_is_no_upgrade_is_told_what_is_served() {
    let served = Served::start().await;
    for (name, value) in [("upgrade", "h2c"), ("sec-websocket-version", "8")] {
        let refusal = refused(&served, name, value).await;
        assert_eq!(
            refusal,
            (426, "urn:bifold:problem:upgrade_required".to_owned())
        );
    }
}

#[tokio::test]
async fn the_subprotocol_of_mcp_is_taken_up_and_no_other() {
    let served = Served::start().await;
    let mut request = served.request();
    let names = HeaderValue::from_static("graphql-ws, mcp");
    request
        .headers_mut()
        .insert("sec-websocket-protocol", names);
    let (_client, response) = served.try_connect(request).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "mcp");
    let (_client, response) = served.try_connect(served.request()).await.unwrap();
    assert!(!response.headers().contains_key("sec-websocket-protocol"));
}

#[tokio::test]
async fn who_answers_no_ping_is_let_go() {
    let served = Served::start().await;
    let mut client = served.connect().await;
    client.is_quiet().await;
    let MaybeTlsStream::Plain(mut socket) = client.0.into_inner() else {
        panic!("nothing is encrypted here");
    };
    for _ in 0..2 {
        pass(Duration::from_secs(30)).await;
        let mut ping = [0; 2];
        socket.read_exact(&mut ping).await.unwrap();
        assert_eq!(ping, [0x89, 0]);
    }
    pass(Duration::from_secs(30)).await;
    assert_eq!(socket.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test]
async fn who_answers_pings_is_kept() {
    let served = Served::start().await;
    let mut client = served.connect().await;
    client.is_quiet().await;
    for _ in 0..10 {
        pass(Duration::from_secs(30)).await;
        // The ping is answered while the answer to this is waited for.
        client.is_quiet().await;
    }
}
