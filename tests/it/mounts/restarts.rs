//! A mounted server that dies and is started again: the next call succeeds, at most one is lost, and none runs twice.

use std::fs;
use std::path::PathBuf;

use bifold::Mount;
use serde_json::{Value, json};

use super::legacy::Legacy;
use super::{mounting, tools, until};

/// A server over standard input and output. A call is written down when it runs, and ends the server if that is wanted.
const CHILD: &str = r#"
while read -r line; do
  id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
  said() { printf '{"jsonrpc":"2.0","id":%s,%s}\n' "$id" "$1"; }
  case "$line" in
    *'"server/discover"'*) said '"error":{"code":-32601,"message":"unknown"}' ;;
    *'"initialize"'*) said '"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"sh","version":"1"}}' ;;
    *'"tools/list"'*) said "\"result\":{\"tools\":$TOOLS}" ;;
    *'"tools/call"'*)
      echo run >>"$FOLDER/runs"
      rm "$FOLDER/crash" 2>/dev/null && exit 1
      said '"result":{"content":[{"type":"text","text":"called"}]}' ;;
  esac
done
"#;

/// A server that can be told to die in the middle of the next call.
enum Mortal {
    Http(Legacy),
    Child(PathBuf),
}

impl Mortal {
    fn crash(&self) {
        match self {
            Mortal::Http(legacy) => legacy.crash(),
            Mortal::Child(folder) => fs::write(folder.join("crash"), "").unwrap(),
        }
    }

    /// How many calls have run.
    fn runs(&self) -> usize {
        match self {
            Mortal::Http(legacy) => legacy.runs(),
            Mortal::Child(folder) => fs::read_to_string(folder.join("runs"))
                .unwrap_or_default()
                .lines()
                .count(),
        }
    }

    async fn mount(&self) -> Mount {
        match self {
            Mortal::Http(legacy) => {
                let (address, _) = legacy.on_socket().await;
                Mount::http("m", format!("http://{address}/mcp"))
            }
            Mortal::Child(folder) => Mount::stdio("m", "sh")
                .args(["-c", CHILD])
                .env("TOOLS", entries().to_string())
                .env("FOLDER", folder.to_str().unwrap()),
        }
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        if let Mortal::Child(folder) = self {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// A tool of each kind: only a call that changes nothing, or the same thing again, may be repeated.
fn entries() -> Value {
    let entry = |name: &str, annotations: Value| {
        let schema = json!({ "type": "object" });
        json!({ "name": name, "description": "It.", "inputSchema": schema, "annotations": annotations })
    };
    json!([
        entry("plain", json!({})),
        entry("reads", json!({ "readOnlyHint": true })),
        entry("repeats", json!({ "idempotentHint": true })),
    ])
}

fn http(legacy: Legacy) -> Mortal {
    let Value::Array(entries) = entries() else {
        unreachable!();
    };
    legacy.set_entries(entries);
    Mortal::Http(legacy)
}

fn child() -> Mortal {
    let folder = std::env::temp_dir().join(format!("bifold-mortal-{:x}", fastrand::u64(..)));
    fs::create_dir(&folder).unwrap();
    Mortal::Child(folder)
}

#[tokio::test]
async fn after_a_crash_in_the_middle_of_a_call_the_next_one_succeeds_and_none_runs_twice() {
    let servers = [
        ("with sessions", http(Legacy::default())),
        (
            "without sessions",
            http(Legacy::default().without_sessions()),
        ),
        ("a child process", child()),
    ];
    for (kind, server) in servers {
        let app = mounting([server.mount().await]).await;
        until(&app, |it| it[0]["state"] == "up").await;
        assert_eq!(tools(&app).await.len(), 3, "{kind}");
        for (tool, is_repeated) in [("plain", false), ("reads", true), ("repeats", true)] {
            let what = format!("{kind}, {tool}");
            let (tool, before) = (format!("m_{tool}"), server.runs());
            server.crash();
            let result = app.tool(&tool, json!({})).await;
            let runs = server.runs() - before;
            if is_repeated {
                assert_eq!(result.get("isError"), None, "{what}: {result}");
                assert_eq!(runs, 2, "{what}");
            } else {
                let problem = &result["_meta"]["bifold/error"]["kind"];
                assert_eq!(problem, "upstream_unreachable", "{what}: {result}");
                assert_eq!(runs, 1, "{what}");
            }
            let before = server.runs();
            let next = app.tool(&tool, json!({})).await;
            assert_eq!(next.get("isError"), None, "{what}: {next}");
            assert_eq!(server.runs() - before, 1, "{what}");
        }
        app.app.stop(std::time::Duration::from_secs(10)).await;
    }
}

#[tokio::test]
async fn after_a_restart_between_two_calls_none_is_lost() {
    for legacy in [Legacy::default(), Legacy::default().without_sessions()] {
        let server = http(legacy.clone());
        let app = mounting([server.mount().await]).await;
        for round in 1..4 {
            let result = app.tool("m_plain", json!({})).await;
            assert_eq!(result["content"][0]["text"], "called plain", "{result}");
            assert_eq!(server.runs(), round);
            legacy.restart();
        }
    }
}
