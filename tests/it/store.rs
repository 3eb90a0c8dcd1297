//! Records that processes share: each version has one writer, nothing outlives its time, and who waits is told.

mod contract;
mod dynamo;
mod heal;
mod memory;
pub mod table;

use std::time::Duration;

use bifold::Store;

/// A time in which no test ends.
const LONG: Duration = Duration::from_secs(3_600);

/// What the record holds, and its version.
async fn read(store: &Store, key: &str) -> Option<(String, u64)> {
    let record = store.get(key).await.unwrap();
    record.map(|record| (record.value, record.version))
}

fn held(value: &str, version: u64) -> Option<(String, u64)> {
    Some((value.to_owned(), version))
}
