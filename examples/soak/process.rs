//! The resources of a process: memory, descriptors and tasks.

use serde_json::json;

/// Memory, tasks and descriptors of this process.
pub fn own(when: &str) -> String {
    let descriptors = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    let metrics = tokio::runtime::Handle::current().metrics();
    let tasks = metrics.num_alive_tasks();
    let memory = memory_mb(std::process::id());
    json!({ "when": when, "memory_mb": memory, "descriptors": descriptors, "tasks": tasks })
        .to_string()
}

/// The resident memory of a process in MB; 0 if the process has ended.
pub fn memory_mb(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kb = line.and_then(|it| it.split_whitespace().next()?.parse::<u64>().ok());
    kb.unwrap_or(0) / 1024
}

/// The number of open descriptors of the process.
pub fn descriptors(id: u32) -> usize {
    std::fs::read_dir(format!("/proc/{id}/fd")).map_or(0, Iterator::count)
}
