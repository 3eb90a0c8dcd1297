//! How a mounted server says that its lists have changed.

use serde_json::json;

use super::link::{Exchange, Request};
use super::peer::Connection;
use super::session::ModernMeta;

/// The stream of changes of a server over HTTP, if it has one.
pub(super) async fn listen(connection: &Connection) -> Option<Exchange> {
    let (link, session) = (connection.link(), connection.session());
    let changes = |it: &str| session.capabilities[it]["listChanged"] == true;
    if !["tools", "resources", "prompts"].into_iter().any(changes) {
        return None;
    }
    if session.is_modern() {
        let params = json!({
            "notifications": {
                "toolsListChanged": changes("tools"),
                "resourcesListChanged": changes("resources"),
                "promptsListChanged": changes("prompts"),
            },
            "_meta": ModernMeta::new(json!({})),
        });
        let request = Request::new(link.next_id(), "subscriptions/listen", &params);
        return link.open(session, request).await.ok();
    }
    let opened = link.as_http()?.listen(session).await;
    opened.ok().flatten().map(|it| Exchange::Http(Box::new(it)))
}
