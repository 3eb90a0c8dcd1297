//! `tasks/get`, `tasks/update` and `tasks/cancel`.

use std::collections::BTreeMap;

use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::context::Context;
use crate::error::{Capabilities, Capability};
use crate::mcp::call::task::record::View;
use crate::mcp::messages::envelope::Request;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::headers;
use crate::mcp::messages::result::ServerMeta;
use crate::mcp::messages::version::Shape;
use crate::mcp::methods::rendered;
use crate::mcp::{Endpoint, McpResponse};

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
pub(crate) async fn answer(
    endpoint: &Endpoint,
    headers: Option<&HeaderMap>,
    request: &Request<'_>,
    declared: &RawValue,
    cx: &Context,
) -> Result<McpResponse, RpcError> {
    let Some(tasks) = &endpoint.tasks else {
        return Err(RpcError::method_not_found(&request.method));
    };
    if !Capabilities::declared(declared.get()).has(Capability::Tasks) {
        return Err(RpcError::missing_capabilities(
            &request.method,
            &[Capability::Tasks],
        ));
    }
    let params: TaskParams<'_> = request.read_params()?;
    let id = &params.task_id;
    headers::check_name(headers, id, "params.taskId")?;
    let record = tasks.get(id, cx).await?;
    let changed = match &*request.method {
        "tasks/get" => return response(endpoint, request, "tasks/get", Some(record.view(id)), cx),
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
    response(endpoint, request, method, None, cx)
}

fn response(
    endpoint: &Endpoint,
    request: &Request<'_>,
    method: &'static str,
    task: Option<View<'_>>,
    cx: &Context,
) -> Result<McpResponse, RpcError> {
    let result = TaskResult {
        result_type: "complete",
        task,
        meta: ServerMeta::new(endpoint.rendered.server()),
    };
    let result = cx.encode(&result);
    let result = result.map_err(|error| RpcError::of_error(Shape::Modern, method, &error))?;
    Ok(rendered::response(request, method, &result))
}
