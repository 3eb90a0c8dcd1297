//! The environment of the targets: the application, its sockets and its upstreams, all on loopback.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use bifold::provenance::replay::{MOVING, PLAIN, Replay, VESTING};
use bifold::{App, Config, RequestInfo, Secret, local};
use http::{Response, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::server::server;

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The environment of one input.
pub struct World {
    /// The application over recorded upstreams.
    pub app: App,
    /// Another application, whose upstreams answer with data from an input.
    pub misled: App,
    /// The bodies of the upstreams of `misled`.
    pub canned: Canned,
    /// For each function on REST its path, and the targets of its upstream requests.
    pub asked: Vec<(String, Vec<String>)>,
    /// The address of `app`.
    pub address: SocketAddr,
    replay: Replay,
}

/// The bodies of upstreams by target; clones share them.
#[derive(Clone, Default)]
pub struct Canned(Arc<Mutex<HashMap<String, Vec<u8>>>>);

impl Canned {
    /// The body of that target.
    pub fn get(&self, target: &str) -> Option<Vec<u8>> {
        let bodies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bodies.get(target).cloned()
    }

    /// Sets the body of that target; returns the one before.
    pub fn set(&self, target: &str, body: Vec<u8>) -> Option<Vec<u8>> {
        let mut bodies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bodies.insert(target.to_owned(), body)
    }
}

impl World {
    pub async fn start() -> Result<World, Failure> {
        let replay = Replay::start().await?;
        let mut config = config();
        replay.configure(&mut config);
        let gateway = serve(Router::new().fallback(accept)).await?;
        configure_gateway(&mut config, gateway);
        let app = App::new(config, server())?;
        let canned = Canned::default();
        let asked = record(&app, &replay, &canned).await?;
        let misled = App::new(misled(&canned, &replay).await?, server())?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(local::serve(app.clone(), listener, std::future::pending()));
        Ok(World {
            app,
            misled,
            canned,
            asked,
            address,
            replay,
        })
    }

    /// Clears recorded requests, which would otherwise accumulate.
    pub fn tidy(&self) {
        self.replay.forget();
    }
}

/// Short timeouts, and no cache that would make an input depend on the one before.
fn config() -> Config {
    let mut config = Config::default();
    config.upstream_tries = 1;
    config.upstream_breaker = 0;
    config.call_timeout = Duration::from_secs(4);
    config.input_timeout = Duration::from_millis(5);
    config.task_timeout = Duration::from_secs(1);
    config
}

/// API Gateway's callback endpoint of a WebSocket API, which accepts every message.
fn configure_gateway(config: &mut Config, gateway: SocketAddr) {
    config.ws_endpoint = Some(format!("http://{gateway}/ws"));
    config.aws.region = Some("eu-west-1".to_owned());
    config.aws.access_key_id = Some("AKIDEXAMPLE".to_owned());
    config.aws.secret_access_key = Some(Secret::new("example"));
}

async fn accept(_: Request) -> StatusCode {
    StatusCode::OK
}

/// Calls every function on REST, and records the bodies of its upstreams.
async fn record(
    app: &App,
    replay: &Replay,
    canned: &Canned,
) -> Result<Vec<(String, Vec<String>)>, Failure> {
    let mut all = Vec::new();
    for path in paths(app) {
        replay.forget();
        let request = Request::get(&path).body(Body::empty())?;
        app.serve(request, RequestInfo::default()).await;
        let targets = replay.seen();
        for target in &targets {
            let url = replay.url("");
            let host = url.trim_start_matches("http://").trim_end_matches('/');
            let head = format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n");
            canned.set(target, exchange(host, &head).await?);
        }
        if !targets.is_empty() {
            all.push((path, targets));
        }
    }
    Ok(all)
}

/// The paths of all functions on REST, each with valid arguments.
pub fn paths(app: &App) -> Vec<String> {
    let registry = app.registry();
    let paths = registry.tools().iter().flat_map(|it| it.paths());
    let wallets = [VESTING, PLAIN, MOVING];
    let paths = paths.flat_map(|path| {
        let path = path.replace("{token_pair}", "HASH-USD");
        wallets.map(|wallet| format!("/api{}", path.replace("{wallet_address}", wallet)))
    });
    let mut paths: Vec<String> = paths.collect();
    paths.dedup();
    paths
}

/// The settings of an application with `canned` upstreams.
async fn misled(canned: &Canned, replay: &Replay) -> Result<Config, Failure> {
    let shared = canned.clone();
    let answer = move |request: Request| {
        let target = request.uri().path_and_query().map_or("", |it| it.as_str());
        let body = shared.get(target);
        async move { canned_response(body) }
    };
    let address = serve(Router::new().fallback(answer)).await?;
    let mut config = config();
    replay.configure(&mut config);
    for (name, url) in &mut config.upstream_urls {
        *url = format!("http://{address}/{name}");
    }
    config.cache_bytes = 0;
    Ok(config)
}

fn canned_response(body: Option<Vec<u8>>) -> Response<Body> {
    let response = Response::builder().header("content-type", "application/json");
    match body {
        Some(body) => response.body(body.into()),
        None => response.status(404).body(Body::empty()),
    }
    .expect("the parts are constants")
}

async fn serve(router: Router) -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(axum::serve(listener, router).into_future());
    Ok(address)
}

/// The body of the response to a GET; it must have a `content-length`.
async fn exchange(host: &str, head: &str) -> Result<Vec<u8>, Failure> {
    let mut socket = TcpStream::connect(host).await?;
    socket.write_all(head.as_bytes()).await?;
    socket.shutdown().await?;
    let mut all = Vec::new();
    socket.read_to_end(&mut all).await?;
    let end = all.windows(4).position(|it| it == b"\r\n\r\n");
    let end = end.ok_or("no head in the answer of a recorded upstream")?;
    Ok(all.split_off(end + 4))
}
