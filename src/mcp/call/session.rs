//! One call with a client that receives notifications and answers input requests.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::context::client::run::QUIET;
use crate::context::client::{Ask, Message};
use crate::mcp::call::mrtr::MultiRound;
use crate::mcp::call::pending::{PendingRequests, Slot};
use crate::mcp::call::question::Answers;
use crate::mcp::call::run::{Ended, Run, Step};
use crate::mcp::call::task::Escalation;
use crate::mcp::messages::events::Event;
use crate::mcp::messages::notification::{self, Reporter};
use crate::mcp::messages::outgoing::Outgoing;
use crate::telemetry::Outcome;

/// A running call. It makes progress while its next event is awaited, and is cancelled when dropped.
pub(crate) struct Session {
    /// The name of the function.
    function: Arc<str>,
    run: Run,
    reporter: Option<Reporter>,
    asking: Asking,
    /// What the call needs to become a task, if it may.
    escalation: Option<Escalation>,
    outgoing: VecDeque<Outgoing>,
    /// How it ends, once all earlier messages are sent.
    end: Option<End>,
    waiting: FuturesUnordered<BoxFuture<'static, Heard>>,
    /// The ids of the requests that were sent and not answered.
    open: BTreeSet<Arc<str>>,
}

/// How the client answers input requests.
pub(crate) enum Asking {
    /// By calling again (multi-round request).
    MultiRound(Box<MultiRound>),
    /// By a JSON-RPC response while the function waits.
    Live(PendingRequests),
}

/// What comes next.
pub(crate) enum Next {
    /// A message for the client.
    Event(Event),
    /// Nothing more.
    End(End),
}

/// How a session ends.
pub(crate) enum End {
    /// With the outcome of the function.
    Ended(Ended),
    /// With a function that continues as a task.
    Detaching(Escalation, oneshot::Sender<()>),
}

/// What happened to a request that is sent while the function waits.
enum Heard {
    /// It can be sent: its record exists.
    Opened(Ask, Slot),
    /// It cannot be sent, and the function has been told.
    Unsent,
    /// The client has answered the request with this id.
    Answered(Arc<str>),
    /// The function no longer waits for the answer to the request with this id.
    GivenUp(Arc<str>),
}

impl Session {
    pub(crate) fn new(
        function: Arc<str>,
        run: Run,
        reporter: Option<Reporter>,
        asking: Asking,
        escalation: Option<Escalation>,
    ) -> Session {
        Session {
            function,
            run,
            reporter,
            asking,
            escalation,
            outgoing: VecDeque::new(),
            end: None,
            waiting: FuturesUnordered::new(),
            open: BTreeSet::new(),
        }
    }

    pub(crate) async fn next(&mut self) -> Next {
        let quiet = sleep(QUIET);
        tokio::pin!(quiet);
        loop {
            if let Some(message) = self.outgoing.pop_front() {
                return Next::Event(Event::Message(message));
            }
            if let Some(end) = self.end.take() {
                return Next::End(end);
            }
            let step = match &self.asking {
                // While a request is open the function runs as far as it can, so that one round carries all its
                // requests.
                Asking::MultiRound(multi_round) if multi_round.is_open() => {
                    self.run.advance().await
                }
                _ => tokio::select! {
                    biased;
                    step = self.run.step() => step,
                    Some(heard) = self.waiting.next() => {
                        self.heard(heard);
                        continue;
                    }
                    () = &mut quiet => return Next::Event(Event::KeepAlive),
                },
            };
            match (step, &self.asking) {
                (Step::Said(messages), _) => {
                    let asks = messages.iter().any(|it| matches!(it, Message::Ask(_)));
                    let wishes = messages.into_iter().filter_map(|it| self.hear(it));
                    // A second request to detach has no effect.
                    let wish = wishes.last();
                    // A task that the function has spawned may still wait, but the call does not.
                    if self.run.has_ended() {
                        continue;
                    }
                    if let Some(detached) = wish
                        && let Some(escalation) = self.escalation.take().filter(Escalation::is_open)
                    {
                        self.finish(match &self.asking {
                            // The input requests of a round are answered before a task begins (SEP-2663).
                            Asking::MultiRound(multi_round) if multi_round.is_open() => {
                                End::Ended(required(self.function.clone(), multi_round))
                            }
                            _ => End::Detaching(escalation, detached),
                        });
                    } else if let Asking::MultiRound(multi_round) = &self.asking
                        && multi_round.is_open()
                        && !asks
                    {
                        // The function waits for something other than the answer, which may take arbitrarily long.
                        self.finish(End::Ended(required(self.function.clone(), multi_round)));
                    }
                }
                (Step::Ended(ended), _) => self.finish(End::Ended(ended)),
                (Step::Waits, Asking::MultiRound(multi_round)) if multi_round.is_open() => {
                    self.finish(End::Ended(required(self.function.clone(), multi_round)));
                }
                (Step::Waits, _) => {}
            }
        }
    }

    /// Ends the call, after the client has been told which requests it need not answer any more.
    fn finish(&mut self, end: End) {
        self.waiting.clear();
        let open = std::mem::take(&mut self.open);
        let cancelled = open.iter().map(|id| notification::cancelled(id));
        self.outgoing.extend(cancelled);
        self.end = Some(end);
    }

    /// Passes on a message of the function; a request to detach is returned.
    fn hear(&mut self, message: Message) -> Option<oneshot::Sender<()>> {
        match message {
            Message::Progress(report) => {
                let reporter = self.reporter.as_mut();
                self.outgoing
                    .extend(reporter.and_then(|it| it.report(&report)));
            }
            Message::Log(entry) => self.outgoing.push_back(notification::log(&entry)),
            Message::Ask(ask) => self.ask(ask),
            Message::Detach(detached) => return Some(detached).filter(|it| !it.is_closed()),
        }
        None
    }

    fn ask(&mut self, ask: Ask) {
        match &mut self.asking {
            Asking::MultiRound(multi_round) => multi_round.ask(ask),
            Asking::Live(pending_requests) => {
                let pending_requests = pending_requests.clone();
                self.waiting.push(Box::pin(async move {
                    match pending_requests.open(&ask.key).await {
                        Ok(slot) => Heard::Opened(ask, slot),
                        Err(error) => {
                            // The function that asked is gone only if the whole call is.
                            let _ = ask.response.send(Err(error));
                            Heard::Unsent
                        }
                    }
                }));
            }
        }
    }

    fn heard(&mut self, heard: Heard) {
        match heard {
            Heard::Opened(ask, slot) if !ask.response.is_closed() => self.put(ask, slot),
            Heard::Opened(..) | Heard::Unsent => {}
            Heard::Answered(id) => drop(self.open.remove(&id)),
            Heard::GivenUp(id) => {
                self.open.remove(&id);
                self.outgoing.push_back(notification::cancelled(&id));
            }
        }
    }

    /// Sends a request, and waits for its answer as long as the function does.
    fn put(&mut self, ask: Ask, slot: Slot) {
        let id = slot.id().clone();
        self.outgoing.push_back(notification::question(&id, &ask));
        self.open.insert(id.clone());
        let Ask {
            key, mut response, ..
        } = ask;
        self.waiting.push(Box::pin(async move {
            let answer = tokio::select! {
                answer = slot.answer(&key) => answer,
                () = response.closed() => return Heard::GivenUp(id),
            };
            let (answer, heard) = match answer {
                Ok(answer) => (answer, Heard::Answered(id)),
                Err(error) => (Err(error), Heard::GivenUp(id)),
            };
            // The function may have stopped waiting.
            let _ = response.send(answer);
            heard
        }));
    }

    /// The outcome of the call, for a client that receives only the result.
    pub(crate) async fn end(mut self) -> Ended {
        loop {
            if let Next::End(end) = self.next().await {
                return self.settle(end).await;
            }
        }
    }

    /// The outcome of the call.
    pub(crate) async fn settle(self, end: End) -> Ended {
        match end {
            End::Ended(ended) => ended,
            End::Detaching(escalation, detached) => {
                let known = match self.asking {
                    Asking::MultiRound(multi_round) => multi_round.into_known(),
                    Asking::Live(_) => Answers::new(),
                };
                escalation.start(self.run, known, detached).await
            }
        }
    }
}

/// The end of a round: the result carries the input requests.
fn required(function: Arc<str>, multi_round: &MultiRound) -> Ended {
    let result = match multi_round.required() {
        Ok(result) => result,
        Err(error) => return Ended::failed(function, error),
    };
    Ended {
        result: Ok(result),
        defect: None,
        outcome: Outcome {
            function: Some(function),
            ..Outcome::of_method("input_required")
        },
    }
}
