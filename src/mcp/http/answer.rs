//! Answers the body of one POST: a single message, or each message of a batch.

use futures_util::StreamExt;
use futures_util::stream;
use http::{HeaderMap, StatusCode};
use serde_json::value::RawValue;

use crate::context::Context;
use crate::error::Error;
use crate::mcp::http::endpoint::Endpoint;
use crate::mcp::http::response::{Body, McpResponse};
use crate::mcp::http::{dispatch, gate, legacy, modern};
use crate::mcp::messages::accept;
use crate::mcp::messages::envelope::{self, Incoming, Malformed, Message, Request};
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::version::{self, Era, Shape};
use crate::telemetry::Outcome;

/// The maximum number of messages in a batch.
const MAX_BATCH: usize = 100;

/// The number of calls of one batch that run at the same time.
const BATCH_WIDTH: usize = 8;

/// The bytes to reserve for the envelope around a result.
const ENVELOPE: usize = 256;

impl Endpoint {
    /// Answers the body of one `POST /mcp`.
    pub async fn answer(&self, headers: &HeaderMap, body: &[u8], cx: &Context) -> McpResponse {
        let absent = version::absent_id(headers);
        if let Err(rpc_error) = gate::check(headers, &self.origins) {
            return McpResponse::rpc_error(absent, rpc_error);
        }
        match envelope::parse(body) {
            Ok(Incoming::Single(message)) => self.single(headers, message, cx).await,
            // Boxed: batches are rare, and their future would enlarge that of every request.
            Ok(Incoming::Batch(batch)) => Box::pin(self.batch(headers, batch, cx)).await,
            Err(rpc_error) => McpResponse::rpc_error(absent, rpc_error),
        }
    }

    async fn single(
        &self,
        headers: &HeaderMap,
        message: Result<Message<'_>, Malformed<'_>>,
        cx: &Context,
    ) -> McpResponse {
        match message {
            Ok(Message::Request { id, method, params }) => {
                match Request::read(id, method, params, accept::events(headers)) {
                    Ok(request) => self.request(Some(headers), &request, cx).await,
                    Err(rpc_error) => McpResponse::rpc_error(Some(id), rpc_error),
                }
            }
            // Notifications refer to a session, and there are none, so they are accepted and ignored.
            Ok(Message::Notification { .. }) => McpResponse::accepted("notification"),
            Ok(Message::Response { id, text }) => {
                let absent = version::absent_id(headers);
                self.response(&id, text, absent, cx).await
            }
            Err(Malformed { id, error }) => {
                McpResponse::rpc_error(id.or(version::absent_id(headers)), error)
            }
        }
    }

    /// Delivers a client's answer to the request that waits for it, perhaps in another process. A refusal carries the
    /// `absent` id, because the id of the message is not the id of a request.
    pub(super) async fn response(
        &self,
        id: &str,
        text: &str,
        absent: Option<&RawValue>,
        cx: &Context,
    ) -> McpResponse {
        let pending_requests = self.executor.pending_requests.of(cx);
        let delivering = pending_requests.deliver(id, text);
        let delivered = cx.timeout(delivering).await;
        match delivered.unwrap_or_else(|| Err(Error::deadline_exceeded())) {
            Ok(true) => McpResponse::accepted("response"),
            Ok(false) => {
                let problem = "no question of this `id` waits for an answer: it was answered, or its call has ended";
                McpResponse::rpc_error(absent, RpcError::invalid_request(problem))
            }
            Err(error) => McpResponse::rpc_error(absent, RpcError::undelivered(&error)),
        }
    }

    /// Answers one request. `headers` is `None` where it did not arrive over HTTP.
    pub(super) async fn request(
        &self,
        headers: Option<&HeaderMap>,
        request: &Request<'_>,
        cx: &Context,
    ) -> McpResponse {
        if let Some(trace) = request.params.meta.trace() {
            cx.set_trace(trace);
        }
        if cx.is_guarded()
            && let Err(denied) = self.authorize(request, cx)
        {
            return refused(Some(request.id), &request.method, &denied, cx);
        }
        let mut response = match Era::of(headers, request) {
            Ok(Era::Modern) => modern::answer(self, headers, request, cx).await,
            Ok(Era::Legacy(version)) => legacy::answer(self, version, request, cx).await,
            Err(rpc_error) => McpResponse::rpc_error(Some(request.id), rpc_error),
        };
        let method = &mut response.outcome.method;
        *method = method.or(dispatch::of_function(&request.method));
        response
    }

    /// Answers a batch, which only revision 2025-03-26 supports: the responses are in the order of the requests.
    async fn batch(&self, headers: &HeaderMap, batch: Vec<&RawValue>, cx: &Context) -> McpResponse {
        let absent = version::absent_id(headers);
        if let Err(rpc_error) = version::allows_batch(headers) {
            return McpResponse::rpc_error(absent, rpc_error);
        }
        if batch.len() > MAX_BATCH {
            let problem = format!("{} messages, at most {MAX_BATCH} are taken", batch.len());
            return McpResponse::rpc_error(absent, RpcError::invalid_request(problem));
        }
        if cx.is_guarded()
            && let Err(denied) = self.authorize_batch(&batch, cx)
        {
            return refused(absent, "batch", &denied, cx);
        }
        let cx = &cx.batched();
        // Collected first, because the compiler cannot infer the lifetimes of futures that a closure in a stream
        // creates.
        let mut answers = Vec::with_capacity(batch.len());
        for message in batch {
            answers.push(self.batched(message, cx));
        }
        let answers: Vec<McpResponse> = stream::iter(answers).buffered(BATCH_WIDTH).collect().await;
        let error = answers.iter().find_map(|response| response.outcome.error);
        let bodies: Vec<Vec<u8>> = answers
            .into_iter()
            .filter_map(McpResponse::into_json)
            .collect();
        if bodies.is_empty() {
            return McpResponse::accepted("batch");
        }
        McpResponse {
            status: StatusCode::OK,
            body: Body::Batch([b"[".as_slice(), &bodies.join(&b','), b"]"].concat()),
            outcome: Outcome {
                error,
                ..Outcome::of_method("batch")
            },
        }
    }

    /// Answers one message of a batch. The envelope of its result is charged to the whole response.
    async fn batched(&self, message: &RawValue, cx: &Context) -> McpResponse {
        let response = self.answer_member(message, cx).await;
        if let Body::Message(message) = &response.body {
            cx.charge_unchecked(message.json().len().min(ENVELOPE));
        }
        response
    }

    async fn answer_member(&self, message: &RawValue, cx: &Context) -> McpResponse {
        // The revision with batches requires an id in every response.
        let absent = Some(RawValue::NULL);
        match envelope::read(message) {
            Ok(Message::Request { id, method, .. }) if method == "initialize" => {
                let rpc_error = RpcError::invalid_request("`initialize` must not stand in a batch");
                McpResponse::rpc_error(Some(id), rpc_error)
            }
            Ok(Message::Request { id, method, params }) => {
                match Request::read(id, method, params, false) {
                    Ok(request) => legacy::answer(self, version::BATCH, &request, cx).await,
                    Err(rpc_error) => McpResponse::rpc_error(Some(id), rpc_error),
                }
            }
            Ok(Message::Notification { .. }) => McpResponse::accepted("notification"),
            Ok(Message::Response { id, text }) => self.response(&id, text, absent, cx).await,
            Err(Malformed { id, error }) => McpResponse::rpc_error(id.or(absent), error),
        }
    }
}

/// The error of a caller that may not do it, by the name that it has in the log on every path.
fn refused(id: Option<&RawValue>, method: &str, denied: &Error, cx: &Context) -> McpResponse {
    let mut response =
        McpResponse::rpc_error(id, RpcError::of_error(Shape::Modern, method, denied));
    let class = cx.denial().map(|it| it.class());
    response.outcome.error = class.or(response.outcome.error);
    response
}
