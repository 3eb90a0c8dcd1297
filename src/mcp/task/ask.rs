//! `tasks/get`, `tasks/update` and `tasks/cancel`.

use std::collections::BTreeMap;

use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::record::View;
use crate::capability::{Capabilities, Capability};
use crate::context::Context;
use crate::mcp::fault::Fault;
use crate::mcp::message::Request;
use crate::mcp::payload;
use crate::mcp::result::ServerMeta;
use crate::mcp::version::Shape;
use crate::mcp::{Endpoint, Reply, headers};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TaskParams<'a> {
    task_id: String,
    #[serde(borrow, default)]
    input_responses: Option<BTreeMap<String, &'a RawValue>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TaskResult<'a> {
    result_type: &'static str,
    #[serde(flatten)]
    task: Option<View<'a>>,
    #[serde(rename = "_meta")]
    meta: ServerMeta<'a>,
}

/// Answers one request about a task.
pub(in crate::mcp) async fn answer(
    endpoint: &Endpoint,
    headers: Option<&HeaderMap>,
    request: &Request<'_>,
    declared: &RawValue,
    cx: &Context,
) -> Result<Reply, Fault> {
    let Some(tasks) = &endpoint.tasks else {
        return Err(Fault::method_not_found(&request.method));
    };
    if !Capabilities::declared(declared.get()).has(Capability::Tasks) {
        return Err(Fault::missing_capabilities(
            &request.method,
            &[Capability::Tasks],
        ));
    }
    let params: TaskParams<'_> = request.read_params()?;
    let id = &params.task_id;
    headers::check_name(headers, id, "params.taskId")?;
    let record = tasks.get(id, cx).await?;
    let changed = match &*request.method {
        "tasks/get" => return reply(endpoint, request, "tasks/get", Some(record.view(id)), cx),
        "tasks/update" => {
            let Some(answers) = &params.input_responses else {
                let problem = "`params.inputResponses` is missing: it holds an answer for each key of the task's `inputRequests`";
                return Err(Fault::invalid_params(problem));
            };
            tasks
                .change(id, cx.now(), |record| record.answer(answers.iter()))
                .await
        }
        _ => tasks.change(id, cx.now(), |record| record.cancel()).await,
    };
    changed.map_err(|error| Fault::of_error(Shape::Modern, id, &error))?;
    let method = if request.method == "tasks/update" {
        "tasks/update"
    } else {
        "tasks/cancel"
    };
    reply(endpoint, request, method, None, cx)
}

fn reply(
    endpoint: &Endpoint,
    request: &Request<'_>,
    method: &'static str,
    task: Option<View<'_>>,
    cx: &Context,
) -> Result<Reply, Fault> {
    let result = TaskResult {
        result_type: "complete",
        task,
        meta: ServerMeta::new(endpoint.payloads.server()),
    };
    let result = cx.encode(&result);
    let result = result.map_err(|error| Fault::of_error(Shape::Modern, method, &error))?;
    Ok(payload::reply(request, method, &result))
}
