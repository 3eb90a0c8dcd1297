//! A connection to one MCP server: its era, what it can do, and requests to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::exchange::{Exchange, Request};
use super::failure::Failure;
use super::headers::{self, VERSION};
use super::http::Http;
use super::replies::Replies;
use crate::error::Error;

/// The revision without sessions.
const MODERN: &str = "2026-07-28";
/// The revisions that begin with `initialize`, the newest first.
const LEGACY: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// How a client and its server speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    /// Revision 2026-07-28: everything is in each request.
    Modern,
    /// An older revision, which begins with `initialize`.
    Legacy(&'static str),
}

/// Which revision a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Revision {
    /// The newest one that the server knows.
    Newest,
    /// This one, and no other.
    Exactly(Era),
}

/// What a client says about itself.
pub(crate) struct Hello {
    pub(crate) name: String,
    pub(crate) version: String,
    /// What it can do for the server, e.g. `{"elicitation": {}}`.
    pub(crate) capabilities: Value,
    /// The least level of the log messages that it wants.
    pub(crate) log_level: Option<String>,
}

/// A connection to a server, for any number of requests at a time.
pub(crate) struct Connection {
    http: Arc<Http>,
    hello: Hello,
    era: Era,
    next_id: AtomicU64,
    /// The server's name, version and more.
    pub(crate) info: Value,
    /// What the server can do.
    pub(crate) capabilities: Value,
    /// What the server tells the model about itself.
    pub(crate) instructions: Option<String>,
}

/// What `server/discover` and `initialize` return.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Introduction {
    #[serde(default)]
    protocol_version: Option<String>,
    #[serde(default)]
    supported_versions: Vec<String>,
    #[serde(default)]
    capabilities: Value,
    #[serde(default)]
    server_info: Value,
    #[serde(default)]
    instructions: Option<String>,
    #[serde(default, rename = "_meta")]
    meta: Value,
}

impl Revision {
    /// The revision of this name.
    ///
    /// # Errors
    /// The names that exist.
    pub(crate) fn parse(text: &str) -> Result<Revision, String> {
        let legacy = LEGACY.into_iter().find(|it| *it == text);
        match (text == MODERN, legacy) {
            (true, _) => Ok(Revision::Exactly(Era::Modern)),
            (_, Some(version)) => Ok(Revision::Exactly(Era::Legacy(version))),
            _ => Err(format!("expected {MODERN}, {}", LEGACY.join(", "))),
        }
    }
}

impl Era {
    /// The name of the revision.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Era::Modern => MODERN,
            Era::Legacy(version) => version,
        }
    }
}

impl Connection {
    /// Asks the server for the era that it knows, and introduces the client. `wait` is the most time that the server
    /// may say nothing.
    ///
    /// # Errors
    /// The server cannot be reached, refuses the client, or knows no common revision.
    pub(crate) async fn open(
        http: Arc<Http>,
        hello: Hello,
        revision: Revision,
        wait: Duration,
    ) -> Result<Connection, Failure> {
        let mut connection = Connection {
            http,
            hello,
            era: Era::Modern,
            next_id: AtomicU64::new(1),
            info: Value::Null,
            capabilities: Value::Null,
            instructions: None,
        };
        connection.introduce(revision, wait).await?;
        Ok(connection)
    }

    async fn introduce(&mut self, revision: Revision, wait: Duration) -> Result<(), Failure> {
        if let Revision::Exactly(Era::Legacy(version)) = revision {
            return self.initialize(version, wait).await;
        }
        let discovered = self.discover(wait).await;
        let is_other_era = match &discovered {
            Err(Failure::Transport(error)) => {
                // An answer that is not MCP may come from a server that does not know the method.
                !error.is_unreachable()
            }
            Err(failure) => !failure.is_modern() && !failure.is_denial(),
            Ok(()) => false,
        };
        match discovered {
            Err(failure) if is_other_era && revision == Revision::Newest => {
                // The reason why the newer era failed says more where the server has neither.
                self.initialize(LEGACY[0], wait)
                    .await
                    .map_err(|older| match older {
                        Failure::Rpc(_) | Failure::Transport(_) => older,
                        Failure::Status(ref it) if it.code != StatusCode::NOT_FOUND => older,
                        Failure::Status(_) => failure,
                    })
            }
            other => other,
        }
    }

    async fn discover(&mut self, wait: Duration) -> Result<(), Failure> {
        self.era = Era::Modern;
        let answer = self.ask("server/discover", json!({}), wait).await?;
        let introduction = self.introduction(&answer)?;
        if !introduction
            .supported_versions
            .iter()
            .any(|it| it == MODERN)
        {
            let versions = introduction.supported_versions.join(", ");
            return Err(self.invalid(format!("supports {versions} and not {MODERN}")));
        }
        self.info = introduction.meta["io.modelcontextprotocol/serverInfo"].clone();
        self.capabilities = introduction.capabilities;
        self.instructions = introduction.instructions;
        Ok(())
    }

    async fn initialize(&mut self, version: &'static str, wait: Duration) -> Result<(), Failure> {
        self.era = Era::Legacy(version);
        let Hello {
            name,
            version: own,
            capabilities,
            ..
        } = &self.hello;
        let params = json!({
            "protocolVersion": version,
            "capabilities": capabilities,
            "clientInfo": {"name": name, "version": own},
        });
        let answer = self.ask("initialize", params, wait).await?;
        let introduction = self.introduction(&answer)?;
        let chosen = introduction.protocol_version.unwrap_or_default();
        let Some(version) = LEGACY.into_iter().find(|it| *it == chosen) else {
            return Err(self.invalid(format!("chose the revision `{chosen}`, which is unknown")));
        };
        self.era = Era::Legacy(version);
        self.info = introduction.server_info;
        self.capabilities = introduction.capabilities;
        self.instructions = introduction.instructions;
        self.notify("notifications/initialized", wait).await?;
        if let (Some(level), true) = (
            &self.hello.log_level,
            self.capabilities["logging"].is_object(),
        ) {
            self.ask("logging/setLevel", json!({"level": level}), wait)
                .await?;
        }
        Ok(())
    }

    /// How this connection speaks.
    pub(crate) fn era(&self) -> Era {
        self.era
    }

    /// The address of the server, for messages.
    pub(crate) fn name(&self) -> &str {
        self.http.name()
    }

    /// Sends a request; its [`Exchange`] is what the server says to it.
    ///
    /// # Errors
    /// The server gives no answer, or refuses the request.
    pub(crate) async fn start(
        &self,
        request: Request,
        wait: Duration,
    ) -> Result<Exchange<'_>, Failure> {
        Exchange::start(self, request, wait).await
    }

    /// Sends a request whose notifications do not matter, and returns its result.
    ///
    /// # Errors
    /// As [`Connection::start`], and a JSON-RPC error.
    pub(crate) async fn ask(
        &self,
        method: &'static str,
        params: Value,
        wait: Duration,
    ) -> Result<Box<RawValue>, Failure> {
        let mut exchange = self.start(Request::new(method, params), wait).await?;
        exchange.result(wait).await
    }

    /// Opens the stream of messages that belong to no request, which older revisions have.
    ///
    /// # Errors
    /// The server has none.
    pub(crate) async fn listen(&self, wait: Duration) -> Result<Exchange<'_>, Failure> {
        let replies = self.http.get(self.headers("", &Value::Null), wait).await?;
        Ok(Exchange::unasked(self, replies))
    }

    /// Ends the session of an older server.
    pub(crate) async fn close(&self, wait: Duration) {
        self.http.end(self.headers("", &Value::Null), wait).await;
    }

    /// Sends a notification.
    ///
    /// # Errors
    /// The server refuses it.
    pub(crate) async fn notify(&self, method: &str, wait: Duration) -> Result<(), Failure> {
        let message = json!({"jsonrpc": "2.0", "method": method});
        let headers = self.headers(method, &Value::Null);
        self.http.post(message.to_string(), headers, wait).await?;
        Ok(())
    }

    /// Posts the answer to a question of the server.
    pub(super) async fn reply(&self, message: Value, wait: Duration) -> Result<(), Failure> {
        let headers = self.headers("", &Value::Null);
        self.http.post(message.to_string(), headers, wait).await?;
        Ok(())
    }

    /// Posts a request; returns its id.
    pub(super) async fn post(
        &self,
        request: &Request,
        params: Value,
        wait: Duration,
    ) -> Result<(u64, Replies), Failure> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let params = self.params(params, id);
        let mut headers = self.headers(request.method, &params);
        headers.extend(request.headers.clone());
        let message =
            json!({"jsonrpc": "2.0", "id": id, "method": request.method, "params": params});
        let replies = self.http.post(message.to_string(), headers, wait).await?;
        Ok((id, replies))
    }

    /// The parameters with the `_meta` of the era. The progress token is the id.
    fn params(&self, mut params: Value, id: u64) -> Value {
        let Value::Object(fields) = &mut params else {
            return params;
        };
        let meta = fields.entry("_meta").or_insert_with(|| json!({}));
        let Value::Object(meta) = meta else {
            return params;
        };
        meta.entry("progressToken").or_insert(id.into());
        if self.era == Era::Modern {
            self.add_client(meta);
        }
        params
    }

    fn add_client(&self, meta: &mut Map<String, Value>) {
        let key = |name: &str| format!("io.modelcontextprotocol/{name}");
        let Hello {
            name,
            version,
            capabilities,
            log_level,
        } = &self.hello;
        meta.insert(key("protocolVersion"), MODERN.into());
        meta.insert(key("clientCapabilities"), capabilities.clone());
        meta.insert(key("clientInfo"), json!({"name": name, "version": version}));
        if let Some(level) = log_level {
            meta.insert(key("logLevel"), level.clone().into());
        }
    }

    fn headers(&self, method: &str, params: &Value) -> HeaderMap {
        match self.era {
            Era::Modern => headers::standard(MODERN, method, params),
            // The client must not name a revision before the server has chosen one.
            Era::Legacy(_) if method == "initialize" => HeaderMap::new(),
            Era::Legacy(version) => {
                HeaderMap::from_iter([(VERSION, HeaderValue::from_static(version))])
            }
        }
    }

    fn introduction(&self, answer: &RawValue) -> Result<Introduction, Failure> {
        serde_json::from_str(answer.get())
            .map_err(|error| self.invalid(format!("introduces itself in another form: {error}")))
    }

    pub(super) fn invalid(&self, problem: impl std::fmt::Display) -> Failure {
        Error::invalid_response(self.name().to_owned(), problem).into()
    }
}
