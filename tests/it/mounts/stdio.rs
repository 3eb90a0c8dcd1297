//! A mounted server that is a child process: the bundled program, and programs that fail.

use std::path::PathBuf;
use std::time::Duration;

use bifold::{App, Config, Mount, Server};
use serde_json::json;

use super::eras::settled;
use super::{mounting, status, tools, until};
use crate::support::{Log, TestApp};

/// A folder that is removed with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("bifold-{name}-{:x}", fastrand::u64(..)));
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The bundled program, which writes its process id down before it starts.
fn child(pid: &str) -> Mount {
    let script = format!(
        "echo $$ >> {pid}; exec {} stdio --replay",
        env!("CARGO_BIN_EXE_bifold")
    );
    Mount::stdio("child", "sh").args(["-c", &script])
}

/// The ids of the processes that were started, the latest last.
fn pids(path: &str) -> Vec<i32> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|it| it.parse().unwrap()).collect()
}

fn is_running(pid: i32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}

#[tokio::test]
async fn a_child_process_is_called_started_again_and_ended() {
    let folder = Folder::new("child");
    let pid = folder.path("pid");
    let app = mounting([child(&pid)]).await;
    until(&app, |it| it[0]["state"] == "up").await;
    assert!(
        tools(&app)
            .await
            .contains(&"child_get_registry_summary".to_owned()),
        "{:?}",
        tools(&app).await
    );
    let known = status(&app).await;
    assert_eq!(
        (&known["transport"], &known["revision"]),
        (&json!("stdio"), &json!("2026-07-28"))
    );
    let call = async || {
        app.post("/api/child/get_registry_summary", "{}")
            .await
            .status
            .as_u16()
    };
    assert_eq!(call().await, 200);

    let first = pids(&pid)[0];
    let killed = std::process::Command::new("kill")
        .args(["-9", &first.to_string()])
        .status();
    assert!(killed.unwrap().success());
    // The call may come before or after the end is noticed; the next one finds the new process.
    call().await;
    assert_eq!(call().await, 200);
    assert_eq!(status(&app).await["reconnects"], 1);

    let second = *pids(&pid).last().unwrap();
    assert_ne!(first, second);
    assert!(is_running(second));
    app.app.stop(Duration::from_secs(10)).await;
    assert!(!is_running(second) && !is_running(first));
}

#[tokio::test]
async fn a_child_process_ends_with_the_application_that_nobody_stopped() {
    let folder = Folder::new("dropped");
    let pid = folder.path("pid");
    let app = mounting([child(&pid)]).await;
    until(&app, |it| it[0]["state"] == "up").await;
    let running = pids(&pid)[0];
    drop(app);
    settled(|| !is_running(running)).await;
}

#[tokio::test]
async fn a_program_that_cannot_work_is_down_with_its_reason_and_holds_nobody_up() {
    let cases = [
        (Mount::stdio("a", "/does/not/exist"), "cannot be started"),
        (Mount::stdio("a", "false"), "it ended with exit status: 1"),
        (Mount::stdio("a", "cat"), ""),
    ];
    for (mount, reason) in cases {
        let app = mounting([mount]).await;
        assert_eq!(tools(&app).await, Vec::<String>::new());
        if !reason.is_empty() {
            let status = until(&app, |it| it[0]["state"] == "down").await;
            let error = status["mounts"][0]["error"].as_str().unwrap();
            assert!(error.contains(reason), "{error}");
        }
        app.app.stop(Duration::from_secs(10)).await;
    }
}

#[tokio::test]
async fn a_file_of_servers_is_read_and_read_again_and_only_what_differs_is_connected_anew() {
    let folder = Folder::new("file");
    let (one, two, file) = (
        folder.path("one"),
        folder.path("two"),
        folder.path("mcp.json"),
    );
    let script = |pid: &str| {
        format!(
            "echo $$ >> {pid}; exec {} stdio --replay",
            env!("CARGO_BIN_EXE_bifold")
        )
    };
    let entry = |pid: &str| json!({ "command": "sh", "args": ["-c", script(pid)] });
    let write = |servers: serde_json::Value| {
        std::fs::write(&file, json!({ "mcpServers": servers }).to_string()).unwrap();
    };
    write(json!({ "one": entry(&one) }));
    let mut config = Config::default();
    config.mcp_servers = Some(file.clone());
    let app = App::start(config, Server::new("gateway", "1"))
        .await
        .unwrap();
    let app = TestApp::of(app).await;
    until(&app, |it| it[0]["state"] == "up").await;

    write(json!({ "one": entry(&one), "two": entry(&two) }));
    until_after(&app, Duration::from_secs(3), |it| it[1]["state"] == "up").await;
    assert!(
        tools(&app)
            .await
            .contains(&"two_get_registry_summary".to_owned())
    );
    // A mistake changes nothing.
    let log = Log::default();
    let recording = log.keep();
    write(json!({ "one": { "speed": 1 } }));
    crate::support::pass(Duration::from_secs(3)).await;
    settled(|| {
        !log.lines("the mounted servers stay as they were")
            .is_empty()
    })
    .await;
    drop(recording);
    assert_eq!(
        app.get("/mounts").await.json()["mounts"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    write(json!({ "two": entry(&two) }));
    until_after(&app, Duration::from_secs(3), |it| {
        it.as_array().unwrap().len() == 1
    })
    .await;
    let names = tools(&app).await;
    assert!(names.iter().all(|it| it.starts_with("two_")), "{names:?}");
    assert_eq!(pids(&two).len(), 1, "it stays connected");
    settled(|| !is_running(pids(&one)[0])).await;
    app.app.stop(Duration::from_secs(10)).await;
}

/// As [`until`], after the clock was put on.
async fn until_after(app: &TestApp, time: Duration, wanted: impl Fn(&serde_json::Value) -> bool) {
    crate::support::pass(time).await;
    until(app, wanted).await;
}
