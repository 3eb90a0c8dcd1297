//! A mounted server that is a child process: the bundled program, and programs that fail.

use std::path::PathBuf;
use std::time::Duration;

use bifold::{App, Config, Mount, Server};
use serde_json::{Value, json};

use super::eras::settled;
use super::liar::{Answers, Era, ID, opening};
use super::{mounting, status, tools, until};
use crate::support::{Log, TestApp, stop_clock};

/// A folder that is removed with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("bifold-{name}-{:x}", fastrand::u64(..)));
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    /// Whether a child process of this one works in the folder.
    fn has_process(&self) -> bool {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
        let children =
            tasks.filter_map(|it| std::fs::read_to_string(it.path().join("children")).ok());
        let is_here =
            |pid: &str| std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|it| it == self.0);
        children
            .into_iter()
            .any(|it| it.split_whitespace().any(is_here))
    }

    pub fn path(&self, name: &str) -> String {
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

/// A server that says what it is told to, as a shell script; `@PID@` stands for the id of its process. The answer of `huge` has
/// 100 MB, `exit` ends the process, and `wait` waits for the file `go`.
const LIAR: &str = r#"
echo $$ >>pids
while IFS= read -r line; do
  id=${line#*\"id\":}
  id=${id%%,*}
  case $line in
    *'"method":"server/discover"'*) say=discover ;;
    *'"method":"initialize"'*) say=initialize ;;
    *'"method":"tools/list"'*) say=list; echo >>lists ;;
    *'"name":"exit"'*) exit 3 ;;
    *'"name":"wait"'*) echo x >>waiting; until [ -e go ]; do sleep 0.01; done; say=call_wait ;;
    *'"name":"huge"'*)
      printf '{"jsonrpc":"2.0","id":%s,"result":{"content":"' "$id"
      head -c 100000000 /dev/zero | tr '\0' x
      echo '"}}'
      continue ;;
    *'"method":"tools/call"'*) say=${line#*\"name\":\"}; say=call_${say%%\"*} ;;
    *) continue ;;
  esac
  LC_ALL=C sed "s/@ID@/$id/g; s/@PID@/$$/g" "$say"
done
"#;

/// The entry of such a server in a file of mounted servers. It writes its process id down when it starts.
pub fn liar_entry(folder: &Folder, era: Era, answers: &Answers) -> Value {
    let write = |name: &str, said: &[u8]| std::fs::write(folder.path(name), said).unwrap();
    for (file, method) in [
        ("discover", "server/discover"),
        ("initialize", "initialize"),
        ("list", "tools/list"),
    ] {
        let said = opening(method, era, answers) + "\n";
        write(file, said.as_bytes());
    }
    // A name that is too long for a file is only listed.
    for (name, said) in answers.iter().filter(|it| it.0.len() < 200) {
        write(&format!("call_{name}"), said);
    }
    write("server.sh", LIAR.as_bytes());
    json!({ "command": "sh", "args": ["server.sh"], "cwd": folder.path("") })
}

/// The mount of such a server, under the name `liar`.
pub fn liar(folder: &Folder, era: Era, answers: &Answers) -> Mount {
    liar_entry(folder, era, answers);
    let script = Mount::stdio("liar", "sh").args(["server.sh"]);
    script.folder(folder.path(""))
}

/// The ids of the processes that were started, the latest last.
pub fn pids(path: &str) -> Vec<i32> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|it| it.parse().unwrap()).collect()
}

pub fn is_running(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // One that has ended is there until its parent has asked for its status.
    stat.rsplit_once(") ")
        .is_some_and(|it| !it.1.starts_with('Z'))
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
    let write = |servers: Value| {
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
async fn until_after(app: &TestApp, time: Duration, wanted: impl Fn(&Value) -> bool) {
    crate::support::pass(time).await;
    until(app, wanted).await;
}

/// The answer of a tool that says `text`.
pub fn says(text: &str) -> Vec<u8> {
    let result = json!({ "content": [{ "type": "text", "text": text }] });
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{ID},\"result\":{result}}}\n").into_bytes()
}

#[tokio::test]
async fn an_answer_of_100_mb_fails_its_call_and_the_process_and_its_other_calls_go_on() {
    let folder = Folder::new("huge");
    let answers = vec![("huge", Vec::new()), ("fine", says("fine"))];
    let app = mounting([liar(&folder, Era::Modern, &answers)]).await;
    until(&app, |it| it[0]["state"] == "up").await;
    let calls = (
        app.tool("liar_huge", json!({})),
        app.tool("liar_fine", json!({})),
    );
    let (huge, fine) = tokio::join!(calls.0, calls.1);
    let said = huge["content"][0]["text"].as_str().unwrap();
    assert!(
        said.contains("answered with more than 8388608 bytes"),
        "{said}"
    );
    assert_eq!(
        huge["_meta"]["bifold/error"]["kind"],
        "upstream_invalid_response"
    );
    assert_eq!(fine["content"][0]["text"], "fine", "{fine}");
    assert_eq!(pids(&folder.path("pids")).len(), 1);
    app.app.stop(Duration::from_secs(10)).await;
}

#[tokio::test]
async fn a_process_that_ends_during_a_call_fails_that_call_and_is_started_again() {
    let folder = Folder::new("exit");
    let answers = vec![("exit", Vec::new()), ("fine", says("fine"))];
    let app = mounting([liar(&folder, Era::Legacy, &answers)]).await;
    until(&app, |it| it[0]["state"] == "up").await;
    let ended = app.tool("liar_exit", json!({})).await;
    let said = ended["content"][0]["text"].as_str().unwrap();
    assert!(said.contains("ended before it answered"), "{said}");
    let fine = app.tool("liar_fine", json!({})).await;
    assert_eq!(fine["content"][0]["text"], "fine", "{fine}");
    app.app.stop(Duration::from_secs(10)).await;
    let started = pids(&folder.path("pids"));
    assert_eq!(started.len(), 2, "what may have run is not made again");
    assert!(started.into_iter().all(|it| !is_running(it)));
}

#[tokio::test]
async fn a_process_that_keeps_dying_is_started_ever_more_rarely_until_it_works() {
    let folder = Folder::new("dying");
    let answers = vec![("fine", says("fine"))];
    liar_entry(&folder, Era::Modern, &answers);
    let script = format!("[ -e good ] || {{ echo $$ >>pids; exit 1; }}\n{LIAR}");
    let dying = Mount::stdio("liar", "sh").args(["-c", &script]);
    let stopped = stop_clock();
    let app = mounting([dying.folder(folder.path(""))]).await;
    let started = || pids(&folder.path("pids"));
    tokio::select! {
        biased;
        _ = app.get("/mounts") => {}
        () = tokio::time::advance(Duration::from_secs(1)) => {}
    }
    // Ten minutes, and longer on a machine where processes end late.
    let mut seconds = 0;
    while seconds < 600 || started().len() < 6 {
        assert!(seconds < 100_000, "{:?}", started());
        tokio::time::advance(Duration::from_secs(1)).await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        seconds += 1;
    }
    // Waits of at most half a second, one, two … sixty, each of them half as long on average.
    let tried = started().len();
    assert!(tried <= 6 + seconds / 8, "{tried} starts in {seconds} s");
    assert_eq!(status(&app).await["state"], "down");
    std::fs::write(folder.path("good"), "").unwrap();
    // The clock stands still while a process runs, which may be slow.
    for _ in 0..1_000_000 {
        if status(&app).await["state"] == "up" {
            break;
        }
        let step = match folder.has_process() {
            true => Duration::ZERO,
            false => Duration::from_secs(1),
        };
        tokio::time::advance(step).await;
    }
    let fine = app.tool("liar_fine", json!({})).await;
    assert_eq!(fine["content"][0]["text"], "fine", "{fine}");
    drop(stopped);
    app.app.stop(Duration::from_secs(10)).await;
}

#[tokio::test]
async fn a_process_that_ignores_every_request_to_end_is_killed_with_all_that_it_has_started() {
    let folder = Folder::new("stubborn");
    let pid = folder.path("pids");
    let script = format!(
        "trap '' TERM HUP INT; echo $$ >>{pid}; sleep 100000 & echo $! >>{pid}; while :; do sleep 1000; done"
    );
    let app = mounting([Mount::stdio("stubborn", "sh").args(["-c", &script])]).await;
    let _stopped = stop_clock();
    let starting = app.get("/mounts");
    tokio::pin!(starting);
    loop {
        tokio::select! {
            biased;
            _ = &mut starting => break,
            () = tokio::time::advance(Duration::from_millis(100)) => {}
        }
    }
    settled(|| pids(&pid).len() == 2).await;
    let all = pids(&pid);
    assert!(all.iter().all(|it| is_running(*it)));
    let stopping = app.app.stop(Duration::from_secs(10));
    tokio::pin!(stopping);
    loop {
        tokio::select! {
            biased;
            () = &mut stopping => break,
            () = tokio::time::advance(Duration::from_millis(20)) => {}
        }
    }
    settled(|| all.iter().all(|it| !is_running(*it))).await;
}
