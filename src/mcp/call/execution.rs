//! Runs the requests that call a function: `tools/call`, `prompts/get`, `resources/read`.

use std::sync::Arc;

use futures_util::stream::{self, BoxStream, StreamExt};
use serde_json::value::RawValue;
use tracing::debug;

use crate::context::cipher::StateCipher;
use crate::context::client::Client;
use crate::context::{Context, Form, Protocol};
use crate::error::{Capability, Error};
use crate::mcp::call::client::ClientChannel;
use crate::mcp::call::pending::PendingRequests;
use crate::mcp::call::run::{Ended, Run};
use crate::mcp::call::session::{Next, Session};
use crate::mcp::call::task::{Escalation, Tasks};
use crate::mcp::messages::envelope::Request;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::events::Event;
use crate::mcp::messages::result;
use crate::mcp::messages::version::Shape;
use crate::mcp::methods::{prompts, resources};
use crate::registry::{Answer, Prompt, Registry, Resource, Tool};
use crate::telemetry::{Outcome, PendingOutcome};

/// Runs functions for clients; shared by all calls of an application.
pub(crate) struct Executor {
    pub(crate) registry: Arc<Registry>,
    /// The server's name and version, for results.
    pub(crate) server: Box<RawValue>,
    /// Encrypts the state that clients store between the rounds of a multi-round request.
    pub(crate) cipher: Arc<StateCipher>,
    /// The pending requests to clients.
    pub(crate) pending_requests: PendingRequests,
    /// The tasks, if the process can run any.
    pub(crate) tasks: Option<Tasks>,
}

/// The response to a request that called a function.
pub(crate) enum Executed {
    /// The outcome of the call.
    Whole(Ended),
    /// The events up to and including the response.
    Streamed {
        events: BoxStream<'static, Event>,
        /// The outcome for the access line, once the call has ended.
        pending: PendingOutcome,
        /// The outcome for the access line if the client disconnects before.
        given_up: Outcome,
    },
}

/// One request that calls a function, and the form of its result.
#[derive(Clone, Copy)]
pub(crate) struct Execution<'a> {
    pub(crate) shape: Shape,
    pub(crate) request: &'a Request<'a>,
    pub(crate) cx: &'a Context,
}

/// The kind of function, which decides how its answer becomes a result.
pub(crate) enum Subject {
    /// A tool.
    Tool(Arc<Tool>),
    /// A prompt.
    Prompt(Arc<Prompt>),
    /// A resource.
    Resource {
        resource: Arc<Resource>,
        /// The URI to read.
        uri: String,
        /// How long clients may cache data that is not from an upstream, in milliseconds.
        ttl_ms: u64,
    },
}

impl Executor {
    /// The same with another registry.
    pub(crate) fn with(&self, registry: Arc<Registry>) -> Executor {
        Executor {
            registry,
            server: self.server.clone(),
            cipher: self.cipher.clone(),
            pending_requests: self.pending_requests.clone(),
            tasks: self.tasks.clone(),
        }
    }

    /// Calls the function and answers with its result, or with a stream of its messages and the result.
    pub(crate) async fn run(
        &self,
        execution: Execution<'_>,
        channel: Option<ClientChannel>,
        subject: Subject,
        arguments: &str,
    ) -> Result<Executed, RpcError> {
        let function = subject.function();
        missing(function, channel.as_ref())?;
        let Some(channel) = channel else {
            return Ok(self.run_alone(execution, &subject, arguments).await);
        };
        let ClientChannel {
            client,
            asking,
            reporter,
            takes_events,
        } = channel;
        let form = subject.form(execution.shape);
        let cx = execution.cx.clone().on_protocol(Protocol::Mcp, form);
        let cx = cx.with_client(client.clone());
        let escalation = match subject {
            Subject::Tool(_) => self.escalation(function, arguments, &cx, &client),
            // The extension defines tasks for tools only.
            Subject::Prompt(_) | Subject::Resource { .. } => None,
        };
        let label = function.label();
        let run = self.start(execution.shape, subject, arguments, (cx, client));
        // A client that asked for progress gets a stream at once, other clients with the first message.
        let at_once = reporter.is_some();
        let session = Session::new(label.clone(), run, reporter, asking, escalation);
        Ok(match takes_events {
            true => stream_of(session, execution, label, at_once).await,
            false => Executed::Whole(session.end().await.fitting(execution.cx)),
        })
    }

    /// Runs the call for a client that receives only the result.
    async fn run_alone(
        &self,
        execution: Execution<'_>,
        subject: &Subject,
        arguments: &str,
    ) -> Executed {
        let Execution { shape, cx, .. } = execution;
        let function = subject.function();
        let called = cx.clone().on_protocol(Protocol::Mcp, subject.form(shape));
        let answer = self.registry.call(function, called, arguments).await;
        let encode = |answer: &_| subject.encode(shape, &self.server, answer, cx);
        let ended = Ended::of(shape, function.label(), answer, encode);
        Executed::Whole(ended.fitting(cx))
    }

    pub(crate) fn start(
        &self,
        shape: Shape,
        subject: Subject,
        arguments: &str,
        (cx, client): (Context, Arc<Client>),
    ) -> Run {
        let (registry, server) = (self.registry.clone(), self.server.clone());
        let arguments = arguments.to_owned();
        let function = async move {
            let function = subject.function();
            let answer = registry.call(function, cx.clone(), &arguments).await;
            let encode = |answer: &_| subject.encode(shape, &server, answer, &cx);
            Ended::of(shape, function.label(), answer, encode)
        };
        Run::new(Box::pin(function), client)
    }

    /// What the call needs to become a task, if its function may become one.
    fn escalation(
        &self,
        function: &Tool,
        arguments: &str,
        cx: &Context,
        client: &Client,
    ) -> Option<Escalation> {
        let tasks = self.tasks.as_ref().filter(|_| function.may_detach())?;
        Some(Escalation {
            tasks: tasks.clone(),
            cx: cx.clone(),
            function: function.label(),
            arguments: arguments.to_owned(),
            capabilities: client.capabilities(),
            server: self.server.clone(),
        })
    }
}

/// Turns the response into a stream, if there is a message before the result.
async fn stream_of(
    mut session: Session,
    Execution { request, cx, .. }: Execution<'_>,
    name: Arc<str>,
    at_once: bool,
) -> Executed {
    let first = match at_once {
        true => None,
        false => match next(&mut session, cx).await {
            Next::Event(event) => Some(event),
            Next::End(end) => return Executed::Whole(session.settle(end).await.fitting(cx)),
        },
    };
    cx.start_stream();
    let pending = PendingOutcome::default();
    let state = Some((session, request.id.to_owned(), pending.clone(), cx.clone()));
    let rest = stream::unfold(state, async |state| {
        let (mut session, id, pending, cx) = state?;
        let end = match next(&mut session, &cx).await {
            Next::Event(event) => return Some((event, Some((session, id, pending, cx)))),
            Next::End(end) => end,
        };
        let ended = session.settle(end).await.fitting(&cx);
        let message = ended.response(&id).1;
        pending.end(ended.outcome);
        Some((Event::Message(message), None))
    });
    Executed::Streamed {
        events: stream::iter(first).chain(rest).boxed(),
        pending,
        given_up: Outcome::cancelled(name),
    }
}

/// The next message that fits; messages before the response that are too large are dropped.
async fn next(session: &mut Session, cx: &Context) -> Next {
    loop {
        match session.next().await {
            Next::Event(Event::Message(message)) if !cx.has_room_for(message.json()) => {
                let bytes = message.json().len();
                debug!(bytes, "a notification was left out");
            }
            next => return next,
        }
    }
}

impl Subject {
    /// Writes the function's answer into the result.
    pub(crate) fn form(&self, shape: Shape) -> Form {
        match self {
            Subject::Tool(_) if shape >= Shape::Structured => Form::Both,
            Subject::Tool(_) | Subject::Resource { .. } => Form::Text,
            Subject::Prompt(_) => Form::Json,
        }
    }

    fn function(&self) -> &Tool {
        match self {
            Subject::Tool(tool) => tool,
            Subject::Prompt(prompt) => prompt.function(),
            Subject::Resource { resource, .. } => resource.function(),
        }
    }

    fn encode(
        &self,
        shape: Shape,
        server: &RawValue,
        answer: &Result<Answer, Error>,
        cx: &Context,
    ) -> Result<Box<RawValue>, RpcError> {
        match self {
            Subject::Tool(tool) => Ok(result::call(shape, tool, answer, server, cx.freshness())),
            Subject::Prompt(_) => prompts::result(self.function(), shape, server, answer),
            Subject::Resource {
                resource,
                uri,
                ttl_ms,
            } => resources::result(resource, uri, shape, server, answer, (cx, *ttl_ms)),
        }
    }
}

/// Checks that the client has all capabilities that the function requires.
fn missing(function: &Tool, channel: Option<&ClientChannel>) -> Result<(), RpcError> {
    let has = |it: &Capability| channel.is_some_and(|channel| channel.client.can(*it));
    let required = function.required_capabilities().iter().copied();
    let missing: Vec<Capability> = required.filter(|it| !has(it)).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(RpcError::missing_capabilities(function.name(), &missing)),
    }
}
