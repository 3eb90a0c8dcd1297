//! The local server over a real socket: hosts, signals, and requests that are still running.

use std::process::Stdio;
use std::time::Duration;

use bifold::{App, Config, local, provenance};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::binary;

const STATISTICS: &str =
    include_str!("../../../src/provenance/replay/recorded/explorer_v3_utility_token_stats.json");

/// A running local server.
pub struct Local {
    pub process: Child,
    pub log: Lines<BufReader<ChildStderr>>,
    pub address: String,
}

impl Local {
    /// Starts it on a free port, which it logs.
    pub async fn start(settings: &[(&str, &str)], arguments: &[&str]) -> Local {
        let mut process = binary()
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let line = until(&mut log, "listens on").await;
        let (_, address) = line.split_once("http://").unwrap();
        let address = address.to_owned();
        Local {
            process,
            log,
            address,
        }
    }

    /// Sends a request with this `Host`, and returns status and body of the response.
    pub async fn ask(&self, method: &str, path: &str, host: &str, body: &str) -> (u16, String) {
        ask(&self.address, method, path, host, body).await
    }

    /// Sends SIGTERM.
    pub async fn terminate(&self) {
        let kill = format!("kill -TERM {}", self.process.id().unwrap());
        let sent = Command::new("sh").args(["-c", &kill]).status().await;
        assert!(sent.unwrap().success());
    }
}

/// Reads the log until a line that contains `text`.
pub async fn until(log: &mut Lines<BufReader<ChildStderr>>, text: &str) -> String {
    let mut seen = Vec::new();
    while let Some(line) = log.next_line().await.unwrap() {
        if line.contains(text) {
            return line;
        }
        seen.push(line);
    }
    panic!("the log ended without `{text}`: {seen:?}");
}

pub async fn ask(address: &str, method: &str, path: &str, host: &str, body: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

#[tokio::test]
async fn it_serves_both_protocols_over_a_real_socket() {
    let server = Local::start(&[], &["--replay"]).await;
    let host = &server.address;
    let (status, body) = server.ask("GET", "/health", host, "").await;
    let health: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &health["replay"]), (200, &json!(true)));
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let pong = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#.to_owned();
    assert_eq!(server.ask("POST", "/mcp", host, ping).await, (200, pong));
    let (status, body) = server
        .ask("GET", "/api/current_hash_statistics", host, "")
        .await;
    assert_eq!(status, 200, "{body}");
}

#[tokio::test]
async fn on_loopback_only_the_names_of_this_machine_are_accepted() {
    let server = Local::start(&[], &["--replay"]).await;
    let port = server.address.rsplit(':').next().unwrap();
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        for host in [host.to_owned(), format!("{host}:{port}")] {
            assert_eq!(
                server.ask("GET", "/health", &host, "").await.0,
                200,
                "{host}"
            );
        }
    }
    for host in [
        "evil.example",
        "evil.example:80",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
    ] {
        for path in ["/health", "/api/registry_summary"] {
            let (status, body) = server.ask("GET", path, host, "").await;
            assert_eq!(status, 403, "{host} {path}");
            assert!(body.contains("urn:bifold:problem:foreign_host"), "{body}");
        }
        let (status, body) = server.ask("POST", "/mcp", host, "{}").await;
        let refusal: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &refusal["error"]["code"]), (403, &json!(-32600)));
    }
}

#[tokio::test]
async fn serve_is_the_default_command() {
    let mut process = binary()
        .env("BIFOLD_LISTEN", "127.0.0.1:0")
        .env("BIFOLD_REPLAY", "true")
        .spawn()
        .unwrap();
    let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
    until(&mut log, "listens on").await;
    process.kill().await.unwrap();
}

#[tokio::test]
async fn a_termination_signal_lets_a_running_request_finish() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", upstream.local_addr().unwrap());
    let settings = [
        "BIFOLD_EXPLORER_URL",
        "BIFOLD_LCD_URL",
        "BIFOLD_EXCHANGE_URL",
    ];
    let settings = settings.map(|name| (name, url.as_str()));
    let mut server = Local::start(&settings, &[]).await;
    let address = server.address.clone();
    let path = "/api/current_hash_statistics";
    let running = tokio::spawn(async move { ask(&address, "GET", path, "localhost", "").await });

    // The request runs until the upstream, which is this test, has answered.
    let (mut asked, _) = upstream.accept().await.unwrap();
    let mut lines = BufReader::new(&mut asked).lines();
    let first = lines.next_line().await.unwrap().unwrap();
    assert!(
        first.starts_with("GET /api/v3/utility_token/stats"),
        "{first}"
    );
    while !lines.next_line().await.unwrap().unwrap().is_empty() {}
    server.terminate().await;
    until(&mut server.log, "stopping").await;
    assert!(
        server.process.try_wait().unwrap().is_none(),
        "it ended too soon"
    );
    let length = STATISTICS.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    asked
        .write_all((head + STATISTICS).as_bytes())
        .await
        .unwrap();

    let (status, body) = running.await.unwrap();
    assert_eq!(status, 200, "{body}");
    assert!(server.process.wait().await.unwrap().success());
}

#[tokio::test]
async fn without_a_running_request_a_signal_ends_the_server_at_once() {
    let mut server = Local::start(&[], &["--replay"]).await;
    // An idle connection must not delay it.
    let _idle = TcpStream::connect(&server.address).await.unwrap();
    server.terminate().await;
    assert!(server.process.wait().await.unwrap().success());
}

/// Time is paused, so that the timeouts of the server take no real time.
#[tokio::test(start_paused = true)]
async fn a_head_that_never_ends_times_out() {
    let app = App::new(Config::default(), provenance::server()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(local::serve(app, listener, std::future::pending()));
    for head in ["", "GET /health HTTP/1.1\r\nhost: local"] {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        let since = Instant::now();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.unwrap();
        let waited = since.elapsed();
        assert!((9_990..=10_010).contains(&waited.as_millis()), "{waited:?}");
    }
    serving.abort();
}

/// Time is paused, so that the timeouts of the server take no real time.
#[tokio::test(start_paused = true)]
async fn a_request_that_never_ends_times_out() {
    let mut config = Config::default();
    config.call_timeout = Duration::from_secs(5);
    let app = App::new(config, provenance::server()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut socket = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(local::serve(app, listener, async { drop(stopped.await) }));
    // The body never arrives; the interim response shows that the server waits for it.
    let head = "POST /mcp HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n";
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut interim = [0; 12];
    socket.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100");

    let since = Instant::now();
    stop.send(()).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(60), serving).await;
    ended.unwrap().unwrap().unwrap();
    let waited = since.elapsed();
    // The request ends at the call timeout, before the timeout of the server.
    assert!((5_000..5_010).contains(&waited.as_millis()), "{waited:?}");
}
