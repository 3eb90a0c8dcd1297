//! Lambda events of every HTTP integration, and the responses in the format of each.

#[cfg(feature = "provenance")]
mod deadline;
#[cfg(feature = "provenance")]
mod hostile;
#[cfg(feature = "provenance")]
mod integrations;
mod late;
#[cfg(feature = "provenance")]
mod pings;
#[cfg(feature = "provenance")]
mod principal;
#[cfg(feature = "provenance")]
mod recorded;
#[cfg(feature = "provenance")]
mod sparse;
#[cfg(feature = "provenance")]
mod stream;
mod task;

use axum::body::to_bytes;
use bifold::RequestInfo;
use serde_json::Value;

use crate::support::TestApp;

/// The response that is posted to the platform.
pub struct Reply(pub Value);

impl Reply {
    pub fn status(&self) -> u64 {
        self.0["statusCode"].as_u64().unwrap()
    }

    pub fn text(&self) -> &str {
        assert_eq!(self.0["isBase64Encoded"], false);
        self.0["body"].as_str().unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(self.text()).unwrap()
    }

    /// A header in either of the two formats; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let single = &self.0["headers"][name];
        let multiple = &self.0["multiValueHeaders"][name][0];
        single.as_str().or(multiple.as_str()).unwrap_or("")
    }
}

/// A recorded event.
pub fn event(name: &str) -> Value {
    let path = format!("{}/tests/it/events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A recorded event with some of its fields changed.
pub fn changed(name: &str, fields: &[(&str, Value)]) -> Value {
    let mut event = event(name);
    for (pointer, value) in fields {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        event.pointer_mut(parent).unwrap()[key] = value.clone();
    }
    event
}

/// The response that is posted to the platform, which must be one document.
pub async fn document(reply: bifold::lambda::EventResponse) -> Value {
    assert!(!reply.is_streamed());
    let document = to_bytes(reply.into_body(), usize::MAX).await.unwrap();
    serde_json::from_slice(&document).unwrap()
}

pub async fn answer(app: &TestApp, event: &Value) -> Reply {
    arrived(app, event, RequestInfo::default()).await
}

async fn arrived(app: &TestApp, event: &Value, request_info: RequestInfo) -> Reply {
    let reply = bifold::lambda::answer(&app.app, &event.to_string(), request_info).await;
    Reply(document(reply.unwrap()).await)
}
