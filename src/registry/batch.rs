//! Many calls in one: a function that calls the others, several at a time, and reports on each.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};

use crate::clock::Deadline;
use crate::context::Context;
use crate::error::excerpt::excerpt;
use crate::error::{Detail, Error, Result};
use crate::registry::count::Count;
use crate::registry::object::Object;
use crate::registry::{Answer, Registry, Tool};
use crate::telemetry;

/// The most calls of one batch.
const MAX_CALLS: usize = 200;

/// The longest time that a call can be given: no platform lets a request run on for longer than 15 minutes.
const MAX_TIMEOUT_MS: u32 = 900_000;

/// Calls that run at the same time.
const WIDTH: usize = 8;

/// Calls many functions of this server at once, and reports on each: one call for a wallet after the other would take
/// the sum of their times. A call that fails leaves the others alone; `failures` lists what to look at or to try again.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CallMany {
    /// The calls, at most 200. They run in no certain order, eight at a time.
    #[schemars(length(max = MAX_CALLS))]
    calls: Vec<CallItem>,
    /// The longest that one call may take, in milliseconds; all together never take longer than a single call may.
    #[serde(default)]
    item_timeout_ms: Option<Count<1, MAX_TIMEOUT_MS>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CallItem {
    /// Name of the function; not this one.
    name: String,
    /// Its arguments, a JSON object.
    #[serde(default)]
    arguments: Object,
}

#[derive(Serialize, JsonSchema)]
struct Report {
    /// Number of calls.
    total: usize,
    succeeded: usize,
    failed: usize,
    /// One for each call, in the order of the calls.
    results: Vec<Item>,
    /// The calls that failed, in the order of the calls.
    failures: Vec<Failure>,
}

/// What became of one call.
#[derive(Serialize, JsonSchema)]
struct Item {
    /// Its place among the calls, from 0.
    index: usize,
    name: String,
    /// Whether it succeeded.
    ok: bool,
    /// The result of the function, if it succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Embedded")]
    result: Option<Embedded>,
    /// What went wrong, if it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Failed<'static>")]
    error: Option<Broken>,
}

/// A result as the function gave it: its bytes go into the report as they are.
struct Embedded(Answer);

/// The error of one call, which on the wire is a [`Failed`].
struct Broken(Error);

#[derive(Serialize, JsonSchema)]
struct Failed<'a> {
    #[serde(flatten)]
    detail: Detail<'a>,
    /// What was wrong, where, and what to do.
    message: &'a str,
}

#[derive(Serialize, JsonSchema)]
struct Failure {
    index: usize,
    name: String,
    /// The stable class of the failure.
    kind: &'static str,
    message: String,
    /// How often it was tried; 0 for a call whose turn never came.
    attempts: u32,
}

/// The bytes that the report needs for one call beside its result: its name, and its error twice.
const FRAME: usize = 640;

/// The state that all calls of one batch share.
#[derive(Clone)]
struct Batch {
    registry: Arc<Registry>,
    cx: Context,
    /// When the report must be written.
    deadline: Deadline,
    /// The longest that one call may take.
    limit: Option<Duration>,
}

/// The function `call_many`, which also answers `POST /api/batch`.
pub fn tool() -> Tool {
    Tool::new("call_many", call_many)
        .post("/batch")
        .calls("calls")
        .tags(["system"])
}

async fn call_many(
    cx: Context,
    CallMany {
        calls,
        item_timeout_ms,
    }: CallMany,
) -> Result<Report> {
    check(&calls)?;
    let total = calls.len();
    // Reserves room to report every failed call.
    let room = cx.reserve(total * FRAME);
    let batch = Batch {
        registry: Registry::of(&cx)?,
        deadline: Deadline::after(cx.deadline().budget(Duration::MAX)),
        limit: item_timeout_ms.map(|it| Duration::from_millis(it.0.into())),
        cx: cx.clone(),
    };
    let running = calls.into_iter().enumerate();
    let running = running.map(|(index, call)| batch.clone().item(index, call));
    // Not in order, because a slow call must not delay those that come after it.
    let mut running = stream::iter(running).buffer_unordered(WIDTH);
    let mut items = Vec::with_capacity(total);
    while let Some(item) = running.next().await {
        items.push(item);
        let name = &items[items.len() - 1].name;
        cx.progress(items.len() as f64, Some(total as f64), name);
        // Here and not in each call, so that calls continue in the order in which they began.
        cx.yield_now().await;
    }
    items.sort_unstable_by_key(|item| item.index);
    drop(room);
    Ok(Report::of(items))
}

fn check(calls: &[CallItem]) -> Result<()> {
    if calls.len() > MAX_CALLS {
        let problem = format!("{} calls, at most {MAX_CALLS} are taken", calls.len());
        return Err(Error::invalid_argument("calls", problem));
    }
    Ok(())
}

impl Batch {
    async fn item(self, index: usize, CallItem { name, arguments }: CallItem) -> Item {
        let result = self.call(&name, &arguments).await;
        let name = excerpt(&name).into_owned();
        match result {
            Ok(answer) => Item {
                index,
                name,
                ok: true,
                result: Some(Embedded(answer)),
                error: None,
            },
            Err(error) => Item {
                index,
                name,
                ok: false,
                result: None,
                error: Some(Broken(error)),
            },
        }
    }

    async fn call(&self, name: &str, arguments: &Object) -> Result<Answer> {
        // A function that never waits would otherwise run past its time.
        if self.deadline.remaining().is_zero() {
            return Err(Error::deadline_exceeded().tries(0));
        }
        let deadline = self.limit.map(Deadline::after);
        let cx = self
            .cx
            .part(deadline.unwrap_or(self.deadline).min(self.deadline))
            .already_yielded();
        let result = self.registry.call_named(name, cx, arguments.get()).await;
        let known = self.registry.get(name).map_or("", |tool| tool.name());
        result.inspect_err(|error| telemetry::cause(known, error))
    }
}

impl Report {
    fn of(results: Vec<Item>) -> Report {
        let failures: Vec<Failure> = results.iter().filter_map(Failure::of).collect();
        Report {
            total: results.len(),
            succeeded: results.len() - failures.len(),
            failed: failures.len(),
            results,
            failures,
        }
    }
}

impl Failure {
    fn of(item: &Item) -> Option<Failure> {
        let Broken(error) = item.error.as_ref()?;
        Some(Failure {
            index: item.index,
            name: item.name.clone(),
            kind: error.kind().as_str(),
            message: error.message().to_owned(),
            attempts: error.attempts(),
        })
    }
}

impl Serialize for Embedded {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.json().serialize(serializer)
    }
}

impl JsonSchema for Embedded {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Embedded".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({})
    }
}

impl Serialize for Broken {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let failed = Failed {
            detail: self.0.detail(),
            message: self.0.message(),
        };
        failed.serialize(serializer)
    }
}
