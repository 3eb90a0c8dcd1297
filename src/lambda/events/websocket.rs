//! Events of a WebSocket API: connect, disconnect and message.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use http::HeaderMap;
use http::header::SEC_WEBSOCKET_PROTOCOL;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::app::{App, RequestInfo};
use crate::auth::authorizer::principal;
use crate::clock::TimeLeft;
use crate::context::Context;
use crate::lambda::events::field::{Field, Fields, flag, merged, names, text};
use crate::lambda::events::request_parts::{build, headers};
use crate::lambda::events::response::EventResponse;
use crate::lambda::events::source::of_identity;
use crate::lambda::runtime::failure::Failure;
use crate::websocket::{Connection, PROTOCOL, Times};

/// The time that API Gateway waits for the invocation of a message.
const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(29);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebSocketEvent<'a> {
    #[serde(borrow, default, deserialize_with = "names")]
    headers: Option<Fields<'a>>,
    #[serde(borrow, default, deserialize_with = "names")]
    multi_value_headers: Option<Fields<'a>>,
    #[serde(borrow, default, deserialize_with = "names")]
    query_string_parameters: Option<Fields<'a>>,
    #[serde(borrow)]
    request_context: RequestContext<'a>,
    #[serde(borrow, default)]
    body: Field<'a>,
    #[serde(borrow, default)]
    is_base64_encoded: Field<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    event_type: EventType,
    #[serde(borrow, default)]
    authorizer: Option<&'a RawValue>,
    #[serde(borrow, default)]
    identity: Option<&'a RawValue>,
    #[serde(flatten)]
    connection: Connection,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum EventType {
    Connect,
    Message,
    Disconnect,
}

impl WebSocketEvent<'_> {
    /// Answers the event.
    ///
    /// # Errors
    /// The response cannot be delivered, or the store fails.
    pub(crate) async fn answer(
        self,
        app: &App,
        mut request_info: RequestInfo,
    ) -> Result<EventResponse, Failure> {
        let time = request_info.time_left.unwrap_or(TimeLeft::UNLIMITED);
        request_info.time_left = Some(time.at_most(INTEGRATION_TIMEOUT));
        let times = Times::of(request_info.time_left, app.config());
        let context = self.request_context;
        let checked = || principal(context.authorizer, context.identity);
        request_info.principal = request_info.principal.or_else(checked);
        let peer = of_identity(context.identity);
        request_info.peer = request_info.peer.or(peer);
        let cx = app.context_of(&HeaderMap::new(), request_info);
        let connection = context.connection;
        let sockets = app.sockets();
        let text = text(self.body).unwrap_or_default();
        let done = match context.event_type {
            EventType::Connect => {
                let (first, second) = (self.headers.as_ref(), self.multi_value_headers.as_ref());
                let headers = headers(first, second);
                let opened = (&connection, self.query_string_parameters);
                return Ok(connect(app, headers, opened, &cx).await);
            }
            EventType::Disconnect => {
                let forgotten = sockets.forget_caller(&connection, &cx).await;
                sockets.disconnect(&connection, &cx).await.and(forgotten)
            }
            EventType::Message if flag(self.is_base64_encoded) => {
                sockets.refuse_binary(&connection, &cx, times).await
            }
            EventType::Message => match sockets.recall_caller(&connection, &cx).await {
                Ok(()) => {
                    app.need_mounts().await;
                    sockets.message(connection, &text, cx, times).await
                }
                Err(error) => Err(error),
            },
        };
        done.map(|()| accepted()).map_err(Failure::undelivered)
    }
}

/// The response to API Gateway, which passes it on to the client only where it is a failure.
fn accepted() -> EventResponse {
    EventResponse::document(&json!({ "statusCode": 200 }))
}

/// The response to a client that is not let in.
async fn refused(
    app: &App,
    headers: &HeaderMap,
    connection: &Connection,
    cx: &Context,
) -> Option<EventResponse> {
    let found = app.identify_connection(headers, connection, cx).await;
    let (status, challenge) = found.err()?;
    app.sockets().refuse_caller(status, cx);
    Some(EventResponse::document(&json!({
        "statusCode": status.as_u16(),
        "headers": {
            "WWW-Authenticate": challenge.to_str().unwrap_or("Bearer"),
            "X-Content-Type-Options": "nosniff",
        },
    })))
}

async fn connect(
    app: &App,
    headers: Result<HeaderMap, String>,
    (connection, query): (&Connection, Option<Fields<'_>>),
    cx: &Context,
) -> EventResponse {
    let headers = headers.map_err(|_| "bad_request");
    let headers = headers.and_then(|it| app.admit_headers(&it).map(|()| it));
    if let Ok(headers) = &headers
        && let Some(refused) = app.pass_layers(|| upgrade(headers, query), cx).await
    {
        app.sockets().refuse_connection(refused.status(), cx);
        return EventResponse::document(&json!({ "statusCode": refused.status().as_u16() }));
    }
    if let Ok(headers) = &headers
        && let Some(refused) = refused(app, headers, connection, cx).await
    {
        return refused;
    }
    let status = app
        .sockets()
        .connect(headers.as_ref().map_err(|class| *class), cx);
    let mut answer = json!({
        "statusCode": status.as_u16(),
        "headers": { "X-Content-Type-Options": "nosniff" },
    });
    if status.is_success() && headers.is_ok_and(|it| offers(&it)) {
        answer["headers"]["Sec-WebSocket-Protocol"] = json!(PROTOCOL);
    }
    EventResponse::document(&answer)
}

/// The request by which the client has opened the connection, as a server of WebSockets would see it.
fn upgrade(headers: &HeaderMap, query: Option<Fields<'_>>) -> Result<Request, String> {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs: Vec<String> = merged(query.as_ref(), None, |one, other| one == other)
        .map(|(key, value)| format!("{}={}", encode(key), encode(&value)))
        .collect();
    build(
        "GET",
        "/ws",
        &pairs.join("&"),
        headers.clone(),
        Body::empty(),
    )
}

/// Whether the client offers the MCP subprotocol.
fn offers(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let mut names = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','));
    names.any(|name| name.trim() == PROTOCOL)
}
