//! Who may call a running server: the keys that the binary makes, and what an open server says at its start.

use std::process::Stdio;

use http::StatusCode;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStderr, Command};

use super::binary;
use super::platform::Platform;
use super::serve::until;
use crate::lambda::event;

/// What `key new` prints: the key and its line.
async fn new_key(arguments: &[&str]) -> (String, String) {
    let made = binary().args(["key", "new"]).args(arguments).output();
    let made = made.await.unwrap();
    assert!(made.status.success());
    let printed = String::from_utf8(made.stdout).unwrap();
    let after = |title: &str| {
        let (_, rest) = printed.split_once(title).unwrap();
        rest.lines().nth(1).unwrap().to_owned()
    };
    (after("The key, which is"), after("The line for"))
}

/// Starts the server on a free port.
async fn start(
    settings: &[(&str, &str)],
    listen: &str,
) -> (Child, Lines<BufReader<ChildStderr>>, String) {
    let mut command = binary();
    command.args(["serve", "--replay", "--listen", listen]);
    command.envs(settings.iter().copied()).stdout(Stdio::null());
    let mut process = command.spawn().unwrap();
    let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
    let line = until(&mut log, "listens on").await;
    let url = line.split_once("listens on ").unwrap().1.to_owned();
    (process, log, url)
}

#[tokio::test]
async fn the_printed_line_opens_the_server_for_the_printed_key_alone() {
    let arguments = [
        "ci",
        "--scopes",
        "a:read,a:write",
        "--expires",
        "2999-01-01T00:00:00Z",
    ];
    let (key, line) = new_key(&arguments).await;
    assert!(key.starts_with("bfk_") && key.len() == 47, "{key}");
    assert!(!line.contains(&key), "the line has the hash only");
    let (other, _) = new_key(&["ci"]).await;
    assert_ne!(key, other);

    let settings = [
        ("BIFOLD_API_KEYS", &*line),
        ("BIFOLD_AUTH_SCOPES", "a:write"),
    ];
    let (mut server, mut log, url) = start(&settings, "127.0.0.1:0").await;
    let client = crate::rmcp::plain();
    let status = async |header: &str, value: &str| {
        let request = client.get(format!("{url}/api/registry_summary"));
        request.header(header, value).send().await.unwrap().status()
    };
    for (header, value, expected) in [
        ("x-api-key", key.clone(), StatusCode::OK),
        ("authorization", format!("Bearer {key}"), StatusCode::OK),
        ("x-api-key", other, StatusCode::UNAUTHORIZED),
        ("x-other", key.clone(), StatusCode::UNAUTHORIZED),
    ] {
        assert_eq!(status(header, &value).await, expected, "{header}");
    }
    let said = until(&mut log, "api_key=\"ci\"").await;
    assert!(!said.contains(&key), "{said}");
    server.kill().await.unwrap();
}

#[tokio::test]
async fn an_open_server_says_so_once_and_warns_beyond_this_machine() {
    let line = format!("ci {}", "0".repeat(64));
    let closed = [("BIFOLD_API_KEYS", &*line)];
    for (settings, listen, level) in [
        (&[][..], "127.0.0.1:0", Some("INFO")),
        (&[], "[::1]:0", Some("INFO")),
        (&[], "0.0.0.0:0", Some("WARN")),
        (&closed, "127.0.0.1:0", None),
        (&closed, "0.0.0.0:0", None),
    ] {
        let (mut server, log, _) = start(settings, listen).await;
        let kill = format!("kill -TERM {}", server.id().unwrap());
        let sent = Command::new("sh").args(["-c", &kill]).status().await;
        assert!(sent.unwrap().success());
        let mut rest = String::new();
        log.into_inner().read_to_string(&mut rest).await.unwrap();
        assert!(server.wait().await.unwrap().success());
        let lines = rest
            .lines()
            .filter(|it| it.contains("everybody who reaches this server"));
        let lines: Vec<&str> = lines.collect();
        assert_eq!(
            lines.len(),
            usize::from(level.is_some()),
            "{listen}: {rest}"
        );
        let is_told = lines
            .iter()
            .all(|it| it.contains(level.unwrap_or_default()));
        assert!(is_told, "{listen}: {rest}");
    }
}

/// The issuer, Secrets Manager and the table are one socket, on which nobody may call before a request needs it.
#[tokio::test]
async fn on_lambda_nothing_is_asked_before_a_request_with_credentials() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:keys-AbCdEf";
    let settings = [
        ("BIFOLD_AUTH_ISSUER", &*url),
        ("BIFOLD_PUBLIC_URL", "https://notes.example"),
        ("BIFOLD_API_KEYS", secret),
        ("BIFOLD_RATE_LIMIT", "100/m"),
        ("BIFOLD_RATE_LIMIT_SHARED", "true"),
        ("BIFOLD_TABLE", "table"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_ENDPOINT_URL", &*url),
    ];
    let mut platform = Platform::start(&settings).await;
    let outcome = platform.invoke(&event("function_url_mcp")).await;
    assert_eq!(outcome.body["statusCode"], 401, "{outcome:?}");
    let called = futures_util::FutureExt::now_or_never(listener.accept());
    assert!(called.is_none(), "something was asked without need");
    // A key makes it ask; that it gets no answer is a typed failure, and opens nothing.
    let mut with_key = event("function_url_mcp");
    with_key["headers"]["x-api-key"] = "bfk_x".into();
    let hanging_up = async {
        loop {
            drop(listener.accept().await);
        }
    };
    tokio::select! {
        () = hanging_up => {}
        outcome = platform.invoke(&with_key) => {
            assert_eq!(outcome.body["statusCode"], 503, "{outcome:?}");
        }
    }
}

#[tokio::test]
async fn a_key_that_no_line_can_hold_is_not_made() {
    for arguments in [
        &["a b"][..],
        &["a;b"],
        &["a", "--scopes", "x y"],
        &["a", "--expires", "soon"],
    ] {
        let refused = binary().args(["key", "new"]).args(arguments).output();
        let refused = refused.await.unwrap();
        assert!(!refused.status.success(), "{arguments:?}");
        assert_eq!(refused.stdout, b"", "{arguments:?}");
    }
}
