//! One call of a function of a mounted server.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use http::HeaderName;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::bridge::{self, ParkingLot};
use super::failure::{Failure, error};
use super::link::{Link, Request};
use super::params::{Meta, Params, Subject, Theirs};
use super::peer::Peer;
use super::session::{ModernMeta, Session};
use super::uris;
use crate::clock::Backoff;
use crate::context::Context;
use crate::error::{Capability, Error, Kind, Result};
use crate::registry::Answer;

/// How long a call waits for a server that does not take connections, as while it is started again.
const PATIENCE: Duration = Duration::from_secs(5);

const BACKOFF: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));

/// The most rounds of questions that one call may have.
const MAX_ROUNDS: usize = 16;

const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// One request, ready to be sent once or again.
enum Attempt<'a> {
    Call(Call<'a>),
    /// A completion with these parameters.
    Completion(&'a Value),
}

/// One round of a call.
struct Call<'a> {
    theirs: &'a Theirs,
    cx: &'a Context,
    subject: &'a Subject,
    lot: &'a ParkingLot,
    /// Whose call it is.
    owner: &'a str,
    /// The name or URI that it is about.
    about: &'a str,
    answers: &'a BTreeMap<String, Box<RawValue>>,
    state: Option<&'a RawValue>,
}

/// The fields of a result that may ask for more.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Round<'a> {
    #[serde(borrow, default)]
    result_type: Option<&'a str>,
    #[serde(default)]
    input_requests: BTreeMap<String, InputRequest>,
    #[serde(borrow, default)]
    request_state: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct InputRequest {
    method: String,
    #[serde(default)]
    params: Option<Box<RawValue>>,
}

/// Calls a tool, or gets a prompt.
pub(super) async fn call(
    peer: Arc<Peer>,
    theirs: Arc<Theirs>,
    cx: Context,
    arguments: Box<RawValue>,
) -> Result<Answer> {
    let subject = Subject {
        name: theirs.name.clone(),
        uri: None,
        arguments: Some(arguments),
    };
    let result = measured(&peer, &theirs, &cx, &subject).await?;
    Answer::of_foreign(&peer.name, uris::rewritten(result, &peer.names))
}

/// Reads a document by our URI, which the arguments hold.
pub(super) async fn read(
    peer: Arc<Peer>,
    theirs: Arc<Theirs>,
    cx: Context,
    arguments: Box<RawValue>,
) -> Result<Answer> {
    let arguments: Value = serde_json::from_str(arguments.get()).unwrap_or_default();
    let ours = arguments["uri"].as_str().unwrap_or_default();
    let uri = peer.names.back(ours);
    let missing = || Error::not_found("the URI belongs to another server");
    let subject = Subject {
        name: None,
        uri: Some(uri.ok_or_else(missing)?),
        arguments: None,
    };
    let result = measured(&peer, &theirs, &cx, &subject).await?;
    Answer::of_foreign(&peer.name, uris::rewritten(result, &peer.names))
}

/// Proposes values of an argument.
pub(super) async fn complete(
    peer: Arc<Peer>,
    reference: Value,
    argument: String,
    cx: Context,
    typed: String,
) -> Result<Vec<String>> {
    let params = json!({ "ref": reference, "argument": { "name": argument, "value": typed } });
    let _running = peer.begin();
    let result = connected(&peer, &cx, true, &Attempt::Completion(&params)).await;
    let result = result.map_err(|it| it.into_error(&peer.name))?;
    let result: Value = serde_json::from_str(result.get()).unwrap_or_default();
    let values = result["completion"]["values"]
        .as_array()
        .into_iter()
        .flatten();
    Ok(values
        .filter_map(|it| it.as_str().map(str::to_owned))
        .collect())
}

async fn measured(
    peer: &Arc<Peer>,
    theirs: &Theirs,
    cx: &Context,
    subject: &Subject,
) -> Result<Box<RawValue>> {
    let _running = peer.begin();
    let since = Instant::now();
    let measured = cx.measure_mount(&peer.name);
    let result = answered(peer, theirs, cx, subject).await;
    drop(measured);
    let problem = result.as_ref().err().and_then(|it| match it {
        Failure::Unseen(error) | Failure::Broken(error) => Some(error.message().to_owned()),
        Failure::SessionGone | Failure::Refused(..) => None,
    });
    peer.status.record(since.elapsed(), problem);
    result.map_err(
        |failure| match failure.needs_task() && cx.can(Capability::Tasks) {
            // The client has what the server asks for.
            true => {
                let problem =
                    "runs this only as a task, and tasks are not passed on to mounted servers";
                error(&peer.name, Kind::UpstreamError, None, problem)
            }
            false => failure.into_error(&peer.name),
        },
    )
}

/// The result, after everything that the server asks of the client.
async fn answered(
    peer: &Arc<Peer>,
    theirs: &Theirs,
    cx: &Context,
    subject: &Subject,
) -> Result<Box<RawValue>, Failure> {
    let about = subject
        .name
        .as_deref()
        .or(subject.uri.as_deref())
        .unwrap_or("");
    let principal = cx.principal().map_or("", |it| it.id());
    let owner = format!("{principal}\n{}\n{about}", theirs.method);
    if let Some(resumed) = bridge::resume(&peer.lot, cx, &owner).await {
        return resumed;
    }
    // A server of the modern era names its questions itself.
    if let Some(late) = bridge::too_late(cx)
        && !peer.connection(cx).await?.session().is_modern()
    {
        return Err(late);
    }
    let (mut answers, mut state) = (BTreeMap::new(), None::<Box<RawValue>>);
    for _ in 0..MAX_ROUNDS {
        // A server that was told an answer may have acted on it.
        let may_repeat = theirs.is_repeatable && answers.is_empty();
        let attempt = Attempt::Call(Call {
            theirs,
            cx,
            subject,
            lot: &peer.lot,
            owner: &owner,
            about,
            answers: &answers,
            state: state.as_deref(),
        });
        let result = connected(peer, cx, may_repeat, &attempt).await?;
        // A look at the text first: only few results are another round.
        if !result.get().contains("\"input_required\"") {
            return Ok(result);
        }
        let round = serde_json::from_str::<Round<'_>>(result.get());
        let Some(round) = round
            .ok()
            .filter(|it| it.result_type == Some("input_required"))
        else {
            return Ok(result);
        };
        state = round.request_state.map(ToOwned::to_owned);
        answers = ask(cx, &round.input_requests)
            .await
            .map_err(Failure::Broken)?;
    }
    let problem = format!("asked more than {MAX_ROUNDS} times");
    Err(Failure::broken(
        &peer.name,
        Kind::UpstreamInvalidResponse,
        &problem,
    ))
}

/// Asks the client everything that the server asks at once.
async fn ask(
    cx: &Context,
    requests: &BTreeMap<String, InputRequest>,
) -> Result<BTreeMap<String, Box<RawValue>>> {
    let asking = requests
        .iter()
        .map(|(key, request)| ask_one(cx, key, request));
    join_all(asking).await.into_iter().collect()
}

async fn ask_one(
    cx: &Context,
    key: &str,
    request: &InputRequest,
) -> Result<(String, Box<RawValue>)> {
    let params = bridge::params_of(request.params.as_deref());
    let Some((method, capability)) = bridge::needed(&request.method, &params) else {
        let problem = "is none that a client can be asked";
        return Err(Error::unanswered(key, problem));
    };
    let answer = cx.ask_foreign(key, capability, method, params).await?;
    Ok((key.to_owned(), answer))
}

/// Makes an attempt with a connection, and another one where that is safe.
async fn connected(
    peer: &Arc<Peer>,
    cx: &Context,
    may_repeat: bool,
    attempt: &Attempt<'_>,
) -> Result<Box<RawValue>, Failure> {
    let patience = Instant::now() + PATIENCE.min(cx.deadline().remaining());
    let (mut failures, mut has_renewed, mut has_repeated) = (0, false, false);
    loop {
        let connection = peer.connection(cx).await;
        let outcome = match &connection {
            Ok(connection) => attempt.make(connection.link(), connection.session()).await,
            Err(_) => Err(Failure::SessionGone),
        };
        let failure = match (outcome, connection) {
            (Ok(result), _) => return Ok(result),
            (Err(_), Err(failure)) => failure,
            (Err(Failure::SessionGone), Ok(connection)) => {
                peer.forget(&connection);
                if has_renewed {
                    return Err(Failure::SessionGone);
                }
                has_renewed = true;
                continue;
            }
            (Err(Failure::Broken(error)), Ok(connection)) => {
                // Other errors, such as that of a client that does not answer, do not mean that the connection is broken.
                if error.is_unreachable() {
                    peer.forget(&connection);
                    if may_repeat && !has_repeated && !cx.has_asked() {
                        has_repeated = true;
                        continue;
                    }
                }
                return Err(Failure::Broken(error));
            }
            (Err(failure), Ok(connection)) => {
                // The process has ended, and another one is started.
                if connection.link().as_http().is_none() {
                    peer.forget(&connection);
                }
                failure
            }
        };
        let Failure::Unseen(error) = failure else {
            return Err(failure);
        };
        let wait = BACKOFF.limit(failures + 1);
        if !error.is_unreachable() || Instant::now() + wait > patience {
            return Err(Failure::Unseen(error));
        }
        failures += 1;
        tokio::time::sleep(wait).await;
    }
}

impl Attempt<'_> {
    /// Sends the request once, and waits for its result.
    async fn make(&self, link: &Link, session: &Arc<Session>) -> Result<Box<RawValue>, Failure> {
        match self {
            Attempt::Call(call) => call.make(link, session).await,
            Attempt::Completion(params) => {
                let mut params = (*params).clone();
                if session.is_modern() {
                    params["_meta"] = json!(ModernMeta::new(json!({})));
                }
                let request = Request::new(link.next_id(), "completion/complete", &params);
                link.open(session, request).await?.only_result().await
            }
        }
    }
}

impl Call<'_> {
    async fn make(&self, link: &Link, session: &Arc<Session>) -> Result<Box<RawValue>, Failure> {
        let Call {
            theirs,
            cx,
            subject,
            ..
        } = *self;
        let id = link.next_id();
        let params = Params {
            name: subject.name.as_deref(),
            uri: subject.uri.as_deref(),
            arguments: subject.arguments.as_deref(),
            input_responses: self.answers,
            request_state: self.state,
            meta: Meta::new(cx, session, id),
        };
        let mut request = Request::new(id, theirs.method, &params);
        if session.is_modern() {
            request = request.header(NAME, self.about);
            for (name, value) in theirs.repeated(subject) {
                request = request.header(name, &value);
            }
        }
        let exchange = link.open(session, request).await?;
        bridge::drive(exchange, self.lot, cx, self.owner).await
    }
}

/// The error of a call on a server that is no longer mounted.
pub(super) fn gone(mount: &str) -> Failure {
    let problem = "is no longer mounted";
    Failure::Broken(error(mount, Kind::UpstreamUnavailable, None, problem))
}
