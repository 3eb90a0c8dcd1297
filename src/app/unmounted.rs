//! The place of mounted servers in a program that is built without them.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;

use super::{App, Server};
use crate::clock::Deadline;
use crate::config::Config;
use crate::context::MountStates;
use crate::context::answered::Answered;
use crate::context::updates::Topic;
use crate::store::Store;

/// The page about mounted servers.
pub(super) const STATUS: &str = "/mounts";

/// Mounted servers, which cannot be made.
pub(super) enum Mounts {}

/// The servers that an application declares.
pub(super) struct Nothing;

pub(super) fn declared(_: &mut Server) -> Nothing {
    Nothing
}

/// Nothing is mounted without the feature.
///
/// # Errors
/// The settings name a file of servers.
pub(super) fn of(
    Nothing: Nothing,
    config: &Config,
    _: &Store,
) -> Result<Option<Arc<Mounts>>, Vec<String>> {
    match config.mcp_servers {
        None => Ok(None),
        Some(_) => Err(vec![
            "`BIFOLD_MCP_SERVERS`: this program is built without the feature `mounts`".to_owned(),
        ]),
    }
}

pub(super) fn states(mounts: &Arc<Mounts>) -> Arc<MountStates> {
    match **mounts {}
}

pub(super) fn with_lists(topics: Vec<Topic>) -> Vec<Topic> {
    topics
}

pub(super) fn page(mounts: &Mounts, _: &Request) -> Answered {
    match *mounts {}
}

impl App {
    pub(super) fn start_mounts(&self) {}

    pub(crate) async fn need_mounts(&self) {}

    pub(super) async fn refresh_mounts(&self, _: Deadline) {}

    pub(super) async fn begin_mounts(&self, mounts: &Arc<Mounts>, _: &str) {
        match **mounts {}
    }
}

impl Mounts {
    pub(super) async fn stop(&self, _: Duration) {
        match *self {}
    }
}
