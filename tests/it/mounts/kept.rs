//! The lists of mounted servers on Lambda: kept for the next process, offered without a connection, renewed after an answer.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use bifold::{App, Config, Mount, RequestInfo, Server, lambda};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::legacy::Legacy;
use super::{status, until};
use crate::store::table::{Fate, Table};
use crate::support::TestApp;
use crate::websocket::gateway::{Gateway, message};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(30);

/// A mounted server, and where the lists of its mount are kept. The mount has a name that no other test has.
struct Mounted {
    legacy: Legacy,
    name: String,
    url: String,
    table: Option<Table>,
    stale: Duration,
    serving: JoinHandle<()>,
}

impl Mounted {
    async fn new(names: &[&str], table: Option<Table>) -> Mounted {
        let legacy = Legacy::with_tools(names);
        let (address, serving) = legacy.on_socket().await;
        Mounted {
            legacy,
            name: format!("k{:x}", fastrand::u64(..)),
            url: format!("http://{address}/mcp"),
            table,
            stale: Duration::from_secs(3_600),
            serving,
        }
    }

    /// Another process of the same function.
    async fn process(&self) -> TestApp {
        self.process_of(Mount::http(&self.name, &self.url)).await
    }

    async fn process_of(&self, mount: Mount) -> TestApp {
        let mut config = self
            .table
            .as_ref()
            .map_or_else(Config::default, Table::settings);
        config.function = Some("gateway".to_owned());
        config.mount_stale = self.stale;
        let server = Server::new("gateway", "1").mount(mount);
        TestApp::of(App::new(config, server).unwrap()).await
    }

    /// One process that reads the lists and keeps them.
    async fn keep(&self) {
        let first = self.process().await;
        listed(&first).await;
        first.app.flush(LONG).await;
    }

    /// How many messages the server got.
    fn asked(&self) -> usize {
        self.legacy.asked()
    }

    /// The names of tools, as they are offered.
    fn named(&self, names: &[&str]) -> Vec<String> {
        let named = names.iter().map(|it| format!("{}_{it}", self.name));
        named.collect()
    }

    /// The files in which the lists are kept.
    fn files(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(std::env::temp_dir()).unwrap();
        let paths = files.map(|it| it.unwrap().path());
        paths
            .filter(|it| it.to_str().is_some_and(|it| it.contains(&self.name)))
            .collect()
    }

    /// The only record of the table.
    async fn record(&self) -> (String, bifold::Record) {
        let table = self.table.as_ref().unwrap();
        let keys = table.keys();
        let key = keys.iter().find(|it| it.contains(&self.name)).unwrap();
        (key.clone(), table.store().get(key).await.unwrap().unwrap())
    }

    /// Changes the only record of the table.
    async fn change(&self, change: impl FnOnce(&mut Value)) {
        let (key, record) = self.record().await;
        let mut value = serde_json::from_str(&record.value).unwrap();
        change(&mut value);
        let store = self.table.as_ref().unwrap().store();
        let replaced = store.replace(&key, record.version, value.to_string(), LONG);
        assert!(replaced.await.unwrap());
    }
}

/// The names of the tools in the list, once the server has answered or its lists are known.
async fn listed(app: &TestApp) -> Vec<String> {
    until(app, |it| it[0]["state"] != "starting").await;
    super::tools(app).await
}

impl Drop for Mounted {
    fn drop(&mut self) {
        for file in self.files() {
            let _ = fs::remove_file(&file).or_else(|_| fs::remove_dir(&file));
        }
    }
}

#[tokio::test]
async fn the_next_process_lists_without_a_connection_and_a_call_connects() {
    for table in [None, Some(Table::start().await)] {
        let has_table = table.is_some();
        let mounted = Mounted::new(&["one", "two"], table).await;
        mounted.keep().await;
        assert_eq!(mounted.files().is_empty(), has_table);
        let asked = mounted.asked();

        let next = mounted.process().await;
        assert_eq!(listed(&next).await, mounted.named(&["one", "two"]));
        let known = status(&next).await;
        assert_eq!(
            (&known["state"], &known["tools"]),
            (&json!("kept"), &json!(2))
        );
        assert_eq!(known["revision"], "2025-06-18");
        let list = next.mcp("tools/list", json!({})).await.json();
        assert_eq!(list["result"]["_meta"].get("bifold/absent"), None);
        next.app.flush(LONG).await;
        assert_eq!(mounted.asked(), asked, "what is fresh is not read again");

        let probes = mounted.legacy.seen("server/discover").len();
        let result = next.tool(&mounted.named(&["one"])[0], json!({})).await;
        assert_eq!(result["content"][0]["text"], "called one");
        assert_eq!(status(&next).await["state"], "up");
        assert_eq!(
            mounted.legacy.seen("server/discover").len(),
            probes,
            "its era is known"
        );
        assert_eq!(mounted.legacy.seen("initialize").len(), 2);
    }
}

#[tokio::test]
async fn stale_lists_are_offered_and_read_again_after_the_answer() {
    let mut mounted = Mounted::new(&["one"], None).await;
    mounted.keep().await;
    mounted.stale = Duration::ZERO;
    mounted.legacy.set_tools(&["one", "two"]);
    let asked = mounted.asked();
    let next = mounted.process().await;
    assert_eq!(listed(&next).await, mounted.named(&["one"]));
    assert_eq!(mounted.asked(), asked);
    next.app.flush(Duration::from_millis(300)).await;
    assert_eq!(mounted.asked(), asked, "too little time is left");
    next.app.flush(LONG).await;
    assert_eq!(listed(&next).await, mounted.named(&["one", "two"]));
    assert_eq!(status(&next).await["state"], "up");

    mounted.stale = LONG;
    let asked = mounted.asked();
    let third = mounted.process().await;
    assert_eq!(listed(&third).await, mounted.named(&["one", "two"]));
    assert_eq!(mounted.asked(), asked);
}

#[tokio::test]
async fn what_another_process_has_read_meanwhile_is_taken_from_the_table() {
    let mounted = Mounted::new(&["one"], Some(Table::start().await)).await;
    mounted.keep().await;
    let read_at = serde_json::from_str::<Value>(&mounted.record().await.1.value).unwrap();
    let read_at = read_at["read_at"].as_u64().unwrap();
    mounted
        .change(|it| it["read_at"] = json!(read_at - 7_200_000))
        .await;
    let next = mounted.process().await;
    assert_eq!(listed(&next).await, mounted.named(&["one"]));
    let asked = mounted.asked();
    let change = |it: &mut Value| {
        it["read_at"] = json!(read_at);
        it["listed"]["tools"][0]["name"] = json!("three");
    };
    mounted.change(change).await;
    next.app.flush(LONG).await;
    assert_eq!(listed(&next).await, mounted.named(&["three"]));
    assert_eq!(mounted.asked(), asked);
}

#[tokio::test]
async fn a_time_that_is_still_to_come_makes_lists_stale() {
    let mounted = Mounted::new(&["one"], Some(Table::start().await)).await;
    mounted.keep().await;
    mounted
        .change(|it| it["read_at"] = json!(99_999_999_999_999_u64))
        .await;
    mounted.legacy.set_tools(&["two"]);
    let next = mounted.process().await;
    assert_eq!(listed(&next).await, mounted.named(&["one"]));
    next.app.flush(LONG).await;
    assert_eq!(listed(&next).await, mounted.named(&["two"]));
}

#[tokio::test]
async fn a_file_that_is_damaged_or_foreign_is_ignored() {
    let mounted = Mounted::new(&["one"], None).await;
    mounted.keep().await;
    let [file] = &mounted.files()[..] else {
        panic!("{:?}", mounted.files());
    };
    let good = fs::read_to_string(file).unwrap();
    let with = |key: &str, value: Value| {
        let mut kept: Value = serde_json::from_str(&good).unwrap();
        kept[key] = value;
        kept.to_string()
    };
    let cases = [
        String::new(),
        "{".to_owned(),
        good[..good.len() / 2].to_owned(),
        format!("{good}x"),
        with("form", json!(2)),
        with("key", json!("mount:other:0")),
        with("revision", json!("2031-01-01")),
        with("listed", json!("x")),
    ];
    for text in cases {
        fs::write(file, &text).unwrap();
        let asked = mounted.asked();
        let next = mounted.process().await;
        assert_eq!(listed(&next).await, mounted.named(&["one"]), "{text}");
        assert!(mounted.asked() > asked, "{text}");
        next.app.flush(LONG).await;
        let kept = fs::read_to_string(file).unwrap();
        assert!(kept.starts_with("{\"form\":1,"), "it is written again");
    }
    // A link could lead anywhere, and a folder cannot be replaced.
    let elsewhere = file.with_extension("elsewhere");
    fs::rename(file, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, file).unwrap();
    let asked = mounted.asked();
    listed(&mounted.process().await).await;
    assert!(mounted.asked() > asked);
    fs::remove_file(file).unwrap();
    fs::create_dir(file).unwrap();
    let next = mounted.process().await;
    assert_eq!(listed(&next).await, mounted.named(&["one"]));
    next.app.flush(LONG).await;
    assert_eq!(mounted.files().len(), 2, "no part of a file is left");
}

#[tokio::test]
async fn what_is_kept_has_no_secret_and_is_for_one_configuration() {
    use std::os::unix::fs::PermissionsExt;

    let mounted = Mounted::new(&["one"], None).await;
    let secret = |value: &str| Mount::http(&mounted.name, &mounted.url).header("x-key", value);
    for (value, files) in [("hunter2", 1), ("hunter2", 1), ("hunter3", 2)] {
        let process = mounted.process_of(secret(value)).await;
        assert_eq!(listed(&process).await, mounted.named(&["one"]));
        process.app.flush(LONG).await;
        assert_eq!(mounted.files().len(), files);
        assert_eq!(mounted.legacy.seen("tools/list").len(), files);
    }
    for file in mounted.files() {
        let text = fs::read_to_string(&file).unwrap();
        assert!(
            !text.contains("hunter") && !text.contains("127.0.0.1"),
            "{text}"
        );
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn lists_that_are_too_large_for_the_table_are_kept_in_a_file() {
    let mounted = Mounted::new(&[], Some(Table::start().await)).await;
    let entry = |name: &str| {
        let schema = json!({ "type": "object" });
        json!({ "name": name, "description": "x".repeat(200 << 10), "inputSchema": schema })
    };
    mounted.legacy.set_entries(vec![entry("one")]);
    mounted.keep().await;
    assert_eq!(mounted.files().len(), 0);
    let (key, _) = mounted.record().await;
    mounted.change(|it| it["read_at"] = json!(0)).await;
    mounted.legacy.set_entries(vec![entry("one"), entry("two")]);
    mounted.keep().await;
    assert_eq!(mounted.files().len(), 1);
    assert!(!mounted.table.as_ref().unwrap().keys().contains(&key));
    let asked = mounted.asked();
    let next = mounted.process().await;
    assert_eq!(listed(&next).await, mounted.named(&["one", "two"]));
    assert_eq!(mounted.asked(), asked);
}

#[tokio::test]
async fn a_table_that_refuses_costs_a_connection_and_no_more() {
    let table = Table::start().await;
    let mounted = Mounted::new(&["one"], Some(table.clone())).await;
    mounted.keep().await;
    let asked = mounted.asked();
    table.fate(&[Fate::Refused(400, "AccessDeniedException")]);
    let next = mounted.process().await;
    assert_eq!(listed(&next).await, mounted.named(&["one"]));
    assert!(mounted.asked() > asked);
}

#[tokio::test]
async fn the_kept_lists_stay_while_the_server_is_away() {
    let mut mounted = Mounted::new(&["one"], None).await;
    mounted.keep().await;
    mounted.serving.abort();
    let _ = (&mut mounted.serving).await;
    mounted.stale = Duration::ZERO;
    let next = mounted.process().await;
    assert_eq!(listed(&next).await, mounted.named(&["one"]));
    let health = next.get("/health").await;
    assert_eq!(health.status, StatusCode::OK);
    assert_eq!(health.json()["mounts"][&mounted.name], "kept");
    next.app.flush(LONG).await;
    assert_eq!(status(&next).await["state"], "down");
    let list = next.mcp("tools/list", json!({})).await.json();
    assert_eq!(list["result"]["tools"].as_array().unwrap().len(), 1);
    assert_eq!(
        list["result"]["_meta"]["bifold/absent"],
        json!([mounted.name])
    );
}

#[tokio::test]
async fn a_message_of_a_websocket_finds_the_tools_in_the_process_that_takes_it_and_in_that_which_runs_it()
 {
    let (gateway, mounted) = (Gateway::start().await, Mounted::new(&["one"], None).await);
    let answer = async |event: &str| {
        let mut config = Config::default();
        gateway.configure(&mut config);
        let mount = Mount::http(&mounted.name, &mounted.url);
        let app = App::new(config, Server::new("gateway", "1").mount(mount)).unwrap();
        let answered = lambda::answer(&app, event, RequestInfo::default()).await;
        assert!(answered.is_ok());
    };
    let params = json!({ "name": mounted.named(&["one"])[0], "arguments": {} });
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    answer(&message(&call.to_string())).await;
    let events = gateway.take_events();
    answer(&events[0]).await;
    let told = gateway.take_messages();
    assert_eq!(
        told[0]["result"]["content"][0]["text"], "called one",
        "{told:?}"
    );
}
