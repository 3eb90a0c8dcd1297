//! The commands of the documentation: each is run as it is written, except for blocks marked `sh manual`.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::page::pages;
use crate::process::alone;

/// The address of the server in the documentation.
const ADDRESS: &str = "127.0.0.1:8787";

/// One command, and its place.
struct Shown {
    place: String,
    text: String,
}

/// The kind of a command, which decides how it is tested.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// Sends a request to the server.
    Request,
    /// Starts a server.
    Serve,
    /// Prints something and ends.
    Print,
    /// Runs the tests, of which this is one.
    Test,
}

impl Shown {
    fn kind(&self) -> Kind {
        let words: Vec<&str> = self
            .text
            .split('#')
            .next()
            .unwrap()
            .split_whitespace()
            .collect();
        let command = words.iter().skip_while(|it| is_assignment(it));
        let command: Vec<&str> = command.copied().collect();
        match command.as_slice() {
            ["curl", ..] => Kind::Request,
            ["cargo", "test"] => Kind::Test,
            ["cargo", "run", "--", "serve" | "--replay", ..] => Kind::Serve,
            ["cargo", "run", "--", "list" | "call" | "openapi", ..] => Kind::Print,
            _ => panic!(
                "{}: `{}` is not known here: mark its block `sh manual`, or say here how it is run",
                self.place, self.text
            ),
        }
    }

    /// The command with the binary in place of cargo.
    fn command(&self) -> Command {
        let text = self.text.replace("cargo run --", "\"$BINARY\"");
        // The shell becomes the program, so that the end of one is the end of the other.
        let mut command = Command::new("sh");
        command.args(["-c", &format!("exec env {text}")]);
        let mut command = alone(command);
        command.env("BINARY", env!("CARGO_BIN_EXE_bifold"));
        command
    }
}

fn is_assignment(word: &str) -> bool {
    let name = word.split_once('=').map_or("", |it| it.0);
    !name.is_empty() && name.bytes().all(|it| it.is_ascii_uppercase() || it == b'_')
}

fn shown() -> Vec<Shown> {
    let mut all = Vec::new();
    for page in pages() {
        for block in page.blocks().into_iter().filter(|it| it.info == "sh") {
            let lines = block.text.lines().enumerate();
            all.extend(lines.map(|(number, line)| Shown {
                place: format!("{}:{}", page.path, block.line + number),
                text: line.to_owned(),
            }));
        }
    }
    all
}

fn shown_of(kind: Kind) -> Vec<Shown> {
    let found: Vec<Shown> = shown().into_iter().filter(|it| it.kind() == kind).collect();
    assert!(!found.is_empty(), "there is no command of {kind:?}");
    found
}

/// Starts a server and waits until it listens; its address is returned.
async fn started(command: &mut Command, place: &str) -> (Child, String) {
    let mut server = command.stdout(Stdio::null()).spawn().unwrap();
    let mut log = BufReader::new(server.stderr.take().unwrap()).lines();
    let mut seen = Vec::new();
    while let Some(line) = log.next_line().await.unwrap() {
        if let Some((_, address)) = line.split_once("listens on http://") {
            let address = address.to_owned();
            // Its further output must be read, because a full pipe would block it.
            tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
            return (server, address);
        }
        seen.push(line);
    }
    panic!("{place}: no server came: {seen:?}");
}

#[tokio::test]
async fn every_documented_request_succeeds() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bifold"));
    command.args(["serve", "--replay", "--listen", "127.0.0.1:0"]);
    let (_server, address) = started(&mut alone(command), "serve").await;
    for request in shown_of(Kind::Request) {
        assert!(request.text.contains(ADDRESS), "{}", request.place);
        let text = request.text.replace(ADDRESS, &address);
        let curl = "curl --silent --show-error --fail-with-body ";
        let request = Shown {
            text: text.replacen("curl ", curl, 1),
            ..request
        };
        let output = request.command().output().await.unwrap();
        let place = &request.place;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{place}: {said}");
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        let failed = answer.get("error").is_some() || answer["result"]["isError"] == true;
        assert!(!failed, "{place}: {answer}");
    }
}

#[tokio::test]
async fn every_documented_server_starts() {
    for shown in shown_of(Kind::Serve) {
        // Any free port, because the documented one may be in use.
        let text = match shown.text.split_once("--listen 127.0.0.1:") {
            Some((before, rest)) => {
                let rest = rest.trim_start_matches(|it: char| it.is_ascii_digit());
                format!("{before}--listen 127.0.0.1:0{rest}")
            }
            None => shown.text.clone(),
        };
        let free = Shown { text, ..shown };
        let mut command = free.command();
        command.env("BIFOLD_LISTEN", "127.0.0.1:0");
        let (mut server, _) = started(&mut command, &free.place).await;
        server.kill().await.unwrap();
    }
}

#[tokio::test]
async fn every_documented_command_succeeds() {
    for shown in shown_of(Kind::Print) {
        let output = shown.command().output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", shown.place);
        assert!(output.stdout.len() > 2, "{} prints nothing", shown.place);
    }
}
