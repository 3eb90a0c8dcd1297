//! Where calls could wait for each other: every lock, and who shares it.
//!
//! No lock is held while its holder waits for anything: clippy's `await_holding_lock` refuses that.

use std::collections::BTreeMap;

use super::source::sources;

/// Who can wait for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shared {
    /// Nothing but the parts of one call or one connection.
    Own,
    /// Calls that one thread runs; another thread only for a span that came over from it.
    Thread,
    /// Requests to upstreams: those of one upstream, or those whose keys are in the same part. Tests beside the locks show
    /// that no others wait.
    Upstream,
    /// Calls that ask their client, become tasks, run on Lambda, or use what a setting, a cargo feature or a provider adds.
    Setting,
    /// The start, the end, and changes of the catalog.
    Rare,
}

use Shared::{Own, Rare, Setting, Thread, Upstream};

const LOCKS: [(&str, Shared); 27] = [
    ("app/catalog.rs", Rare),
    ("app/stopping.rs", Rare),
    ("auth/allowances.rs", Setting),
    ("auth/fetched.rs", Setting),
    ("auth/shared_allowances.rs", Setting),
    ("client/http.rs", Setting),
    ("clock/deadline.rs", Own),
    ("context/client/mod.rs", Own),
    ("context/updates.rs", Setting),
    ("http/buffers/intake.rs", Own),
    ("lambda/runtime/api.rs", Setting),
    ("lambda/runtime/slot.rs", Own),
    ("providers/mcp/bridge.rs", Setting),
    ("providers/mcp/children.rs", Rare),
    ("providers/mcp/mounts.rs", Rare),
    ("providers/mcp/peer.rs", Setting),
    ("providers/mcp/sessions.rs", Setting),
    ("providers/mcp/status.rs", Setting),
    ("providers/search/mod.rs", Setting),
    ("store/memory/mod.rs", Setting),
    ("store/watch.rs", Setting),
    ("telemetry/log/open_spans.rs", Thread),
    ("telemetry/spans/otel.rs", Setting),
    ("testing/upstream.rs", Rare),
    ("upstream/limit.rs", Upstream),
    ("upstream/meter.rs", Own),
    ("upstream/single_flight.rs", Upstream),
];

#[test]
fn every_lock_is_known_with_those_who_wait_for_it() {
    let sources = sources();
    let is_lock = |code: &str| ["Mutex<", "RwLock<"].iter().any(|it| code.contains(it));
    let files = sources.iter().filter(|it| is_lock(&it.code()));
    let files: Vec<String> = files
        .map(|it| it.shown().trim_start_matches("src/").to_owned())
        .collect();
    let known = BTreeMap::from(LOCKS);
    for file in &files {
        let what =
            "a new lock: say in the table who waits for it, and use none where every call would";
        assert!(known.contains_key(file.as_str()), "`{file}` has {what}");
    }
    assert_eq!(
        files.len(),
        known.len(),
        "the table names a lock that is gone"
    );
}
