//! Questions to a client of 2026: they are the answer to its call, and it calls again with what was said (SEP-2322).

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::fault::Fault;
use super::message::Request;
use super::result::ServerMeta;
use super::seal::Seal;
use crate::client::Ask;
use crate::clock::Timestamp;
use crate::context::Context;

/// The parameters by which a call goes on.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inputs<'a> {
    #[serde(borrow, default, deserialize_with = "given")]
    input_responses: Option<BTreeMap<String, &'a RawValue>>,
    #[serde(default, deserialize_with = "given")]
    request_state: Option<String>,
}

/// What the state is bound to: nobody else can use it, nor for anything else.
struct Subject {
    method: String,
    params: Box<RawValue>,
    principal: Option<String>,
}

/// What was said to questions, by their keys.
pub(super) type Answers = BTreeMap<String, Box<RawValue>>;

/// The rounds of one call so far.
pub(super) struct Rounds {
    seal: Arc<Seal>,
    server: Box<RawValue>,
    subject: Subject,
    /// The questions of the last round, if the client brought its state.
    asked: Option<BTreeMap<String, String>>,
    /// What was said to them.
    said: BTreeMap<String, Box<RawValue>>,
    /// What was said and used, each under its question, so that the next round has it too.
    known: BTreeMap<String, Known>,
    /// The questions to which nothing was said.
    open: Vec<Ask>,
    expires: i64,
}

/// What the client keeps between two rounds.
#[derive(Serialize, Deserialize)]
struct State {
    expires: i64,
    asked: BTreeMap<String, String>,
    known: BTreeMap<String, Known>,
}

/// An answer, and a fingerprint of the question that it was given to.
#[derive(Clone, Serialize, Deserialize)]
struct Known {
    question: String,
    answer: Box<RawValue>,
}

/// A result that asks for more.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InputRequired<'a> {
    result_type: &'static str,
    input_requests: BTreeMap<&'a str, Question<'a>>,
    request_state: String,
    #[serde(rename = "_meta")]
    meta: ServerMeta<'a>,
}

#[derive(Serialize)]
struct Question<'a> {
    method: &'static str,
    params: &'a RawValue,
}

impl Rounds {
    /// The first round, or what the client brought of those before.
    ///
    /// # Errors
    /// The state is not one of this server's about the same call of the same caller, or is too old.
    pub(super) fn read(
        seal: &Arc<Seal>,
        server: &RawValue,
        request: &Request<'_>,
        cx: &Context,
    ) -> Result<Rounds, Fault> {
        let lifetime = cx.config().input_timeout.as_secs();
        let mut rounds = Rounds {
            seal: seal.clone(),
            server: server.to_owned(),
            subject: Subject::of(request, cx),
            asked: None,
            said: BTreeMap::new(),
            known: BTreeMap::new(),
            open: Vec::new(),
            expires: cx.now().unix().saturating_add(lifetime.cast_signed()),
        };
        if is_later(request) {
            rounds.resume(request.read_params()?, cx.now())?;
        }
        Ok(rounds)
    }

    fn resume(&mut self, inputs: Inputs<'_>, now: Timestamp) -> Result<(), Fault> {
        let said = inputs.input_responses.unwrap_or_default();
        self.said = said
            .into_iter()
            .map(|(key, it)| (key, it.to_owned()))
            .collect();
        let Some(sealed) = inputs.request_state else {
            return Ok(());
        };
        let text = self.seal.open(&sealed, &self.subject.canonical());
        let state: Option<State> = text.and_then(|it| serde_json::from_slice(&it).ok());
        let Some(state) = state else {
            return Err(Fault::invalid_params(
                "`requestState` is not one that this server gave for this call: repeat it as it came, with the same arguments, or call again without it",
            ));
        };
        if state.expires < now.unix() {
            let problem = "`requestState` is too old: call again without it";
            return Err(Fault::invalid_params(problem));
        }
        (self.asked, self.known) = (Some(state.asked), state.known);
        Ok(())
    }

    /// Answers a question with what was said to it, or keeps it open.
    pub(super) fn ask(&mut self, ask: Ask) {
        match self.answer(&ask) {
            // The function that asked is gone only if the whole call is.
            Some(answer) => drop(ask.reply.send(Ok(answer))),
            None => self.open.push(ask),
        }
    }

    /// What was said to the questions so far.
    pub(super) fn into_known(self) -> Answers {
        let known = self.known.into_iter();
        known.map(|(key, known)| (key, known.answer)).collect()
    }

    /// Whether a question is open.
    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// What was said to a question, in this round or before. It counts for that question only: where the client brought
    /// the state, an answer to another one under the same key is none.
    fn answer(&mut self, ask: &Ask) -> Option<Box<RawValue>> {
        let question = fingerprint(ask);
        if let Some(known) = self.known.get(&ask.key)
            && known.question == question
        {
            return Some(known.answer.clone());
        }
        let was_asked = |asked: &BTreeMap<String, String>| asked.get(&ask.key) == Some(&question);
        if !self.asked.as_ref().is_none_or(was_asked) {
            return None;
        }
        let answer = self.said.get(&ask.key).filter(|it| (ask.fits)(it))?.clone();
        let known = Known {
            question,
            answer: answer.clone(),
        };
        self.known.insert(ask.key.clone(), known);
        Some(answer)
    }

    /// The result that asks the open questions.
    pub(super) fn required(&self) -> Box<RawValue> {
        let open = self.open.iter();
        let asked = open.clone().map(|ask| (ask.key.clone(), fingerprint(ask)));
        let state = State {
            expires: self.expires,
            asked: asked.collect(),
            known: self.known.clone(),
        };
        let state = serde_json::to_vec(&state).expect("a state of texts is JSON");
        to_raw_value(&InputRequired {
            result_type: "input_required",
            input_requests: open.map(|ask| (&*ask.key, Question::of(ask))).collect(),
            request_state: self.seal.seal(&state, &self.subject.canonical()),
            meta: ServerMeta::new(&self.server),
        })
        .expect("questions of texts are JSON")
    }
}

impl<'a> Question<'a> {
    fn of(ask: &'a Ask) -> Question<'a> {
        Question {
            method: ask.method,
            params: &ask.params,
        }
    }
}

impl Subject {
    fn of(request: &Request<'_>, cx: &Context) -> Subject {
        let params = request.params.map(ToOwned::to_owned);
        Subject {
            method: request.method.clone().into_owned(),
            params: params.unwrap_or_else(|| RawValue::NULL.to_owned()),
            principal: cx.principal().map(str::to_owned),
        }
    }

    /// The method, what it is about, its arguments, and who calls. The arguments are taken as what they mean: another
    /// order of their fields is the same call.
    fn canonical(&self) -> Vec<u8> {
        let params: Value = serde_json::from_str(self.params.get()).unwrap_or_default();
        let about = [&params["name"], &params["uri"], &params["arguments"]];
        let canonical = serde_json::to_vec(&(&self.method, about, &self.principal));
        canonical.expect("JSON values are JSON")
    }
}

/// Whether the request may be a later round. Few are, so only those have their parameters read for it.
pub(super) fn is_later(request: &Request<'_>) -> bool {
    let text = request.params.map_or("", RawValue::get);
    text.contains("inputResponses") || text.contains("requestState")
}

fn fingerprint(ask: &Ask) -> String {
    let question = [ask.method.as_bytes(), b"\0", ask.params.get().as_bytes()].concat();
    STANDARD_NO_PAD.encode(&digest(&SHA256, &question).as_ref()[..16])
}

/// A field that may be left out, but is never null.
fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}
