//! The binary with mounted servers: how the file is read again, and what is left when either side ends.

use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{BufReader, Lines};
use tokio::process::{Child, ChildStderr};

use super::binary;
use super::serve::{Local, ask, until};
use crate::mounts::liar::{Era, Liar, Style};
use crate::mounts::modern::notes;
use crate::mounts::stdio::{Folder, is_running, liar_entry, pids, says};
use crate::support::on_socket;

/// How often something is looked at before a test gives up. The time between has no influence on a result.
const TRIES: usize = 10_000;

async fn eventually(what: &str, happened: impl AsyncFn() -> bool) {
    for _ in 0..TRIES {
        if happened().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("{what} has not happened");
}

/// A server that reads its mounted servers from a file.
struct Gateway {
    process: Child,
    address: String,
    log: Option<Lines<BufReader<ChildStderr>>>,
    folder: Folder,
}

impl Gateway {
    async fn start(servers: &Value) -> Gateway {
        let folder = Folder::new("gateway");
        let file = folder.path("mcp.json");
        write(&file, servers);
        let Local {
            process,
            log,
            address,
        } = Local::start(&[("BIFOLD_MCP_SERVERS", &file)], &["--replay"]).await;
        Gateway {
            process,
            address,
            log: Some(log),
            folder,
        }
    }

    /// Reads the log, which would fill its pipe.
    fn ignore_log(&mut self) {
        let mut log = self.log.take().unwrap();
        tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
    }

    fn signal(&self, signal: Signal) {
        let id = self.process.id().unwrap().cast_signed();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    fn write(&self, servers: &Value) {
        write(&self.folder.path("mcp.json"), servers);
    }

    fn reload(&self, servers: &Value) {
        self.write(servers);
        self.signal(Signal::HUP);
    }

    async fn get(&self, path: &str) -> Value {
        let (_, body) = ask(&self.address, "GET", path, &self.address, "").await;
        serde_json::from_str(&body).unwrap()
    }

    async fn post(&self, path: &str) -> (u16, String) {
        ask(&self.address, "POST", path, &self.address, "{}").await
    }

    /// The states of the mounts, as `/health` tells them.
    async fn states(&self) -> Value {
        self.get("/health").await["mounts"].take()
    }

    /// All that `GET /mounts` tells of one.
    async fn state(&self, name: &str) -> Value {
        let all = self.get("/mounts").await;
        let mut all = all["mounts"].as_array().unwrap().iter();
        all.find(|it| it["name"] == name).unwrap().clone()
    }

    async fn are(&self, states: Value) {
        eventually(&states.to_string(), async || self.states().await == states).await;
    }

    /// How many descriptors and how many children the process has.
    fn holds(&self) -> (usize, usize) {
        let id = self.process.id().unwrap();
        let descriptors = std::fs::read_dir(format!("/proc/{id}/fd")).unwrap();
        let tasks = std::fs::read_dir(format!("/proc/{id}/task")).unwrap();
        let children = tasks.map(|it| {
            let children = it.unwrap().path().join("children");
            let children = std::fs::read_to_string(children).unwrap_or_default();
            children.split_whitespace().count()
        });
        (descriptors.count(), children.sum())
    }
}

fn write(file: &str, servers: &Value) {
    // In one step, so that it is never read half written.
    let new = format!("{file}.new");
    std::fs::write(&new, json!({ "mcpServers": servers }).to_string()).unwrap();
    std::fs::rename(new, file).unwrap();
}

async fn honest() -> Value {
    let app = bifold::App::new(bifold::Config::default(), notes()).unwrap();
    let (address, _) = on_socket(&app).await;
    json!({ "url": format!("http://{address}/mcp") })
}

#[tokio::test]
async fn at_sighup_what_is_new_is_opened_what_is_gone_ends_after_its_calls_and_the_rest_stays() {
    let (keep, gone, new) = (Folder::new("keep"), Folder::new("gone"), Folder::new("new"));
    let answers = vec![("wait", says("waited")), ("fine", says("fine"))];
    let entry = |folder| liar_entry(folder, Era::Modern, &answers);
    let (keep_entry, gone_entry, new_entry) = (entry(&keep), entry(&gone), entry(&new));
    let mut gateway = Gateway::start(&json!({ "keep": keep_entry, "gone": gone_entry })).await;
    gateway.are(json!({ "keep": "up", "gone": "up" })).await;
    let before = gateway.state("keep").await;
    let in_flight = gateway.post("/api/gone/wait");
    let changing = async {
        eventually("the call", async || {
            Path::new(&gone.path("waiting")).exists()
        })
        .await;
        gateway.reload(&json!({ "keep": keep_entry, "new": new_entry }));
        gateway.are(json!({ "keep": "up", "new": "up" })).await;
        assert_eq!(gateway.post("/api/gone/fine").await.0, 404);
        assert_eq!(gateway.post("/api/new/fine").await.0, 200);
        assert!(is_running(pids(&gone.path("pids"))[0]));
        std::fs::write(gone.path("go"), "").unwrap();
    };
    let ((status, body), ()) = tokio::join!(in_flight, changing);
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("waited"), "{body}");
    let ended = pids(&gone.path("pids"));
    eventually("the end of the process", async || !is_running(ended[0])).await;
    assert_eq!(gateway.state("keep").await, before, "it was left alone");
    assert_eq!(pids(&keep.path("pids")).len(), 1);

    // A mistake changes nothing, and the log says where it is.
    gateway.reload(&json!({ "keep": keep_entry, "new": { "command": "sh", "speed": 1 } }));
    let line = until(gateway.log.as_mut().unwrap(), "stay as they were").await;
    assert!(line.contains("mcp.json"), "{line}");
    assert!(line.contains("mcpServers.new.speed"), "{line}");
    assert_eq!(gateway.states().await, json!({ "keep": "up", "new": "up" }));
    assert_eq!(gateway.post("/api/new/fine").await.0, 200);

    // Without a signal the file is looked at every two seconds.
    gateway.ignore_log();
    gateway.write(&json!({ "keep": keep_entry }));
    gateway.are(json!({ "keep": "up" })).await;
    gateway.signal(Signal::TERM);
    let status = gateway.process.wait().await.unwrap();
    assert!(status.success(), "{status}");
    for folder in [&keep, &gone, &new] {
        assert!(pids(&folder.path("pids")).iter().all(|it| !is_running(*it)));
    }
}

#[tokio::test]
async fn a_thousand_reloads_leave_no_descriptor_and_no_child_behind() {
    let folder = Folder::new("reloads");
    let answers = vec![("fine", says("fine"))];
    let child = liar_entry(&folder, Era::Modern, &answers);
    let liar = Liar {
        era: Era::Legacy,
        style: Style::Events,
        answers: vec![("fine", says("fine"))],
    };
    let url = format!("http://{}/mcp", liar.on_socket().await);
    let stays = json!({ "stays": honest().await });
    let mut gateway = Gateway::start(&stays).await;
    gateway.ignore_log();
    gateway.are(json!({ "stays": "up" })).await;
    let before = gateway.holds();
    assert_eq!(before.1, 0);
    for round in 0..1_000 {
        let (child_name, http_name) = (format!("c{round}"), format!("h{round}"));
        let mut servers = stays.clone();
        servers[&child_name] = child.clone();
        servers[&http_name] = json!({ "url": url });
        gateway.reload(&servers);
        // Most are closed while they are still being opened.
        let wants_up = round % 50 == 0;
        let name = child_name.as_str();
        eventually(name, async || {
            let states = gateway.states().await;
            let state = &states[name];
            if wants_up {
                state == "up" && states[&http_name] == "up"
            } else {
                state.is_string()
            }
        })
        .await;
        if wants_up {
            assert_eq!(
                gateway.post(&format!("/api/{child_name}/fine")).await.0,
                200
            );
            assert_eq!(gateway.post(&format!("/api/{http_name}/fine")).await.0, 200);
        }
    }
    gateway.reload(&stays);
    gateway.are(json!({ "stays": "up" })).await;
    eventually("the end of all", async || gateway.holds().1 == 0).await;
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let (_, list) = ask(&gateway.address, "POST", "/mcp", &gateway.address, list).await;
    assert!(list.contains("stays_add") && !list.contains("bifold/absent"));
    assert!(pids(&folder.path("pids")).len() >= 20);
    assert!(pids(&folder.path("pids")).iter().all(|it| !is_running(*it)));
    // Connections of `GET /health` and of servers that are gone close a moment later.
    eventually("the end of the descriptors", async || {
        gateway.holds() <= before
    })
    .await;
}

#[tokio::test]
async fn a_child_process_ends_when_this_one_is_killed() {
    let folder = Folder::new("killed");
    let answers = vec![("fine", says("fine"))];
    let entry = liar_entry(&folder, Era::Modern, &answers);
    let mut gateway = Gateway::start(&json!({ "child": entry })).await;
    gateway.are(json!({ "child": "up" })).await;
    let child = pids(&folder.path("pids"))[0];
    gateway.signal(Signal::KILL);
    gateway.process.wait().await.unwrap();
    // Its input ends, which a server on standard input takes for its own end.
    eventually("the end of the child", async || !is_running(child)).await;
}

/// Runs `bifold mount check`: the exit status, standard output, and standard error.
async fn check(file: &str) -> (i32, String, String) {
    let command = binary().args(["mount", "check", file]).output().await;
    let output = command.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    (code, text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn a_check_prints_what_each_server_of_a_file_offers_and_what_would_be_refused() {
    let folder = Folder::new("check");
    let file = folder.path("mcp.json");
    let long: &'static str = "x".repeat(300).leak();
    let answers = vec![("fine", says("fine")), (long, Vec::new())];
    let child = liar_entry(&folder, Era::Legacy, &answers);
    write(&file, &json!({ "web": honest().await, "child": child }));
    let (code, table, log) = check(&file).await;
    assert_eq!(code, 0, "{table}{log}");
    let rows: Vec<Vec<&str>> = table
        .lines()
        .map(|it| it.split_whitespace().collect())
        .collect();
    let head = [
        "server",
        "state",
        "by",
        "revision",
        "tools",
        "resources",
        "prompts",
    ];
    assert_eq!(rows[0], head);
    for row in [
        ["web", "up", "http", "2026-07-28", "5", "2", "1"],
        ["child", "up", "stdio", "2025-06-18", "1", "0", "0"],
    ] {
        assert!(rows.iter().any(|it| *it == row), "{table}");
    }
    let refused = table.lines().last().unwrap();
    assert!(refused.starts_with("child: tool `xxx"), "{refused}");
    assert!(refused.contains("clients take 64 at the most"), "{refused}");
    assert!(pids(&folder.path("pids")).iter().all(|it| !is_running(*it)));

    // One that does not answer is named with the reason, and the others are shown.
    let (refusing, _socket) = crate::support::refusing();
    let gone = json!({ "url": format!("{refusing}/mcp") });
    let crashing = json!({ "command": "sh", "args": ["-c", "exit 7"] });
    write(
        &file,
        &json!({ "gone": gone, "crashing": crashing, "web": honest().await }),
    );
    let (code, table, _) = check(&file).await;
    assert_eq!(code, 1, "{table}");
    assert!(
        table.contains("gone: upstream `gone` could not be reached"),
        "{table}"
    );
    assert!(
        table.contains("crashing: it ended with exit status: 7"),
        "{table}"
    );
    let states = ["crashing down", "gone down", "web up"];
    for state in states {
        let is_row = |it: &str| it.split_whitespace().take(2).eq(state.split(' '));
        assert!(table.lines().any(is_row), "{state}: {table}");
    }
}

#[tokio::test]
async fn a_check_of_a_broken_file_says_what_is_wrong_and_where() {
    let folder = Folder::new("broken");
    let file = folder.path("mcp.json");
    for (text, place) in [
        (
            r#"{"mcpServers": {"a": {"command": "x", "speed": 1}}}"#,
            "`mcpServers.a.speed`: unknown field `speed`",
        ),
        (
            r#"{"mcpServers": {"a": {"command": "x"}, "a": {"command": "y"}}}"#,
            "`a` is there twice at line 1 column",
        ),
        (
            r#"{"mcpServers": {"a": {"command": "${NOT_SET}"}}}"#,
            "`mcpServers.a.command`: the variable `NOT_SET` is not set",
        ),
        (
            r#"{"mcpServers": {"a b": {"command": "x"}}}"#,
            "mounted server `a b`: its name must have",
        ),
        ("[1", "line 1"),
    ] {
        std::fs::write(&file, text).unwrap();
        let (code, table, error) = check(&file).await;
        assert_eq!((code, &*table), (1, ""), "{text}");
        assert!(error.contains(place), "{text}: {error}");
    }
    let (code, _, error) = check(&folder.path("none.json")).await;
    assert_eq!(code, 1);
    assert!(error.contains("none.json`: No such file"), "{error}");
}
