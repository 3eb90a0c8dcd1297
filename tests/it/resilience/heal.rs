//! A client with dead connections is replaced once, for all concurrent requests.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::response::IntoResponse;
use bech32::{Bech32, Hrp};
use bifold::RequestInfo;
use futures_util::future::join_all;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{ACCOUNT, GOOD};
use crate::provenance::ask::{about, call, until};
use crate::support::peers::{Peers, settle};
use crate::support::{Answer, TestApp, pass, serve};

/// The timeout of one try.
const TRY: Duration = Duration::from_secs(4);
/// More than the tries of a request.
const KEPT: u8 = 4;

/// An explorer that gives the same answer for every account.
async fn explorer() -> (String, Peers) {
    let peers = Peers::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(peers.clone());
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(axum::serve(listener, service).into_future());
    (url, peers)
}

async fn answer(
    State(peers): State<Peers>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
) -> impl IntoResponse {
    peers.admit(peer, "account", true).await;
    ([(CONTENT_TYPE, "application/json")], GOOD)
}

async fn app(url: String) -> TestApp {
    TestApp::with(|config| {
        config.upstream_urls.insert("explorer".to_owned(), url);
        config.upstream_tries = 3;
    })
    .await
}

/// Requests the account of that number over MCP; the call must succeed.
async fn ask(app: &TestApp, number: u8) {
    let wallet = bech32::encode::<Bech32>(Hrp::parse("pb").unwrap(), &[number; 20]);
    let request = call(ACCOUNT, &about(&wallet.unwrap()).to_string());
    let response = serve(&app.app, request, RequestInfo::default()).await;
    let message: Value = Answer::read(response).await.json();
    let account = &message["result"]["structuredContent"];
    assert_eq!(account["account_type"], json!("Base Account"), "{message}");
}

/// Requests different accounts concurrently, each on its own connection.
async fn ask_for_each(app: &TestApp, peers: &Peers) {
    peers.gather(KEPT.into());
    join_all((0..KEPT).map(|number| ask(app, number))).await;
    peers.scatter();
    settle().await;
}

#[tokio::test]
async fn after_one_dead_connection_none_of_the_others_is_used() {
    let (url, peers) = explorer().await;
    let app = app(url).await;
    ask_for_each(&app, &peers).await;
    peers.cut();
    let passing = async {
        until(|| !peers.lost().is_empty()).await;
        pass(TRY).await;
    };
    let callers = join_all((0..50).map(|_| ask(&app, 9)));
    tokio::join!(callers, passing);
    assert_eq!(peers.lost(), ["account"]);
    assert_eq!(peers.count(), usize::from(KEPT) + 1);
    ask(&app, 9).await;
    assert_eq!(peers.count(), usize::from(KEPT) + 1);
}

#[tokio::test]
async fn concurrent_requests_with_a_broken_client_share_the_new_one() {
    let (url, peers) = explorer().await;
    let app = app(url).await;
    let kept = usize::from(KEPT);
    ask_for_each(&app, &peers).await;
    peers.cut();
    let passing = async {
        until(|| peers.lost().len() == kept).await;
        pass(TRY).await;
    };
    tokio::join!(ask_for_each(&app, &peers), passing);
    assert_eq!(peers.lost(), ["account"; KEPT as usize]);
    assert_eq!(peers.count(), 2 * kept);
    ask_for_each(&app, &peers).await;
    assert_eq!(peers.count(), 2 * kept);
}
