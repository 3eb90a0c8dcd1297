//! Multi-round requests: the result asks the client for input, and the client calls again with the answers (SEP-2322).

use std::borrow::Cow;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::clock::Timestamp;
use crate::context::Context;
use crate::context::cipher::StateCipher;
use crate::context::client::Ask;
use crate::error::Error;
use crate::mcp::call::question::{Answers, Executions};
use crate::mcp::messages::envelope::Request;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::params::{Key, Params};
use crate::mcp::messages::result::ServerMeta;

/// The parameters of a later round.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inputs<'a> {
    #[serde(borrow, default)]
    input_responses: Option<BTreeMap<String, &'a RawValue>>,
    #[serde(default)]
    request_state: Option<String>,
}

/// What the state is bound to, so that no other principal and no other call can use it.
struct Binding {
    method: String,
    name: Option<String>,
    uri: Option<String>,
    arguments: Option<Box<RawValue>>,
    principal: Option<String>,
}

/// The rounds of one call so far.
pub(crate) struct MultiRound {
    cipher: Arc<StateCipher>,
    server: Box<RawValue>,
    binding: Binding,
    /// The input requests of the last round; empty in the first round.
    asked: BTreeSet<String>,
    /// The client's answers, by key.
    said: BTreeMap<String, Box<RawValue>>,
    /// The answers of earlier rounds.
    before: Answers,
    /// The answers that this round has used, which the next round needs again.
    used: Answers,
    executions: Executions,
    /// The input requests without an answer.
    open: Vec<(String, Ask)>,
    expires: i64,
    /// The largest state that is sure to fit into a request beside its other fields.
    max_state: usize,
}

/// The state that the client stores between two rounds.
#[derive(Serialize, Deserialize)]
struct RequestState {
    expires: i64,
    /// The input requests of this round.
    asked: BTreeSet<String>,
    /// The answers so far.
    known: Answers,
}

/// A result that asks for input.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InputRequired<'a> {
    #[serde(rename = "_meta")]
    meta: ServerMeta<'a>,
    result_type: &'static str,
    input_requests: BTreeMap<&'a str, Question<'a>>,
    request_state: String,
}

#[derive(Serialize)]
struct Question<'a> {
    method: &'static str,
    params: &'a Value,
}

impl<'a> Inputs<'a> {
    fn of(params: &Params<'a>) -> Result<Inputs<'a>, RpcError> {
        params.decode(|it| {
            Some(Inputs {
                input_responses: it.optional_parsed(Key::InputResponses)?,
                request_state: it.optional_parsed(Key::RequestState)?,
            })
        })
    }
}

impl MultiRound {
    /// Reads the state and the answers of a later round, or starts the first round.
    ///
    /// # Errors
    /// The state was not issued by this server for the same call of the same principal, or has expired.
    pub(crate) fn read(
        cipher: &Arc<StateCipher>,
        server: &RawValue,
        request: &Request<'_>,
        cx: &Context,
    ) -> Result<MultiRound, RpcError> {
        let lifetime = cx.config().input_timeout.as_secs();
        let mut multi_round = MultiRound {
            cipher: cipher.clone(),
            server: server.to_owned(),
            binding: Binding::of(request, cx),
            asked: BTreeSet::new(),
            said: BTreeMap::new(),
            before: Answers::new(),
            used: Answers::new(),
            executions: Executions::default(),
            open: Vec::new(),
            expires: cx.now().unix().saturating_add(lifetime.cast_signed()),
            max_state: cx.config().max_request_bytes / 2,
        };
        if is_later(request) {
            multi_round.resume(Inputs::of(&request.params)?, cx.now())?;
        }
        Ok(multi_round)
    }

    fn resume(&mut self, inputs: Inputs<'_>, now: Timestamp) -> Result<(), RpcError> {
        let Some(encrypted) = inputs.request_state else {
            // Answers without the state cannot be matched to input requests.
            return Ok(());
        };
        let said = inputs.input_responses.unwrap_or_default();
        self.said = said
            .into_iter()
            .map(|(key, it)| (key, it.to_owned()))
            .collect();
        let text = self.cipher.open(&encrypted, &self.binding.canonical());
        let state: Option<RequestState> = text.and_then(|it| serde_json::from_slice(&it).ok());
        let Some(state) = state else {
            return Err(RpcError::invalid_params(
                "`requestState` is not one that this server gave for this call: repeat it as it came, with the same arguments, or call again without it",
            ));
        };
        if state.expires < now.unix() {
            let problem = "`requestState` is too old: call again without it";
            return Err(RpcError::invalid_params(problem));
        }
        (self.asked, self.before) = (state.asked, state.known);
        Ok(())
    }

    /// The names of the questions that are answered in this round.
    pub(crate) fn answered(&self) -> Vec<String> {
        self.said.keys().cloned().collect()
    }

    /// Passes on the answer to an input request, or keeps the request open.
    pub(crate) fn ask(&mut self, ask: Ask) {
        let question = self.executions.question(&ask);
        match self.answer(&question, &ask) {
            // The function may have stopped waiting.
            Some(answer) => drop(ask.response.send(Ok(answer))),
            None => {
                self.open.retain(|(_, ask)| !ask.response.is_closed());
                self.open.push((question, ask));
            }
        }
    }

    /// The answers so far.
    pub(crate) fn into_known(self) -> Answers {
        self.used
    }

    /// Whether the function waits for an answer.
    pub(crate) fn is_open(&self) -> bool {
        self.open().next().is_some()
    }

    fn open(&self) -> impl Iterator<Item = &(String, Ask)> {
        self.open
            .iter()
            .filter(|(_, ask)| !ask.response.is_closed())
    }

    /// The answer to an input request, from this round or an earlier one. Each answer is used once, and only for the
    /// request that it was given to, not for another request under the same key.
    fn answer(&mut self, question: &str, ask: &Ask) -> Option<Box<RawValue>> {
        let answer = match self.before.remove(question) {
            Some(answer) => answer,
            None if !self.asked.contains(question) => return None,
            None => self.said.remove(&ask.key).filter(|it| ask.fits(it))?,
        };
        self.used.insert(question.to_owned(), answer.clone());
        Some(answer)
    }

    /// The result that sends the open input requests to the client.
    ///
    /// # Errors
    /// `ValueTooLarge` if the answers so far exceed what the client can send back.
    pub(crate) fn required(&self) -> Result<Box<RawValue>, Error> {
        let (mut asked, mut requests) = (BTreeSet::new(), BTreeMap::new());
        for (question, ask) in self.open() {
            // Of several input requests under one key, the others follow in later rounds.
            if let Entry::Vacant(place) = requests.entry(&*ask.key) {
                place.insert(Question::of(ask));
                asked.insert(question.clone());
            }
        }
        let state = RequestState {
            expires: self.expires,
            asked,
            known: self.used.clone(),
        };
        let state = serde_json::to_vec(&state).expect("a state of texts is JSON");
        let encrypted = self.cipher.encrypt(&state, &self.binding.canonical());
        if encrypted.len() > self.max_state {
            return Err(Error::value_too_large(encrypted.len(), self.max_state));
        }
        let required = to_raw_value(&InputRequired {
            result_type: "input_required",
            input_requests: requests,
            request_state: encrypted,
            meta: ServerMeta::new(&self.server),
        });
        Ok(required.expect("questions of texts are JSON"))
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

impl Binding {
    fn of(request: &Request<'_>, cx: &Context) -> Binding {
        let params = request.params.fields();
        let text = |key| params.text(key).map(Cow::into_owned);
        let arguments = params.optional(Key::Arguments).flatten();
        Binding {
            method: request.method.clone().into_owned(),
            name: text(Key::Name),
            uri: text(Key::Uri),
            arguments: arguments.map(ToOwned::to_owned),
            principal: cx.principal().map(|it| it.id().to_owned()),
        }
    }

    /// The method, its subject, the arguments, and the principal. Arguments are compared by value: the order of their
    /// fields does not matter.
    fn canonical(&self) -> Vec<u8> {
        let arguments = self.arguments.as_deref().map_or("{}", RawValue::get);
        // Arguments that are nested too deeply to be normalised are compared as text.
        let ordered = serde_json::from_str::<Value>(arguments).map(|it| it.to_string());
        let arguments = ordered.unwrap_or_else(|_| arguments.to_owned());
        let canonical = (
            &self.method,
            &self.name,
            &self.uri,
            arguments,
            &self.principal,
        );
        serde_json::to_vec(&canonical).expect("texts are JSON")
    }
}

/// Whether the request may be a later round.
pub(crate) fn is_later(request: &Request<'_>) -> bool {
    let params = request.params.fields();
    params.has(Key::InputResponses) || params.has(Key::RequestState)
}
