//! What was agreed with a mounted server before the first call: the era, the revision, the session.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::failure::{Failure, error};
use super::link::{Exchange, Link, Request};
use super::wire;
use crate::error::Kind;

/// The revision whose requests carry everything in `_meta`.
pub(super) const MODERN: &str = "2026-07-28";

/// The revisions that begin with `initialize`, the latest first.
const LEGACY: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// How long a server may take to say whether it knows the modern era, before the other one is tried.
const PROBE: Duration = Duration::from_secs(5);

/// The code by which a server refuses a revision.
const UNSUPPORTED: i64 = -32022;

/// How long a server may take to open a session.
pub(super) const OPENING: Duration = Duration::from_secs(10);

/// The agreement with a server.
pub(super) struct Session {
    /// The revision.
    pub(super) version: &'static str,
    /// The id of the session, where the server has one.
    pub(super) id: Option<HeaderValue>,
    /// The capabilities of the server.
    pub(super) capabilities: Value,
}

/// `_meta` of a request of the modern era.
#[derive(Clone, Serialize)]
pub(super) struct ModernMeta {
    #[serde(rename = "io.modelcontextprotocol/protocolVersion")]
    version: &'static str,
    #[serde(rename = "io.modelcontextprotocol/clientInfo")]
    client: Client,
    #[serde(rename = "io.modelcontextprotocol/clientCapabilities")]
    capabilities: Value,
}

/// Our name and version.
#[derive(Clone, Serialize)]
struct Client {
    name: &'static str,
    version: &'static str,
}

const CLIENT: Client = Client {
    name: "bifold",
    version: env!("CARGO_PKG_VERSION"),
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Discovered {
    #[serde(default)]
    supported_versions: Vec<String>,
    #[serde(default)]
    capabilities: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Initialized {
    protocol_version: String,
    #[serde(default)]
    capabilities: Value,
}

/// The revision of this name, if it is known.
pub(super) fn known(revision: &str) -> Option<&'static str> {
    let all = [MODERN].into_iter().chain(LEGACY);
    all.into_iter().find(|it| *it == revision)
}

impl ModernMeta {
    /// For a client with these capabilities.
    pub(super) fn new(capabilities: Value) -> ModernMeta {
        ModernMeta {
            version: MODERN,
            client: CLIENT,
            capabilities,
        }
    }
}

impl Session {
    /// Before anything is agreed.
    pub(super) fn none(version: &'static str) -> Session {
        Session {
            version,
            id: None,
            capabilities: Value::Null,
        }
    }

    pub(super) fn is_modern(&self) -> bool {
        self.version == MODERN
    }

    /// Whether the server has this list or feature.
    pub(super) fn has(&self, capability: &str) -> bool {
        self.capabilities
            .get(capability)
            .is_some_and(|it| !it.is_null())
    }

    /// Agrees with the server on the latest era that it knows.
    pub(super) async fn open(link: &Link, skips_modern: bool) -> Result<Session, Failure> {
        if !skips_modern {
            match tokio::time::timeout(PROBE, discover(link)).await {
                Ok(Ok(Some(session))) => return Ok(session),
                // It is not there, or wants other credentials: the other era would fail in the same way.
                Ok(Err(failure)) => return Err(failure),
                Ok(Ok(None)) | Err(_) => {}
            }
        }
        let opening = async {
            match initialize(link).await {
                // A server that starts slowly takes the question that was given up for the beginning of the modern era.
                Err(Failure::Refused(failure, status)) if failure.code == UNSUPPORTED => {
                    let found = discover(link).await?;
                    found.ok_or(Failure::Refused(failure, status))
                }
                opened => opened,
            }
        };
        let opened = tokio::time::timeout(OPENING, opening).await;
        opened.unwrap_or_else(|_| {
            let problem = format!("did not open a session within {} s", OPENING.as_secs());
            let failed = error(link.mount(), Kind::UpstreamTimeout, None, &problem);
            Err(Failure::Unseen(failed))
        })
    }
}

/// Asks for the revisions that the server knows; `None` if the modern one is not among them.
async fn discover(link: &Link) -> Result<Option<Session>, Failure> {
    let session = Arc::new(Session::none(MODERN));
    let params = json!({ "_meta": ModernMeta::new(json!({})) });
    let request = Request::new(link.next_id(), "server/discover", &params);
    let result = async {
        let exchange = link.open(&session, request).await?;
        exchange.only_result().await
    };
    let result = match result.await {
        Ok(result) => result,
        Err(Failure::Unseen(error)) => return Err(Failure::Unseen(error)),
        Err(Failure::Refused(_, Some(status @ (401 | 403)))) => {
            let problem = format!("refuses the credentials of the mount (HTTP {status})");
            let refused = error(link.mount(), Kind::UpstreamError, Some(status), &problem);
            return Err(Failure::Unseen(refused));
        }
        Err(_) => return Ok(None),
    };
    let discovered = serde_json::from_str::<Discovered>(result.get()).ok();
    let known = discovered.filter(|it| it.supported_versions.iter().any(|it| it == MODERN));
    Ok(known.map(|it| Session {
        capabilities: it.capabilities,
        ..Session::none(MODERN)
    }))
}

async fn initialize(link: &Link) -> Result<Session, Failure> {
    let session = Arc::new(Session::none(LEGACY[0]));
    let params = json!({
        "protocolVersion": LEGACY[0],
        // The server asks us, and we ask the client of the call.
        "capabilities": { "elicitation": { "form": {}, "url": {} }, "sampling": {}, "roots": {} },
        "clientInfo": CLIENT,
    });
    let request = Request::new(link.next_id(), "initialize", &params);
    let mut exchange = link.open(&session, request).await?;
    let id = exchange.session_id();
    let result = exchange.result().await?;
    let agreed = read(link.mount(), &result)?;
    let session = Session { id, ..agreed };
    let initialized = wire::notification("notifications/initialized", None::<&Value>);
    link.tell(&session, initialized).await?;
    Ok(session)
}

fn read(mount: &str, result: &RawValue) -> Result<Session, Failure> {
    let invalid = |problem: &str| {
        let failed = error(mount, Kind::UpstreamInvalidResponse, None, problem);
        Failure::Unseen(failed)
    };
    let read = serde_json::from_str::<Initialized>(result.get());
    let initialized =
        read.map_err(|_| invalid("answered `initialize` without the version of the protocol"))?;
    let version = LEGACY
        .into_iter()
        .find(|it| *it == initialized.protocol_version);
    let version = version.ok_or_else(|| {
        let shown = wire::shown(&initialized.protocol_version);
        invalid(&format!(
            "speaks only the revision `{shown}` of the protocol, which is not known here"
        ))
    })?;
    Ok(Session {
        version,
        id: None,
        capabilities: initialized.capabilities,
    })
}

impl Exchange {
    /// The result of a request that stands for no call of a client: the server gets no answer to what it asks meanwhile.
    pub(super) async fn result(&mut self) -> Result<Box<RawValue>, Failure> {
        loop {
            if let Some(outcome) = self.next().await?.outcome_or_tell(self).await {
                return outcome;
            }
        }
    }

    /// As [`Exchange::result`], for a request that is not needed any more then.
    pub(super) async fn only_result(mut self) -> Result<Box<RawValue>, Failure> {
        self.result().await
    }
}
