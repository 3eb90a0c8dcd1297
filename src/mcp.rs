//! MCP over Streamable HTTP without sessions: bytes in, bytes out, for clients of both protocol eras.

mod accept;
mod blocks;
mod call;
mod closing;
mod complete;
mod conversation;
mod cursor;
mod events;
mod fault;
mod frame;
mod gate;
mod headers;
mod id;
mod legacy;
mod list;
mod listen;
mod mailbox;
mod message;
mod meta;
mod method;
mod modern;
mod notify;
mod payload;
mod peer;
mod prompt;
mod question;
mod read;
mod result;
mod rounds;
mod run;
mod seal;
mod task;
mod turn;
mod version;

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use http::{HeaderMap, StatusCode};
use serde_json::value::RawValue;

use crate::config::Config;
use crate::context::Context;
use crate::error::Error;
use crate::invoke::Invoker;
use crate::origin::AllowedOrigins;
use crate::registry::Registry;
use crate::server::Info;
use crate::store::Store;
use crate::telemetry::{Outcome, Pending};
use crate::updates::Updates;

use closing::Closing;
pub use events::Event;
use fault::Fault;
pub use frame::{Frame, refusal, unreadable, unreadable_in};
pub use id::same;
use mailbox::Mailbox;
pub use message::without_mark;
use message::{Incoming, Message, Request};
use payload::Payloads;
use seal::Seal;
use task::Tasks;
use version::Era;

/// Messages of one batch.
const MAX_BATCH: usize = 100;

/// Calls of one batch that run at the same time.
const BATCH_WIDTH: usize = 8;

/// What stands around a result at the most, in the usual case.
const FRAME: usize = 256;

/// The MCP face of one application.
pub struct Endpoint {
    registry: Arc<Registry>,
    payloads: Payloads,
    origins: AllowedOrigins,
    /// What clients keep between two rounds is sealed with it.
    seal: Arc<Seal>,
    /// Where clients answer what they are asked on a stream.
    mailbox: Mailbox,
    /// Where calls go on after their answer, if there are any that do.
    tasks: Option<Tasks>,
    /// Where changes are told.
    updates: Arc<Updates>,
    closing: Closing,
}

/// What an [`Endpoint`] stands on.
pub struct Basis<'a> {
    /// The functions.
    pub registry: Arc<Registry>,
    /// How the server introduces itself.
    pub info: &'a Info,
    /// Entries on one page of a list, at least 1.
    pub page_size: usize,
    /// The browser pages that may call.
    pub origins: AllowedOrigins,
    /// The settings of the process.
    pub config: &'a Config,
    /// What it shares with other processes.
    pub store: Store,
    /// How calls go on in a process that is frozen between requests, if they can.
    pub invoker: Option<Arc<Invoker>>,
    /// Where changes are told.
    pub updates: Arc<Updates>,
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
    /// What is sent until the response, this among it, and what the log says of it once it has ended.
    Events(BoxStream<'static, Event>, Pending),
}

impl Endpoint {
    /// The face of that registry. Processes that share the store and the keys go on with each other's calls.
    pub fn new(basis: Basis<'_>) -> Endpoint {
        let config = basis.config;
        let mut tools = basis.registry.tools().iter();
        let may_detach = tools.any(|tool| tool.on_mcp() && tool.may_detach());
        // A process that is frozen between requests goes on with a task only by invoking itself.
        let has_tasks = may_detach && (!config.is_frozen() || basis.invoker.is_some());
        let closing = Closing::new();
        let mailbox = Mailbox::new(basis.store.clone(), config.input_timeout, closing.clone());
        Endpoint {
            payloads: Payloads::new(&basis, has_tasks),
            seal: Arc::new(Seal::new(&config.state_keys)),
            mailbox,
            tasks: has_tasks.then(|| Tasks {
                store: basis.store,
                limit: config.task_timeout,
                invoker: basis.invoker,
                closing: closing.clone(),
            }),
            closing,
            registry: basis.registry,
            origins: basis.origins,
            updates: basis.updates,
        }
    }

    /// The process is to end: questions to clients of 2025 are given up, no call becomes a task any more, and the tasks
    /// of this process have a moment to end.
    pub fn close(&self) {
        self.closing.begin();
    }

    /// Ready when no question waits and no task runs in this process.
    pub async fn closed(&self) {
        self.closing.is_over().await;
    }

    /// Answers the body of one `POST /mcp`.
    pub async fn answer(&self, headers: &HeaderMap, body: &[u8], cx: &Context) -> Reply {
        let absent = version::absent_id(headers);
        if let Err(fault) = gate::check(headers, &self.origins) {
            return Reply::fault(absent, fault);
        }
        match message::parse(body) {
            Ok(Incoming::Single(single)) => self.single(headers, single, cx).await,
            Ok(Incoming::Batch(batch)) => self.batch(headers, batch, cx).await,
            Err(fault) => Reply::fault(absent, fault),
        }
    }

    async fn single(&self, headers: &HeaderMap, message: &RawValue, cx: &Context) -> Reply {
        match message::read(message) {
            Ok(Message::Request(mut request)) => {
                request.takes_events = accept::events(headers);
                self.request(Some(headers), &request, cx).await
            }
            // None that a client may send means anything without a session.
            Ok(Message::Notification { .. }) => Reply::accepted("notification"),
            Ok(Message::Response(id)) => {
                let absent = version::absent_id(headers);
                self.response(&id, message, absent, cx).await
            }
            Err((id, fault)) => Reply::fault(id.or(version::absent_id(headers)), fault),
        }
    }

    /// The answer to a question that a function of another request waits on, perhaps in another process.
    /// A refusal has the `absent` id, because that of the message is not one of a request.
    async fn response(
        &self,
        id: &str,
        message: &RawValue,
        absent: Option<&RawValue>,
        cx: &Context,
    ) -> Reply {
        let delivered = cx.timeout(self.mailbox.deliver(id, message)).await;
        match delivered.unwrap_or_else(|| Err(Error::deadline_exceeded())) {
            Ok(true) => Reply::accepted("response"),
            Ok(false) => {
                let problem = "no question of this `id` waits for an answer: it was answered, or its call has ended";
                Reply::fault(absent, Fault::invalid_request(problem))
            }
            Err(error) => Reply::fault(absent, Fault::undelivered(&error)),
        }
    }

    /// Answers one request, which has headers where it came over HTTP.
    async fn request(
        &self,
        headers: Option<&HeaderMap>,
        request: &Request<'_>,
        cx: &Context,
    ) -> Reply {
        if let Some(trace) = request.meta.trace() {
            cx.belongs_to(trace);
        }
        let mut reply = match Era::of(headers, request) {
            Ok(Era::Modern) => modern::answer(self, headers, request, cx).await,
            Ok(Era::Legacy(version)) => legacy::answer(self, version, request, cx).await,
            Err(fault) => Reply::fault(Some(request.id), fault),
        };
        let method = &mut reply.outcome.method;
        *method = method.or(method::of_function(&request.method));
        reply
    }

    /// A batch, which only revision 2025-03-26 knows: the answers in the order of the requests.
    async fn batch(&self, headers: &HeaderMap, batch: Vec<&RawValue>, cx: &Context) -> Reply {
        let absent = version::absent_id(headers);
        if let Err(fault) = version::allows_batch(headers) {
            return Reply::fault(absent, fault);
        }
        if batch.len() > MAX_BATCH {
            let problem = format!("{} messages, at most {MAX_BATCH} are taken", batch.len());
            return Reply::fault(absent, Fault::invalid_request(problem));
        }
        let cx = &cx.member();
        // Collected first, because the compiler cannot name the lifetimes of a closure's futures in a stream.
        let mut answers = Vec::with_capacity(batch.len());
        for message in batch {
            answers.push(self.batched(message, cx));
        }
        let answers: Vec<Reply> = stream::iter(answers).buffered(BATCH_WIDTH).collect().await;
        let error = answers.iter().find_map(|reply| reply.outcome.error);
        let bodies: Vec<Vec<u8>> = answers.into_iter().filter_map(Reply::json).collect();
        match bodies.is_empty() {
            true => Reply::accepted("batch"),
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

    /// One message of a batch. What stands around its result counts for the response of all.
    async fn batched(&self, message: &RawValue, cx: &Context) -> Reply {
        let reply = self.answer_member(message, cx).await;
        if let Body::Json(json) = &reply.body {
            cx.charge_anyway(json.len().min(FRAME));
        }
        reply
    }

    async fn answer_member(&self, message: &RawValue, cx: &Context) -> Reply {
        // The revision that has batches wants an id in every response.
        let absent = Some(RawValue::NULL);
        match message::read(message) {
            Ok(Message::Request(request)) if request.method == "initialize" => {
                let fault = Fault::invalid_request("`initialize` must not stand in a batch");
                Reply::fault(Some(request.id), fault)
            }
            Ok(Message::Request(request)) => {
                legacy::answer(self, version::BATCH, &request, cx).await
            }
            Ok(Message::Notification { .. }) => Reply::accepted("notification"),
            Ok(Message::Response(id)) => self.response(&id, message, absent, cx).await,
            Err((id, fault)) => Reply::fault(id.or(absent), fault),
        }
    }
}

impl Reply {
    fn accepted(what: &'static str) -> Reply {
        Reply {
            status: StatusCode::ACCEPTED,
            body: Body::Empty,
            outcome: Outcome::of_method(what),
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
