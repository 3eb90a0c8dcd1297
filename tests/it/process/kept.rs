//! Mounted servers of the binary as a Lambda function: what one process has read, the next one offers.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::platform::Platform;
use crate::lambda::event;
use crate::mounts::legacy::Legacy;

/// A folder for the files of one function, which is removed with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let path = std::env::temp_dir().join(format!("bifold-kept-{:x}", fastrand::u64(..)));
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    fn text(path: &Path) -> String {
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The mounted tools in the list of one invocation.
async fn listed(platform: &mut Platform) -> Vec<String> {
    let mut event = event("function_url_mcp");
    let headers = event["headers"].as_object_mut().unwrap();
    headers.retain(|name, _| !name.starts_with("mcp-"));
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    event["body"] = json!(list.to_string());
    let outcome = platform.invoke(&event).await;
    assert_eq!(outcome.body["statusCode"], 200, "{outcome:?}");
    let list: Value = serde_json::from_str(outcome.body["body"].as_str().unwrap()).unwrap();
    let tools = list["result"]["tools"].as_array().unwrap().iter();
    let names = tools.map(|it| it["name"].as_str().unwrap().to_owned());
    names.filter(|it| it.starts_with("old_")).collect()
}

#[tokio::test]
async fn a_cold_start_lists_what_an_earlier_process_has_read_and_renews_it_after_the_answer() {
    let legacy = Legacy::with_tools(&["one"]);
    let (address, _serving) = legacy.on_socket().await;
    let folder = Folder::new();
    let file = folder.0.join("servers.json");
    let servers = json!({ "old": { "url": format!("http://{address}/mcp") } });
    std::fs::write(&file, json!({ "mcpServers": servers }).to_string()).unwrap();
    let (file, temporary) = (Folder::text(&file), Folder::text(&folder.0));
    let settings = [
        ("BIFOLD_MCP_SERVERS", file.as_str()),
        ("TMPDIR", temporary.as_str()),
    ];
    let mut first = Platform::start(&settings).await;
    // The list waits for a second at most. The next invocation is taken once what follows the answer is done.
    listed(&mut first).await;
    assert_eq!(listed(&mut first).await, ["old_one"]);
    first.stop().await;
    let asked = legacy.asked();

    let mut next = Platform::start(&settings).await;
    for _ in 0..2 {
        assert_eq!(listed(&mut next).await, ["old_one"]);
    }
    next.stop().await;
    assert_eq!(legacy.asked(), asked, "nothing was asked of the server");

    legacy.set_tools(&["one", "two"]);
    let settings = [&settings[..], &[("BIFOLD_MOUNT_STALE_MS", "0")]].concat();
    let mut last = Platform::start(&settings).await;
    assert_eq!(listed(&mut last).await, ["old_one"]);
    assert_eq!(listed(&mut last).await, ["old_one", "old_two"]);
    let (status, _) = last.terminate().await;
    assert!(status.success(), "{status}");
}
