//! The last good lists of a mounted server, kept for the next process: in the table that processes share, or in a file.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use tracing::{debug, warn};

use super::lists::Listed;
use super::mount::{Mount, Transport};
use super::session;
use crate::error::Result;
use crate::store::{LARGEST, Store};

/// The form of what is kept; what has another one is not read.
const FORM: u32 = 1;

/// How long lists are kept that no process renews.
const LIFETIME: Duration = Duration::from_secs(30 * 86_400);

/// How long the table may take: the first list of a process waits for a second in all.
const PATIENCE: Duration = Duration::from_millis(800);

/// The largest file.
const MAX_FILE: usize = 8 << 20;

/// The place where the lists of one server are kept. It has no credentials and no URL: they are only in a hash.
pub(super) struct Keeper {
    mount: String,
    /// The name of the mount, and a hash of how its server is reached.
    key: String,
    table: Option<Store>,
    file: PathBuf,
}

/// The lists of a server, with what is known of it.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept<L = Listed> {
    form: u32,
    key: String,
    /// When they were read, in milliseconds since 1970.
    read_at: u64,
    revision: String,
    pub(super) listed: L,
}

impl Keeper {
    /// The place for this mount: in `table`, or in a file if there is none.
    pub(super) fn new(mount: &Mount, table: Option<Store>) -> Keeper {
        let key = format!("mount:{}:{}", mount.name(), fingerprint(&mount.transport));
        let file = std::env::temp_dir().join(format!("bifold-{}.json", key.replace(':', "-")));
        let mount = mount.name().to_owned();
        Keeper {
            mount,
            key,
            table,
            file,
        }
    }

    /// The lists that are kept. What cannot be read is as good as nothing.
    pub(super) async fn load(&self) -> Option<Kept> {
        let in_table = match &self.table {
            // A failure is in the log of the table.
            Some(table) => timeout(PATIENCE, table.get(&self.key)).await.ok()?.ok()?,
            None => None,
        };
        let text = match in_table {
            Some(record) => record.value.into_bytes(),
            None => read(&self.file).ok()?,
        };
        let kept = serde_json::from_slice::<Kept>(&text);
        let kept = kept.ok().filter(|it| {
            it.form == FORM && it.key == self.key && session::known(&it.revision).is_some()
        });
        if kept.is_none() {
            debug!(mount = self.mount, "the kept lists cannot be read");
        }
        kept
    }

    /// The text in which lists are kept that were read just now.
    pub(super) fn written(&self, listed: &Listed, revision: &str) -> Option<String> {
        let kept = Kept {
            form: FORM,
            key: self.key.clone(),
            read_at: now(),
            revision: revision.to_owned(),
            listed,
        };
        serde_json::to_string(&kept).ok()
    }

    /// Keeps this text. Where that fails, the next process connects.
    pub(super) async fn save(&self, text: String) {
        if let Some(table) = &self.table {
            let is_small = text.len() <= LARGEST;
            // A failure is in the log of the table.
            let _ = timeout(PATIENCE, put(table, &self.key, is_small.then_some(&*text))).await;
            if is_small {
                return;
            }
        }
        let (mount, bytes) = (&*self.mount, text.len());
        if bytes > MAX_FILE {
            warn!(
                mount,
                bytes, "the lists of a mounted server are too large to be kept"
            );
        } else if let Err(error) = write(&self.file, text.as_bytes()) {
            warn!(mount, %error, "the lists of a mounted server cannot be kept");
        }
    }
}

impl Kept {
    pub(super) fn revision(&self) -> &'static str {
        session::known(&self.revision).unwrap_or(session::MODERN)
    }

    /// When they were read.
    pub(super) fn read_at(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.read_at)
    }
}

/// Writes the record, or removes it. Where two processes write at a time, either of them has the latest lists.
async fn put(table: &Store, key: &str, text: Option<&str>) -> Result<()> {
    let Some(text) = text else {
        return table.remove(key).await;
    };
    match table.get(key).await? {
        Some(old) => {
            table
                .replace(key, old.version, text.to_owned(), LIFETIME)
                .await
        }
        None => table.create(key, text.to_owned(), LIFETIME).await,
    }
    .map(drop)
}

/// Reads a file that this process or an earlier one has written, and no other user's and no link.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let known = fs::symlink_metadata(path)?;
    if !known.is_file() || !is_own(&known) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let mut text = Vec::new();
    fs::File::open(path)?
        .take(MAX_FILE as u64)
        .read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(unix)]
fn is_own(known: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(known) == rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn is_own(_: &fs::Metadata) -> bool {
    true
}

/// Writes the file as a whole: a reader sees the old text or the new one.
fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let part = path.with_extension(format!("{:016x}", fastrand::u64(..)));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&part).and_then(|mut it| it.write_all(text));
    let moved = written.and_then(|()| fs::rename(&part, path));
    moved.inspect_err(|_| {
        // It may not exist.
        let _ = fs::remove_file(&part);
    })
}

/// A hash of everything by which two servers differ, in hexadecimal digits.
fn fingerprint(transport: &Transport) -> String {
    let mut digest = Context::new(&SHA256);
    let mut add = |text: &str| {
        digest.update(&(text.len() as u64).to_le_bytes());
        digest.update(text.as_bytes());
    };
    match transport {
        Transport::Http {
            url,
            headers,
            client,
        } => {
            add(url);
            for (name, value) in headers {
                add(name);
                add(value);
            }
            if let Some(client) = client {
                add(&client.token_url);
                add(&client.client_id);
                add(&client.client_secret);
                add(&client.scope);
                add(&client.audience);
            }
        }
        // Child processes are not mounted where lists are kept.
        Transport::Stdio { command, .. } => add(command),
    }
    let digest = digest.finish();
    let half = digest.as_ref().iter().take(16);
    half.map(|byte| format!("{byte:02x}")).collect()
}

/// Milliseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_millis() as u64
}
