//! Mounted servers as a part of an application: when they are started, how they change the catalog, and their page.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::json;

use super::{App, MCP, Server};
use crate::clock::Deadline;
use crate::config::Config;
use crate::context::Context;
use crate::context::MountStates;
use crate::context::answered::Answered;
use crate::context::updates::Topic;
pub(super) use crate::providers::mcp::Mounts;
use crate::providers::mcp::{Change, Mount};
use crate::rest;
use crate::store::Store;
use crate::telemetry::Outcome;

/// How long a check waits for every server.
#[cfg(feature = "cli")]
const TRIED: Duration = Duration::from_secs(60);

/// The time that is left after an answer for what follows the lists.
const RESERVE: Duration = Duration::from_millis(250);

/// The page about mounted servers.
pub(super) const STATUS: &str = "/mounts";

/// The servers that an application declares.
pub(super) fn declared(server: &mut Server) -> Vec<Mount> {
    std::mem::take(&mut server.mounts)
}

/// These, and those of the settings; `None` if there are none.
///
/// # Errors
/// A line for everything that is wrong.
pub(super) fn of(
    declared: Vec<Mount>,
    config: &Arc<Config>,
    store: &Store,
) -> Result<Option<Arc<Mounts>>, Vec<String>> {
    Ok(Mounts::new(declared, config, store)?.map(Arc::new))
}

/// What `/health` says of them.
pub(super) fn states(mounts: &Arc<Mounts>) -> Arc<MountStates> {
    let mounts = mounts.clone();
    Arc::new(move || {
        let all = mounts.status().into_iter();
        all.map(|it| (it.name, it.state)).collect()
    })
}

/// The topics of a server whose lists change.
pub(super) fn with_lists(mut topics: Vec<Topic>) -> Vec<Topic> {
    topics.extend([Topic::Tools, Topic::Resources, Topic::Prompts]);
    topics
}

impl App {
    /// Starts to connect to mounted servers, in a process that lasts. A frozen one does so when it is first asked.
    pub(super) fn start_mounts(&self) {
        if let Some(mounts) = self.mounts.as_ref().filter(|_| !self.config().is_frozen()) {
            mounts.start(|| self.change());
        }
    }

    /// Starts them, and gives them a moment before the first request for what they offer.
    pub(super) async fn begin_mounts(&self, mounts: &Arc<Mounts>, path: &str) {
        let needs = path == MCP
            || path.starts_with("/api/")
            || matches!(path, STATUS | "/openapi.json" | "/docs" | "/ws");
        if needs {
            mounts.start(|| self.change());
            mounts.settle().await;
        }
    }

    /// Starts them for a WebSocket message or a continuation, which have no path.
    pub(crate) async fn need_mounts(&self) {
        if let Some(mounts) = &self.mounts {
            self.begin_mounts(mounts, MCP).await;
        }
    }

    /// Reads their lists again that are stale, where the process may be frozen after this.
    pub(super) async fn refresh_mounts(&self, end: Deadline) {
        if let Some(mounts) = self.mounts.as_ref().filter(|_| self.config().is_frozen()) {
            mounts
                .refresh(end.remaining().saturating_sub(RESERVE))
                .await;
        }
    }

    /// Connects to every mounted server, and says what each offers and what is refused of it; and whether all have answered.
    #[cfg(feature = "cli")]
    pub(crate) async fn report_mounts(&self) -> (String, bool) {
        let Some(mounts) = &self.mounts else {
            return ("no server is mounted\n".to_owned(), true);
        };
        mounts.start(|| self.change());
        mounts.tried(TRIED).await;
        let all = mounts.status();
        let mut report = format!(
            "{:<24} {:<8} {:<6} {:<11} {:>5} {:>9} {:>7}\n",
            "server", "state", "by", "revision", "tools", "resources", "prompts"
        );
        for it in &all {
            let revision = it.revision.unwrap_or("-");
            report.push_str(&format!(
                "{:<24} {:<8} {:<6} {revision:<11} {:>5} {:>9} {:>7}\n",
                it.name, it.state, it.transport, it.tools, it.resources, it.prompts
            ));
        }
        for it in &all {
            let problems = it.error.iter().filter(|_| it.state != "up");
            for problem in problems {
                report.push_str(&format!("{}: {problem}\n", it.name));
            }
            for refused in &it.refused {
                report.push_str(&format!(
                    "{}: {} is refused: {}\n",
                    it.name, refused.what, refused.why
                ));
            }
        }
        (report, all.iter().all(|it| it.state == "up"))
    }

    fn change(&self) -> Change {
        let catalog = self.catalog().clone();
        Arc::new(move |change| {
            let changed = catalog.change(|functions| change(functions));
            changed.map_err(|refused| refused.to_string())
        })
    }
}

/// The state of each mounted server, for those who may call something.
pub(super) fn page(mounts: &Mounts, request: &Request) -> Answered {
    let cx = Context::of(request);
    if request.method() != http::Method::GET && request.method() != http::Method::HEAD {
        let class = "method_not_allowed";
        let detail = "`/mounts` answers GET only";
        return rest::problem(
            StatusCode::METHOD_NOT_ALLOWED,
            class,
            detail,
            cx.request_id(),
        );
    }
    let body = json!({ "mounts": mounts.status() });
    let mut response = Response::new(Body::from(body.to_string()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Answered::new(response, Outcome::of_method("mounts"))
}
