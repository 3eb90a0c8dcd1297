//! The stream on which a mounted server says that its lists have changed.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::link::{Exchange, Request, Said, unbidden};
use super::peer::Connection;
use super::session::ModernMeta;

/// The stream of changes of a server over HTTP.
pub(super) struct Changes {
    connection: Arc<Connection>,
    stream: Exchange,
    since: Instant,
}

impl Changes {
    /// Opens the stream, if the server has one.
    pub(super) async fn open(connection: &Arc<Connection>) -> Option<Changes> {
        Some(Changes {
            stream: open(connection).await?,
            connection: connection.clone(),
            since: Instant::now(),
        })
    }

    /// Whether it is the stream of this connection.
    pub(super) fn is_of(&self, connection: &Arc<Connection>) -> bool {
        Arc::ptr_eq(&self.connection, connection)
    }

    /// How long ago it was opened.
    pub(super) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Waits until the server says that a list has changed; false if the stream has ended.
    pub(super) async fn next(&mut self) -> bool {
        loop {
            match self.stream.next().await {
                Ok(Said::Told { method, .. }) if method.ends_with("/list_changed") => return true,
                Ok(Said::Told { .. }) => {}
                Ok(Said::Asked { id, method, .. }) => {
                    self.stream.reply(&id, unbidden(&method)).await;
                }
                Ok(Said::Ended(_)) | Err(_) => return false,
            }
        }
    }
}

async fn open(connection: &Connection) -> Option<Exchange> {
    let (link, session) = (connection.link(), connection.session());
    let known = &session.capabilities;
    let [tools, resources, prompts] =
        [known.tools, known.resources, known.prompts].map(|it| it.tells_changes);
    if !(tools || resources || prompts) {
        return None;
    }
    if session.is_modern() {
        let params = json!({
            "notifications": {
                "toolsListChanged": tools,
                "resourcesListChanged": resources,
                "promptsListChanged": prompts,
            },
            "_meta": ModernMeta::new(json!({})),
        });
        let request = Request::new(link.next_id(), "subscriptions/listen", &params);
        return link.open(session, request).await.ok();
    }
    let opened = link.as_http()?.listen(session).await;
    opened.ok().flatten().map(|it| Exchange::Http(Box::new(it)))
}
