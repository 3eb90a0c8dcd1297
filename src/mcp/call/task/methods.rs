//! `tasks/get`, `tasks/update` and `tasks/cancel`.

use std::collections::BTreeMap;

use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::context::Context;
use crate::error::{Capabilities, Capability};
use crate::mcp::call::execution::Executor;
use crate::mcp::call::task::record::View;
use crate::mcp::messages::envelope::Request;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::headers;
use crate::mcp::messages::params::{Key, Params};
use crate::mcp::messages::result::ServerMeta;
use crate::mcp::messages::version::Shape;

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
    #[serde(rename = "_meta")]
    meta: ServerMeta<'a>,
    result_type: &'static str,
    #[serde(flatten)]
    task: Option<View<'a>>,
}

/// The method's name and its result.
type MethodResult = (&'static str, Box<RawValue>);

impl<'a> TaskParams<'a> {
    fn of(params: &Params<'a>) -> Result<TaskParams<'a>, RpcError> {
        params.decode(|it| {
            Some(TaskParams {
                task_id: it.parsed(Key::TaskId)?,
                input_responses: it.optional_parsed(Key::InputResponses)?,
            })
        })
    }
}

/// Answers one request about a task.
pub(crate) async fn answer(
    executor: &Executor,
    headers: Option<&HeaderMap>,
    request: &Request<'_>,
    declared: &RawValue,
    cx: &Context,
) -> Result<MethodResult, RpcError> {
    let Some(tasks) = &executor.tasks else {
        return Err(RpcError::method_not_found(&request.method));
    };
    if !Capabilities::declared(declared.get()).has(Capability::Tasks) {
        return Err(RpcError::missing_capabilities(
            &request.method,
            &[Capability::Tasks],
        ));
    }
    let params = TaskParams::of(&request.params)?;
    let id = &params.task_id;
    headers::check_name(headers, id, "params.taskId")?;
    let record = tasks.get(id, cx).await?;
    let changed = match &*request.method {
        "tasks/get" => return result(executor, "tasks/get", Some(record.view(id)), cx),
        "tasks/update" => {
            let Some(answers) = &params.input_responses else {
                let problem = "`params.inputResponses` is missing: it holds an answer for each key of the task's `inputRequests`";
                return Err(RpcError::invalid_params(problem));
            };
            tasks
                .change(id, cx.now(), |record| record.answer(answers.iter()))
                .await
        }
        _ => tasks.change(id, cx.now(), |record| record.cancel()).await,
    };
    changed.map_err(|error| RpcError::of_error(Shape::Modern, id, &error))?;
    let method = if request.method == "tasks/update" {
        "tasks/update"
    } else {
        "tasks/cancel"
    };
    result(executor, method, None, cx)
}

fn result(
    executor: &Executor,
    method: &'static str,
    task: Option<View<'_>>,
    cx: &Context,
) -> Result<MethodResult, RpcError> {
    let result = TaskResult {
        meta: ServerMeta::new(&executor.server),
        result_type: "complete",
        task,
    };
    let result = cx.encode(&result);
    let result = result.map_err(|error| RpcError::of_error(Shape::Modern, method, &error))?;
    Ok((method, result))
}
