//! MCP over Streamable HTTP without sessions: bytes in, bytes out, for clients of both protocol eras.

mod accept;
mod blocks;
mod call;
mod complete;
mod cursor;
mod events;
mod fault;
mod gate;
mod headers;
mod legacy;
mod list;
mod message;
mod method;
mod modern;
mod payload;
mod prompt;
mod read;
mod result;
mod version;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use http::{HeaderMap, StatusCode};
use serde_json::value::RawValue;

use crate::context::Context;
use crate::origin::AllowedOrigins;
use crate::registry::Registry;
use crate::server::Info;
use crate::telemetry::{Outcome, Pending};

use fault::Fault;
use message::{Incoming, Request};
use payload::Payloads;
use version::Era;

/// Messages of one batch.
const MAX_BATCH: usize = 100;

/// Calls of one batch that run at the same time.
const BATCH_WIDTH: usize = 8;

/// The MCP face of one application.
pub struct Endpoint {
    registry: Arc<Registry>,
    payloads: Payloads,
    origins: AllowedOrigins,
}

/// What goes back.
pub struct Reply {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body.
    pub body: Body,
    /// What the log says of it; of a stream, if it is given up before its end.
    pub outcome: Outcome,
}

/// The body of a [`Reply`].
pub enum Body {
    /// The answer to a notification.
    Empty,
    /// One JSON-RPC message (or batch) on one line.
    Json(Vec<u8>),
    /// Server-sent events, each one JSON-RPC message, and what the log says of them once they have ended.
    Events(BoxStream<'static, Bytes>, Pending),
}

impl Endpoint {
    /// The face of `registry`, as the server that `info` describes, with `page_size` entries on a page of a list, at
    /// least 1.
    pub fn new(
        registry: Arc<Registry>,
        info: &Info,
        page_size: usize,
        origins: AllowedOrigins,
    ) -> Endpoint {
        let payloads = Payloads::new(registry.clone(), info, page_size);
        Endpoint {
            registry,
            payloads,
            origins,
        }
    }

    /// Answers the body of one `POST /mcp`.
    pub async fn answer(&self, headers: &HeaderMap, body: &[u8], cx: &Context) -> Reply {
        if let Err(fault) = gate::check(headers, &self.origins) {
            return Reply::fault(None, fault);
        }
        match message::parse(body) {
            Ok(Incoming::Single(single)) => self.single(headers, single, cx).await,
            Ok(Incoming::Batch(batch)) => self.batch(headers, batch, cx).await,
            Err(fault) => Reply::fault(None, fault),
        }
    }

    async fn single(&self, headers: &HeaderMap, message: &RawValue, cx: &Context) -> Reply {
        match message::read(message) {
            Ok(Some(mut request)) => {
                request.accept = Some(headers);
                self.request(headers, &request, cx).await
            }
            // A notification asks for nothing, and none that a client may send means anything without a session.
            Ok(None) => Reply::accepted(),
            Err((id, fault)) => Reply::fault(id, fault),
        }
    }

    async fn request(&self, headers: &HeaderMap, request: &Request<'_>, cx: &Context) -> Reply {
        match Era::of(headers, request) {
            Ok(Era::Modern) => modern::answer(self, headers, request, cx).await,
            Ok(Era::Legacy(version)) => legacy::answer(self, version, request, cx).await,
            Err(fault) => Reply::fault(Some(request.id), fault),
        }
    }

    /// A batch, which only revision 2025-03-26 knows: the answers in the order of the requests.
    async fn batch(&self, headers: &HeaderMap, batch: Vec<&RawValue>, cx: &Context) -> Reply {
        if let Err(fault) = version::allows_batch(headers) {
            return Reply::fault(None, fault);
        }
        if batch.len() > MAX_BATCH {
            let problem = format!("{} messages, at most {MAX_BATCH} are taken", batch.len());
            return Reply::fault(None, Fault::invalid_request(problem));
        }
        // Collected first, because the compiler cannot name the lifetimes of a closure's futures in a stream.
        let mut answers = Vec::with_capacity(batch.len());
        for message in batch {
            answers.push(self.batched(message, cx));
        }
        let answers: Vec<Reply> = stream::iter(answers).buffered(BATCH_WIDTH).collect().await;
        let error = answers.iter().find_map(|reply| reply.outcome.error);
        let bodies: Vec<Vec<u8>> = answers.into_iter().filter_map(Reply::json).collect();
        match bodies.is_empty() {
            true => Reply::accepted(),
            false => {
                let outcome = Outcome {
                    error,
                    ..Outcome::of_method("batch")
                };
                let body = [b"[".as_slice(), &bodies.join(&b','), b"]"].concat();
                Reply {
                    status: StatusCode::OK,
                    body: Body::Json(body),
                    outcome,
                }
            }
        }
    }

    async fn batched(&self, message: &RawValue, cx: &Context) -> Reply {
        match message::read(message) {
            Ok(Some(request)) if request.method == "initialize" => {
                let fault = Fault::invalid_request("`initialize` must not stand in a batch");
                Reply::fault(Some(request.id), fault)
            }
            Ok(Some(request)) => legacy::answer(self, version::BATCH, &request, cx).await,
            Ok(None) => Reply::accepted(),
            Err((id, fault)) => Reply::fault(id, fault),
        }
    }
}

impl Reply {
    fn accepted() -> Reply {
        Reply {
            status: StatusCode::ACCEPTED,
            body: Body::Empty,
            outcome: Outcome::of_method("notification"),
        }
    }

    /// The message, of a reply that is one.
    fn json(self) -> Option<Vec<u8>> {
        match self.body {
            Body::Json(json) => Some(json),
            Body::Empty | Body::Events(..) => None,
        }
    }

    fn fault(id: Option<&RawValue>, fault: Fault) -> Reply {
        let outcome = Outcome {
            error: Some(fault.name()),
            ..Outcome::default()
        };
        Reply {
            status: fault.status,
            body: Body::Json(fault.encode(id)),
            outcome,
        }
    }
}
