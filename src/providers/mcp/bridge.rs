//! What a mounted server says during a call, and what it asks, reaches the client of the call; and the answers go back.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::failure::Failure;
use super::link::{Exchange, Said, unbidden};
use crate::context::Context;
use crate::context::client::Level;
use crate::error::{Capability, Error, Kind, Result};

/// The calls that wait for a client which calls again with its answer. Each holds a request of the server open.
const MAX_PARKED: usize = 256;

/// The beginning of the names of questions that belong to a parked call.
const KEY: &str = "mount-";

/// The code by which a request that we cannot serve is refused.
const NOT_FOUND: i64 = -32601;

/// Calls of servers of an earlier era, which wait while the client of a later one calls again with its answer.
#[derive(Default)]
pub(super) struct ParkingLot(Mutex<HashMap<String, Parked>>);

struct Parked {
    exchange: Exchange,
    question: Question,
    /// Whose call it is: the principal, the method and what it is about.
    owner: String,
    until: Instant,
}

/// A question of the server, with the name that our question to the client has.
#[derive(Clone)]
struct Question {
    key: String,
    id: Box<RawValue>,
    method: &'static str,
    capability: Capability,
    params: Value,
}

#[derive(Deserialize)]
struct Progress {
    progress: f64,
    #[serde(default)]
    total: Option<f64>,
    #[serde(default)]
    message: Option<String>,
}

#[derive(Deserialize)]
struct Log {
    level: Level,
    data: Box<RawValue>,
}

/// What the client must be able to do for a question; `None` if the method does not ask the client anything.
pub(super) fn needed(method: &str, params: &Value) -> Option<(&'static str, Capability)> {
    Some(match method {
        "elicitation/create" => (
            "elicitation/create",
            match params.get("mode").and_then(Value::as_str) {
                Some("url") => Capability::UrlElicitation,
                _ => Capability::Elicitation,
            },
        ),
        "sampling/createMessage" => ("sampling/createMessage", Capability::Sampling),
        "roots/list" => ("roots/list", Capability::Roots),
        _ => return None,
    })
}

/// The parameters of a question, as an object.
pub(super) fn params_of(params: Option<&RawValue>) -> Value {
    let read = params.and_then(|it| serde_json::from_str(it.get()).ok());
    read.filter(Value::is_object)
        .unwrap_or_else(|| Value::Object(serde_json::Map::new()))
}

/// Passes on everything until the result of the exchange.
pub(super) async fn drive(
    mut exchange: Exchange,
    lot: &ParkingLot,
    cx: &Context,
    owner: &str,
) -> Result<Box<RawValue>, Failure> {
    loop {
        match exchange.next().await? {
            Said::Ended(outcome) => return outcome,
            Said::Told { method, params } => tell(cx, &method, params.as_deref()),
            Said::Asked { id, method, params } => {
                let params = params_of(params.as_deref());
                let Some((method, capability)) = needed(&method, &params) else {
                    exchange.reply(&id, unbidden(&method)).await;
                    continue;
                };
                if !cx.can(capability) {
                    let problem = format!("the client does not support `{}`", capability.as_str());
                    exchange.reply(&id, Err((NOT_FOUND, &problem))).await;
                    continue;
                }
                let question = Question {
                    key: format!("{KEY}{:016x}", fastrand::u64(..)),
                    id,
                    method,
                    capability,
                    params,
                };
                exchange = ask(exchange, question, lot, cx, owner).await?;
            }
        }
    }
}

/// Continues the call whose question the client has answered; `None` if the request continues no call.
pub(super) async fn resume(
    lot: &ParkingLot,
    cx: &Context,
    owner: &str,
) -> Option<Result<Box<RawValue>, Failure>> {
    let mut keys = cx.answered().into_iter();
    let (exchange, question) = keys.find_map(|key| lot.take(&key, owner))?;
    Some(match ask(exchange, question, lot, cx, owner).await {
        Ok(exchange) => drive(exchange, lot, cx, owner).await,
        Err(failure) => Err(failure),
    })
}

/// The failure of a later round whose call has ended: it is not made again, because it may have done something.
pub(super) fn too_late(cx: &Context) -> Option<Failure> {
    let key = cx.answered().into_iter().find(|it| it.starts_with(KEY))?;
    let problem = "comes too late: the call that asked has ended; call again without it";
    Some(Failure::Broken(Error::unanswered(&key, problem)))
}

/// Asks the client, and gives its answer to the server.
async fn ask(
    exchange: Exchange,
    question: Question,
    lot: &ParkingLot,
    cx: &Context,
    owner: &str,
) -> Result<Exchange, Failure> {
    let Question {
        key,
        id,
        method,
        capability,
        params,
    } = question.clone();
    let asking = || cx.ask_foreign(&key, capability, method, params);
    // A client of the modern era answers with another request, until which this function is dropped.
    let (exchange, answer) = match cx.answers_in_rounds() {
        true => {
            lot.park(exchange, question, owner, cx.config().input_timeout)?;
            let answer = asking().await;
            let Some((exchange, _)) = lot.take(&key, owner) else {
                let problem = "comes too late: the call that asked has ended";
                return Err(Failure::Broken(Error::unanswered(&key, problem)));
            };
            (exchange, answer)
        }
        false => (exchange, asking().await),
    };
    match answer {
        Ok(answer) => exchange.reply(&id, Ok(&answer)).await,
        Err(error) if error.kind() == Kind::Unanswered => {
            exchange
                .reply(&id, Err((-1, "the client did not answer")))
                .await;
        }
        Err(error) => return Err(Failure::Broken(error)),
    }
    Ok(exchange)
}

/// Passes on a notification.
fn tell(cx: &Context, method: &str, params: Option<&RawValue>) {
    let Some(params) = params else { return };
    match method {
        "notifications/progress" => {
            if let Ok(report) = serde_json::from_str::<Progress>(params.get()) {
                let message = report.message.unwrap_or_default();
                cx.progress(report.progress, report.total, &message);
            }
        }
        "notifications/message" => {
            if let Ok(entry) = serde_json::from_str::<Log>(params.get()) {
                cx.log(entry.level, entry.data);
            }
        }
        _ => {}
    }
}

impl ParkingLot {
    fn park(
        &self,
        exchange: Exchange,
        question: Question,
        owner: &str,
        longest: Duration,
    ) -> Result<(), Failure> {
        let mut parked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        parked.retain(|_, it| it.until > now);
        if parked.len() >= MAX_PARKED {
            let busy = "too many calls wait for the answers of their clients; call again later";
            return Err(Failure::Broken(Error::busy(busy)));
        }
        let call = Parked {
            owner: owner.to_owned(),
            until: now + longest,
            exchange,
            question: question.clone(),
        };
        parked.insert(question.key, call);
        Ok(())
    }

    fn take(&self, key: &str, owner: &str) -> Option<(Exchange, Question)> {
        let mut parked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if parked.get(key)?.owner != owner {
            return None;
        }
        let call = parked.remove(key)?;
        (call.until > Instant::now()).then_some((call.exchange, call.question))
    }

    /// Ends the calls whose clients have not answered in time; all of them at the end.
    pub(super) fn sweep(&self, all: bool) {
        let now = Instant::now();
        let mut parked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parked.retain(|_, it| !all && it.until > now);
    }
}
