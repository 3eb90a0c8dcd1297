//! The application as a service of tower, within a router and a server of axum's own.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::{Router, ServiceExt, routing::get};
use bifold::{App, Config, RequestInfo, Server};
use http::Request;
use http_body_util::Full;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;

use super::guarded;
use crate::support::Answer;

fn app() -> App {
    let server = Server::new("weather", "1.0.0").routes(Router::new().route(
        "/peer",
        get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string()),
    ));
    App::new(Config::default(), server).unwrap()
}

#[tokio::test]
async fn it_takes_any_body_and_the_request_info_of_the_extensions() {
    let mut request = Request::get("/whoami-of-rest")
        .body(Full::from("any body"))
        .unwrap();
    *request.uri_mut() = "/api/whoami".parse().unwrap();
    request
        .headers_mut()
        .insert("x-key", "secret".parse().unwrap());
    let mut info = RequestInfo::default();
    (info.id, info.principal) = (Some("of-the-transport".to_owned()), Some("grace".into()));
    request.extensions_mut().insert(info);
    let app = App::new(Config::default(), guarded::server()).unwrap();
    let answer = Answer::read(app.oneshot(request).await.unwrap()).await;
    // What the transport has checked stays, whatever a layer says later.
    assert_eq!(answer.text(), r#"{"principal":"grace"}"#);
    assert_eq!(answer.header("x-request-id"), "of-the-transport");
}

#[tokio::test]
async fn it_is_the_fallback_of_a_router() {
    let router: Router = Router::new()
        .route("/outer", get(async || "outer"))
        .fallback_service(app());
    for (path, said) in [("/outer", "outer"), ("/health", "weather")] {
        let request = Request::get(path).body(axum::body::Body::empty()).unwrap();
        let answer = Answer::read(router.clone().oneshot(request).await.unwrap()).await;
        assert!(answer.text().contains(said), "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn axum_serves_it_and_tells_the_peer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = ServiceExt::<axum::extract::Request>::into_make_service_with_connect_info::<
        SocketAddr,
    >(app());
    let serving = tokio::spawn(axum::serve(listener, service).into_future());
    let mut socket = TcpStream::connect(address).await.unwrap();
    let own = socket.local_addr().unwrap();
    let request = format!("GET /peer HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with(&own.to_string()), "{answer}");
    serving.abort();
}
