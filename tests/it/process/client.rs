//! `bifold client`: against servers of both eras, its output streams and its exit status.

mod login;
mod older;
mod peer;

use std::net::SocketAddr;
use std::process::Stdio;

use bifold::{
    Content, Context, Elicited, Error, JsonSchema, Level, Prompt, Resource, Result, Server, Tool,
    Topic, Update,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

use super::binary;
use crate::support::{TestApp, on_socket};

/// The revisions with which every behaviour is tested.
const REVISIONS: [&str; 3] = ["2026-07-28", "2025-11-25", "2024-11-05"];

/// Says hello.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Greet {
    /// Whom to greet.
    name: String,
    /// How often.
    times: Option<u32>,
}

#[derive(Serialize, JsonSchema)]
struct Greeting {
    text: String,
}

async fn greet(_: Context, Greet { name, times }: Greet) -> Result<Greeting> {
    let text = vec![format!("Hello, {name}!"); times.unwrap_or(1) as usize].join(" ");
    match name.as_str() {
        "nobody" => Err(Error::failed("there is nobody to greet")),
        _ => Ok(Greeting { text }),
    }
}

/// Takes nothing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// What the user is asked.
#[derive(Deserialize, JsonSchema)]
struct Order {
    /// What to drink.
    drink: String,
    /// How many.
    #[schemars(range(min = 1, max = 3))]
    cups: u32,
}

async fn order(cx: Context, Nothing {}: Nothing) -> Result<Content> {
    let asked = cx.elicit::<Order>("order", "What would you like?").await?;
    Ok(Content::text(match asked {
        Elicited::Accepted(Order { drink, cups }) => format!("{cups} x {drink}"),
        Elicited::Declined => "nothing, thanks".to_owned(),
        Elicited::Cancelled => "no answer".to_owned(),
    }))
}

async fn visit(cx: Context, Nothing {}: Nothing) -> Result<Content> {
    let visited = cx
        .visit("page", "Please sign in.", "https://example.com/in")
        .await?;
    Ok(Content::text(match visited {
        Elicited::Accepted(()) => "visited",
        _ => "not visited",
    }))
}

async fn work(cx: Context, Nothing {}: Nothing) -> Result<Content> {
    cx.progress(1.0, Some(4.0), "first\u{1b}[2J part");
    cx.log(Level::Warning, "slow today");
    Ok(Content::text("done"))
}

async fn change(cx: Context, Nothing {}: Nothing) -> Result<Content> {
    cx.announce(Update::Tools);
    Ok(Content::text("changed"))
}

async fn note(_: Context, Nothing {}: Nothing) -> Result<Content> {
    Ok(Content::text("the note"))
}

/// Asks for a text.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Topical {
    /// What it is about.
    topic: String,
}

async fn brief(_: Context, Topical { topic }: Topical) -> Result<Content> {
    Ok(Content::text(format!("Write about {topic}.")))
}

async fn server() -> (SocketAddr, TestApp) {
    let server = Server::new("cafe", "1.0.0")
        .announces(&[Topic::Tools])
        .tools(vec![
            Tool::new("greet", greet),
            Tool::new("order", order).describe("Orders a drink."),
            Tool::new("visit", visit).describe("Shows a page."),
            Tool::new("work", work).describe("Works for a while."),
            Tool::new("change", change).describe("Changes the tools."),
        ])
        .resources(vec![Resource::new(
            "note://one",
            "text/plain",
            Tool::new("one", note).describe("A note."),
        )])
        .prompts(vec![Prompt::new(Tool::new("brief", brief))]);
    let app = TestApp::serving(server).await;
    let (address, _serving) = on_socket(&app.app).await;
    (address, app)
}

/// What a finished client has printed.
struct Done {
    status: i32,
    stdout: String,
    stderr: String,
}

impl Done {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("{self}"))
    }
}

impl std::fmt::Display for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Done {
            status,
            stdout,
            stderr,
        } = self;
        write!(f, "exit status {status}\n{stdout}\n{stderr}")
    }
}

fn client(address: impl std::fmt::Display, arguments: &[&str]) -> Command {
    let mut command = binary();
    command
        .args(["client", &format!("http://{address}/mcp")])
        .args(arguments);
    command
}

/// Runs the client, with these lines on its standard input.
async fn run(address: impl std::fmt::Display, arguments: &[&str], input: &str) -> Done {
    let mut running = client(address, arguments)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = running.stdin.take().unwrap();
    // A client that asks nothing does not read it.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = running.wait_with_output().await.unwrap();
    Done {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_lists_calls_reads_and_fills_in_with_servers_of_every_revision() {
    let (address, _app) = server().await;
    for revision in REVISIONS {
        let ask = async |arguments: &[&str]| {
            let done = run(
                address,
                &[arguments, &["--protocol", revision]].concat(),
                "",
            )
            .await;
            assert_eq!(
                (done.status, done.stderr.as_str()),
                (0, ""),
                "{revision} {done}"
            );
            assert_eq!(
                done.stdout.lines().count(),
                1,
                "one line where no terminal is: {done}"
            );
            done.json()
        };
        let all = ask(&["list"]).await;
        assert_eq!(all["protocolVersion"], revision);
        assert_eq!(all["server"]["name"], "cafe");
        let names = |field: &str| -> Vec<Value> {
            let entries = all[field].as_array().into_iter().flatten();
            entries.map(|it| it["name"].clone()).collect()
        };
        assert_eq!(
            names("tools"),
            ["greet", "order", "visit", "work", "change"]
        );
        assert_eq!(
            (names("resources"), names("prompts")),
            (vec!["one".into()], vec!["brief".into()])
        );
        assert_eq!(ask(&["list", "prompts"]).await[0]["name"], "brief");

        let called = ask(&["call", "greet", "name=7", "times=2"]).await;
        assert_eq!(
            called["content"][0]["text"],
            r#"{"text":"Hello, 7! Hello, 7!"}"#
        );
        let called = ask(&["call", "greet", "--json", r#"{"name":"Ada"}"#]).await;
        assert_eq!(called["content"][0]["text"], r#"{"text":"Hello, Ada!"}"#);
        let read = ask(&["read", "note://one"]).await;
        assert_eq!(read["contents"][0]["text"], "the note");
        let filled = ask(&["prompt", "brief", "topic=1"]).await;
        assert_eq!(filled["messages"][0]["content"]["text"], "Write about 1.");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_revision_it_speaks_the_newest_one_that_the_server_knows() {
    let (address, _app) = server().await;
    let done = run(address, &["list"], "").await;
    assert_eq!(done.json()["protocolVersion"], "2026-07-28", "{done}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_status_says_who_failed() {
    let (address, _app) = server().await;
    for (arguments, status, problem) in [
        (&["call", "greet", "name=nobody"][..], 1, ""),
        (&["call", "greet"], 1, ""),
        (&["read", "note://two"], 1, "note://two"),
        (&["prompt", "none"], 1, "none"),
        (&["call", "gret", "name=Ada"], 2, "did you mean `greet`?"),
        (
            &["call", "greet", "times=many"],
            2,
            "`times`: expected integer",
        ),
        (&["call", "greet", "nam=Ada"], 2, "did you mean `name`?"),
        (&["call", "greet", "--json", "[]"], 2, "one JSON object"),
        (
            &["list", "--protocol", "2023-01-01"],
            2,
            "expected 2026-07-28",
        ),
        (&["list", "--header", "nothing"], 2, "NAME: VALUE"),
    ] {
        let done = run(address, arguments, "").await;
        assert_eq!(done.status, status, "{arguments:?} {done}");
        assert!(done.stderr.contains(problem), "{arguments:?} {done}");
    }
    let done = run(address, &["call", "greet", "name=nobody"], "").await;
    assert_eq!(
        done.json()["isError"],
        true,
        "a tool's failure is its result: {done}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_asked_until_its_answer_fits() {
    let (address, _app) = server().await;
    for revision in ["2026-07-28", "2025-11-25"] {
        for (input, expected) in [
            ("\nfour\n9\n2\n\ntea\n", "2 x tea"),
            ("2\n\n/decline\n", "nothing, thanks"),
            ("", "no answer"),
        ] {
            let done = run(address, &["call", "order", "--protocol", revision], input).await;
            assert_eq!(
                done.json()["content"][0]["text"],
                expected,
                "{revision} {done}"
            );
            assert!(done.stderr.contains("What would you like?"), "{done}");
            assert!(
                done.stderr.contains("cups - How many. (integer):"),
                "{done}"
            );
        }
        let page = run(address, &["call", "visit", "--protocol", revision], "\n").await;
        assert_eq!(page.json()["content"][0]["text"], "visited", "{page}");
        assert!(page.stderr.contains("https://example.com/in"), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_and_log_messages_go_to_standard_error_without_control_characters() {
    let (address, _app) = server().await;
    for revision in ["2026-07-28", "2025-11-25"] {
        let arguments = [
            "call",
            "work",
            "--log-level",
            "info",
            "--protocol",
            revision,
        ];
        let done = run(address, &arguments, "").await;
        assert_eq!(done.json()["content"][0]["text"], "done");
        assert_eq!(
            done.stderr, "progress 1/4 first [2J part\nwarning: slow today\n",
            "{revision}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn listen_prints_each_change_until_a_signal_ends_it() {
    let (address, _app) = server().await;
    let mut listening = client(address, &["listen"]).spawn().unwrap();
    let mut lines = BufReader::new(listening.stdout.take().unwrap()).lines();
    let mut next = async || -> Value {
        serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap()
    };
    let first = next().await;
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(
        first["params"]["notifications"],
        json!({"toolsListChanged": true})
    );
    assert_eq!(run(address, &["call", "change"], "").await.status, 0);
    assert_eq!(next().await["method"], "notifications/tools/list_changed");
    let kill = format!("kill -INT {}", listening.id().unwrap());
    assert!(
        Command::new("sh")
            .args(["-c", &kill])
            .status()
            .await
            .unwrap()
            .success()
    );
    assert_eq!(listening.wait().await.unwrap().code(), Some(0));
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_or_speaks_no_mcp_is_named() {
    let (url, _socket) = crate::support::refusing();
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let done = run(address, &["list"], "").await;
    assert_eq!((done.status, done.stdout.as_str()), (1, ""), "{done}");
    assert!(done.stderr.contains("could not be reached"), "{done}");
    for url in [
        "ftp://example.com",
        "example",
        "http://user:secret@example.com/mcp",
    ] {
        let output = binary()
            .args(["client", url, "list"])
            .output()
            .await
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{url} {stderr}");
        assert!(!stderr.contains("secret"), "{stderr}");
    }
}
