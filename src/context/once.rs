//! Calls that are made once under a key of their caller: their records in the store.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{self, SHA256};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::time::sleep;
use tracing::Instrument;

use super::Context;
use crate::clock::Deadline;
use crate::config::key;
use crate::error::{Error, Kind, Result};
use crate::store::{Change, Record, Store};

/// How long the outcome of a call is kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// After so long without a sign of life, a call that runs is taken for lost.
const LEASE: Duration = Duration::from_secs(15);

/// The longest answer that is kept, in bytes of JSON.
const LONGEST: usize = 256 << 10;

/// The longest key, in characters.
const MAX_KEY: usize = 255;

/// The key was used for another call.
const REUSED: Kind = Kind::custom(422, "idempotency_key_reused");

/// The call with this key still runs.
const RUNNING: Kind = Kind::custom(409, "idempotency_key_in_use");

/// The call with this key ended, and how is not known.
const LOST: Kind = Kind::custom(409, "idempotency_outcome_unknown");

/// The call with this key succeeded, and its answer was too large to be kept.
const UNKEPT: Kind = Kind::custom(409, "idempotency_answer_not_kept");

/// The key that a caller gives to a call.
#[derive(Clone)]
pub(crate) struct OnceKey(Arc<str>);

/// What the caller of a call with a key may go on with.
pub(crate) enum Claim {
    /// Nothing was called under this key: the call may run.
    Free(Lease),
    /// The answer of the call that was made before.
    Answered(Box<RawValue>),
}

/// The right to run the call, until it ends.
pub(crate) struct Lease {
    store: Store,
    key: String,
    record: Once,
    version: u64,
    /// Whether its end was written.
    is_over: bool,
}

/// The record of a call.
#[derive(Serialize, Deserialize)]
struct Once {
    /// The fingerprint of the function and its arguments.
    print: String,
    /// Tells this run from others of the same call.
    run: String,
    state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<Box<RawValue>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Running,
    Answered,
    Unkept,
    Lost,
}

impl OnceKey {
    /// A key of visible ASCII, either a string of the HTTP draft in its quotes, or the characters themselves.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<OnceKey, String> {
        let quoted = text.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
        let key = match quoted {
            Some(inner) => unescaped(inner),
            None => Some(text.to_owned()).filter(|it| !it.starts_with('"')),
        };
        let is_legal = |it: &String| {
            let is_visible = |byte: u8| byte.is_ascii_graphic();
            (1..=MAX_KEY).contains(&it.len()) && it.bytes().all(is_visible)
        };
        match key.filter(is_legal) {
            Some(key) => Ok(OnceKey(key.into())),
            None => Err(format!(
                "an idempotency key has 1 to {MAX_KEY} visible ASCII characters, such as those of a UUID"
            )),
        }
    }
}

/// What tells these texts from all others.
pub(crate) fn fingerprint(texts: &[&str]) -> String {
    let mut hash = digest::Context::new(&SHA256);
    for text in texts {
        hash.update(&(text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(hash.finish())
}

/// The content of a quoted string (RFC 9651, section 3.3.3).
fn unescaped(inner: &str) -> Option<String> {
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.push(characters.next().filter(|it| matches!(it, '"' | '\\'))?),
            '"' => return None,
            other => text.push(other),
        }
    }
    Some(text)
}

impl Context {
    /// The same call, which is made once under this key.
    pub(crate) fn with_once_key(self, once: Option<OnceKey>) -> Context {
        Context { once, ..self }
    }

    /// The key under which the call is made once.
    pub(crate) fn once_key(&self) -> Option<&OnceKey> {
        self.once.as_ref()
    }

    /// Claims the call with this fingerprint, or waits for the one that was made before.
    ///
    /// # Errors
    /// The key was used for another call; the call with it still runs at the deadline, has ended without a known outcome,
    /// or has an answer that was not kept; and those of the store.
    pub(crate) async fn claim(&self, key: &OnceKey, print: &str) -> Result<Claim> {
        let holder = self.holder();
        let store = &self.services.store;
        let place = key.place(holder.as_deref());
        // The rest of the time is for the answer.
        let until = Deadline::after(self.deadline().remaining() * 9 / 10);
        loop {
            let lease = Lease {
                store: store.clone(),
                key: place.clone(),
                record: Once {
                    print: print.to_owned(),
                    run: key::random_name(),
                    state: State::Running,
                    answer: None,
                },
                version: 1,
                is_over: false,
            };
            // In a task, because the record may be made although the client goes meanwhile: then the lease is
            // dropped, which gives the key back.
            let taking = tokio::spawn(lease.take(holder.clone()).in_current_span());
            let taken = taking.await.map_err(|error| {
                Error::internal("a key could not be claimed").with_source(error)
            })?;
            if let Some(lease) = taken? {
                return Ok(Claim::Free(lease));
            }
            // It is absent again where the call has failed in the meantime.
            if let Some(found) = store.get(&place).await? {
                match settled(store, &place, found, print, until).await? {
                    Some(answer) => return Ok(Claim::Answered(answer)),
                    None => continue,
                }
            }
        }
    }
}

/// Waits for the end of the call; `None` where it has failed, so that it may be made again.
async fn settled(
    store: &Store,
    place: &str,
    mut found: Record,
    print: &str,
    until: Deadline,
) -> Result<Option<Box<RawValue>>> {
    loop {
        let record = Once::decode(&found.value)?;
        if record.print != print {
            let message = "this idempotency key was used for another call: use a new key for each call, and the same key only to repeat one";
            return Err(Error::new(REUSED, message));
        }
        match (record.state, record.answer) {
            (State::Answered, Some(answer)) => return Ok(Some(answer)),
            (State::Answered | State::Unkept, _) => {
                let message = "the call with this idempotency key has succeeded, and its answer was too large to be kept";
                return Err(Error::new(UNKEPT, message));
            }
            (State::Lost, _) => return Err(lost()),
            (State::Running, _) => {}
        }
        let limit = Deadline::after(LEASE).min(until);
        match store.changed(place, found.version, limit).await? {
            Change::To(next) => found = next,
            Change::Gone => return Ok(None),
            Change::None if until.remaining().is_zero() => {
                let message = "the call with this idempotency key still runs: repeat it later";
                let wait = Duration::from_secs(1);
                return Err(Error::new(RUNNING, message).retry_after(wait));
            }
            Change::None => {
                let record = Once {
                    print: record.print,
                    run: record.run,
                    state: State::Lost,
                    answer: None,
                };
                store
                    .replace(place, found.version, record.encode(), KEPT)
                    .await?;
                match store.get(place).await? {
                    Some(next) => found = next,
                    None => return Ok(None),
                }
            }
        }
    }
}

fn lost() -> Error {
    let message = "the call with this idempotency key ended without an answer, and whether it has had its effect is not known: look before you call again with a new key";
    Error::new(LOST, message)
}

impl OnceKey {
    /// Where the record of the call is.
    fn place(&self, holder: Option<&str>) -> String {
        format!("once#{}", fingerprint(&[holder.unwrap_or(""), &self.0]))
    }
}

impl Lease {
    /// Makes the record; `None` if there is one already.
    async fn take(mut self, holder: Option<String>) -> Result<Option<Lease>> {
        let value = self.record.encode();
        let made = self
            .store
            .create_for(holder.as_deref(), &self.key, value, KEPT);
        if made.await? {
            return Ok(Some(self));
        }
        self.is_over = true;
        Ok(None)
    }

    /// Tells the others from time to time that the call still runs; never ready. A sign of life that fails is not missed
    /// before the lease has ended.
    pub(crate) async fn renew(&mut self) -> Infallible {
        loop {
            sleep(LEASE / 3).await;
            let value = self.record.encode();
            if let Ok(true) = self
                .store
                .replace(&self.key, self.version, value, KEPT)
                .await
            {
                self.version += 1;
            }
        }
    }

    /// Keeps the answer for those who repeat the call. Where there is no room for it, only that it succeeded is kept.
    pub(crate) async fn keep(mut self, answer: Option<Box<RawValue>>) {
        self.is_over = true;
        self.record.answer = answer.filter(|it| it.get().len() <= LONGEST);
        self.record.state = match self.record.answer {
            Some(_) => State::Answered,
            None => State::Unkept,
        };
        if self.write().await.is_err() {
            self.record.state = State::Unkept;
            self.record.answer = None;
            // Without it the call is taken for lost, which is as safe.
            let _ = self.write().await;
        }
    }

    /// Gives the key back, because the call has failed.
    pub(crate) async fn release(mut self) {
        self.is_over = true;
        // A record that stays is taken for lost, which is as safe.
        if let Ok(Some(_)) = self.own().await {
            let _ = self.store.remove(&self.key).await;
        }
    }

    async fn write(&mut self) -> Result<()> {
        // A renewal that was under way when the call ended may have changed the version.
        for _ in 0..3 {
            let Some(version) = self.own().await? else {
                return Ok(());
            };
            let value = self.record.encode();
            if self.store.replace(&self.key, version, value, KEPT).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The version of the record, if it is still that of this run.
    async fn own(&self) -> Result<Option<u64>> {
        let found = self.store.get(&self.key).await?;
        let own =
            found.filter(|it| Once::decode(&it.value).is_ok_and(|it| it.run == self.record.run));
        Ok(own.map(|it| it.version))
    }
}

impl Drop for Lease {
    /// A call that was ended because it would run again gives its key back.
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        if !self.is_over {
            let lease = Lease {
                store: self.store.clone(),
                key: std::mem::take(&mut self.key),
                record: Once {
                    print: String::new(),
                    run: std::mem::take(&mut self.record.run),
                    state: State::Running,
                    answer: None,
                },
                version: self.version,
                is_over: true,
            };
            drop(runtime.spawn(lease.release()));
        }
    }
}

impl Once {
    fn encode(&self) -> String {
        serde_json::to_string(self).expect("a record of texts is JSON")
    }

    fn decode(text: &str) -> Result<Once> {
        serde_json::from_str(text).map_err(|error| {
            Error::internal("a call that was kept cannot be read").with_source(error)
        })
    }
}
