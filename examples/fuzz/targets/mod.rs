//! The fuzzed parsers, each behind the protocol or function that uses it.

mod argument;
mod event;
mod head;
mod message;
mod rest;
mod setting;
mod socket;
mod state;
mod upstream;

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::mutate::Mutator;
use crate::verdict::Verdict;
use crate::world::{Failure, World};

/// One parser.
pub struct Target {
    pub name: &'static str,
    /// Concurrent inputs; more than one if most of the time is waiting.
    pub width: usize,
    pub seeds: Vec<Vec<u8>>,
    pub generate: fn(&mut Mutator, &[Vec<u8>]) -> Vec<u8>,
    pub run: fn(Arc<World>, Vec<u8>) -> BoxFuture<'static, Verdict>,
}

/// All targets.
///
/// # Errors
/// A seed cannot be created.
pub async fn all(world: &World) -> Result<Vec<Target>, Failure> {
    let [messages, batches] = message::targets();
    let [events, gateway] = event::targets()?;
    Ok(vec![
        messages,
        batches,
        head::target(),
        events,
        socket::target(),
        gateway,
        state::cursors(world).await?,
        state::target(world).await?,
        argument::dates(),
        upstream::target(world),
        rest::arguments(world),
        rest::batches(),
        setting::target(),
    ])
}
