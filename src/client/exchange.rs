//! One request while it runs: what the server says to it, the questions of the server, and the result.

use std::collections::VecDeque;
use std::time::Duration;

use http::HeaderMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::connection::Connection;
use super::failure::Failure;
use super::message::{Message, Response};
use super::replies::Replies;

/// The most times that a server may ask before it answers.
const MAX_ROUNDS: usize = 64;
/// The code of an error for a method that the client does not have.
const METHOD_NOT_FOUND: i64 = -32601;

/// A request.
pub(crate) struct Request {
    pub(super) method: &'static str,
    params: Value,
    pub(super) headers: HeaderMap,
}

/// One thing that the server says.
#[derive(Debug)]
pub(crate) enum Event {
    Notification {
        method: String,
        params: Option<Box<RawValue>>,
    },
    /// A question, which needs [`Exchange::answer`] or [`Exchange::refuse`].
    Question(Question),
    /// The last thing.
    Result(Box<RawValue>),
}

/// A question of the server to its client.
#[derive(Debug)]
pub(crate) struct Question {
    key: Key,
    pub(crate) method: String,
    pub(crate) params: Option<Box<RawValue>>,
}

/// How the answer finds its question.
#[derive(Debug)]
enum Key {
    /// The id of a JSON-RPC request of the server.
    Id(Box<RawValue>),
    /// The key of a request in a result of type `input_required`.
    Input(String),
}

/// A request while it runs. Dropping it cancels the request.
pub(crate) struct Exchange<'a> {
    connection: &'a Connection,
    request: Request,
    id: Option<u64>,
    replies: Replies,
    rounds: usize,
    questions: VecDeque<Question>,
    /// The answers of this round, and the state of the server that goes with them.
    round: Option<Round>,
}

struct Round {
    answers: Map<String, Value>,
    state: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InputRequired {
    #[serde(default)]
    input_requests: serde_json::Map<String, Value>,
    #[serde(default)]
    request_state: Option<Value>,
}

#[derive(Deserialize)]
struct Typed {
    #[serde(default, rename = "resultType")]
    kind: Option<String>,
}

impl Request {
    /// A request with these parameters, an object.
    pub(crate) fn new(method: &'static str, params: Value) -> Request {
        Request {
            method,
            params,
            headers: HeaderMap::new(),
        }
    }

    /// The same with more headers, such as those of [`param_headers`](super::param_headers).
    pub(crate) fn headers(mut self, headers: HeaderMap) -> Request {
        self.headers = headers;
        self
    }
}

impl<'a> Exchange<'a> {
    pub(super) async fn start(
        connection: &'a Connection,
        request: Request,
        wait: Duration,
    ) -> Result<Exchange<'a>, Failure> {
        let (id, replies) = connection
            .post(&request, request.params.clone(), wait)
            .await?;
        let mut exchange = Exchange::unasked(connection, replies);
        exchange.id = Some(id);
        exchange.request = request;
        Ok(exchange)
    }

    /// What the server says without a request.
    pub(super) fn unasked(connection: &'a Connection, replies: Replies) -> Exchange<'a> {
        Exchange {
            connection,
            request: Request::new("", Value::Null),
            id: None,
            replies,
            rounds: 0,
            questions: VecDeque::new(),
            round: None,
        }
    }

    /// The next thing that the server says; `None` only where a stream that belongs to no request ends.
    ///
    /// # Errors
    /// A JSON-RPC error, a broken connection, nothing for as long as `wait`, an end without a result.
    pub(crate) async fn next(&mut self, wait: Duration) -> Result<Option<Event>, Failure> {
        loop {
            if let Some(question) = self.questions.pop_front() {
                return Ok(Some(Event::Question(question)));
            }
            if let Some(round) = self.round.take() {
                self.ask_again(round, wait).await?;
            }
            let Some(message) = self.replies.next(wait).await? else {
                return match self.id {
                    None => Ok(None),
                    Some(_) => Err(self.connection.invalid("ended its answer without a result")),
                };
            };
            match message {
                Message::Notification { method, params } => {
                    return Ok(Some(Event::Notification { method, params }));
                }
                Message::Request(call) => {
                    return Ok(Some(Event::Question(Question {
                        key: Key::Id(call.id),
                        method: call.method,
                        params: call.params,
                    })));
                }
                Message::Response(response) => {
                    if let Some(result) = self.end(response)? {
                        return Ok(Some(Event::Result(result)));
                    }
                }
            }
        }
    }

    /// The result, without notifications. Questions are refused.
    ///
    /// # Errors
    /// As [`Exchange::next`].
    pub(crate) async fn result(&mut self, wait: Duration) -> Result<Box<RawValue>, Failure> {
        loop {
            match self.next(wait).await? {
                Some(Event::Result(result)) => return Ok(result),
                Some(Event::Question(question)) => self.refuse(question, wait).await?,
                Some(Event::Notification { .. }) => {}
                None => return Err(self.connection.invalid("ended its answer without a result")),
            }
        }
    }

    /// Answers a question with the result of its method.
    ///
    /// # Errors
    /// The server does not take the answer.
    pub(crate) async fn answer(
        &mut self,
        question: Question,
        result: Value,
        wait: Duration,
    ) -> Result<(), Failure> {
        match question.key {
            Key::Id(id) => {
                let message = json!({"jsonrpc": "2.0", "id": id, "result": result});
                self.connection.reply(message, wait).await
            }
            Key::Input(key) => {
                if let Some(round) = &mut self.round {
                    round.answers.insert(key, result);
                }
                Ok(())
            }
        }
    }

    /// Tells the server that the client has no such method.
    ///
    /// # Errors
    /// The server does not take the answer; or it asks in a revision where a question cannot be refused.
    pub(crate) async fn refuse(
        &mut self,
        question: Question,
        wait: Duration,
    ) -> Result<(), Failure> {
        let method = &question.method;
        match question.key {
            Key::Id(id) => {
                let error = json!({"code": METHOD_NOT_FOUND, "message": format!("this client has no method `{method}`")});
                let message = json!({"jsonrpc": "2.0", "id": id, "error": error});
                self.connection.reply(message, wait).await
            }
            Key::Input(_) => {
                let problem =
                    format!("asks its client for `{method}`, which the client did not declare");
                Err(self.connection.invalid(problem))
            }
        }
    }

    /// The result in a response; `None` where the server asks something first.
    fn end(&mut self, response: Response) -> Result<Option<Box<RawValue>>, Failure> {
        let id = response.id.as_ref().map(|it| it.get());
        let own = self.id.map(|it| it.to_string());
        let result = response.outcome.map_err(Failure::Rpc)?;
        if id != own.as_deref() {
            let id = id.unwrap_or("none");
            return Err(self
                .connection
                .invalid(format!("answered with the id {id}, which no request has")));
        }
        let kind = serde_json::from_str::<Typed>(result.get())
            .ok()
            .and_then(|it| it.kind);
        match kind.as_deref() {
            None | Some("complete") => Ok(Some(result)),
            Some("input_required") => self.queue(&result).map(|()| None),
            Some(kind) => Err(self.connection.invalid(format!(
                "answered with the result type `{kind}`, which the client did not declare"
            ))),
        }
    }

    /// Keeps the questions of a result of type `input_required`.
    fn queue(&mut self, result: &RawValue) -> Result<(), Failure> {
        let read = serde_json::from_str::<InputRequired>(result.get());
        let read = read.map_err(|error| {
            self.connection
                .invalid(format!("asks in another form: {error}"))
        })?;
        self.rounds += 1;
        if self.rounds > MAX_ROUNDS {
            return Err(self
                .connection
                .invalid(format!("asked {MAX_ROUNDS} times without an answer")));
        }
        for (key, request) in read.input_requests {
            let method = request["method"].as_str().unwrap_or_default().to_owned();
            let params = serde_json::value::to_raw_value(&request["params"]).ok();
            let key = Key::Input(key);
            self.questions.push_back(Question {
                key,
                method,
                params,
            });
        }
        self.round = Some(Round {
            answers: Map::new(),
            state: read.request_state,
        });
        Ok(())
    }

    /// Sends the request again, with the answers to the questions.
    async fn ask_again(&mut self, round: Round, wait: Duration) -> Result<(), Failure> {
        let mut params = self.request.params.clone();
        if !round.answers.is_empty() {
            params["inputResponses"] = Value::Object(round.answers);
        }
        if let Some(state) = round.state {
            params["requestState"] = state;
        }
        let (id, replies) = self.connection.post(&self.request, params, wait).await?;
        (self.id, self.replies) = (Some(id), replies);
        Ok(())
    }
}
