//! One tool call of the MCP client: the client's answers, and the result with what was reported before it.

use std::future::IntoFuture;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::mcp_client::{McpClient, RpcFailure};

/// The most rounds of one call; a function that asks more often is a defect of the test or of the function.
const MAX_ROUNDS: usize = 100;

/// A call of a tool. It runs when it is awaited.
pub struct McpCall {
    client: McpClient,
    method: &'static str,
    params: Value,
    answers: Map<String, Value>,
}

/// The result of a tool call.
#[derive(Clone, Debug)]
pub struct McpResult {
    result: Value,
    notifications: Vec<Value>,
    asked: Vec<String>,
}

impl McpCall {
    pub(super) fn new(client: McpClient, method: &'static str, params: Value) -> McpCall {
        McpCall {
            client,
            method,
            params,
            answers: Map::new(),
        }
    }

    /// Accepts the form that the function shows under `key`, with these values.
    pub fn accept(self, key: &str, content: Value) -> McpCall {
        self.answer(key, json!({"action": "accept", "content": content}))
    }

    /// Declines what the function asks under `key`.
    pub fn decline(self, key: &str) -> McpCall {
        self.answer(key, json!({"action": "decline"}))
    }

    /// Answers what the function asks under `key` with this result, for example that of `sampling/createMessage`.
    pub fn answer(mut self, key: &str, result: Value) -> McpCall {
        self.answers.insert(key.to_owned(), result);
        self
    }

    /// Calls until the function has its answers, as a client of multi-round requests does.
    async fn run(mut self) -> Result<McpResult, RpcFailure> {
        let (mut notifications, mut asked) = (Vec::new(), Vec::new());
        for _ in 0..MAX_ROUNDS {
            let exchange = self.client.exchange(self.method, self.params.clone());
            let exchange = exchange.await;
            notifications.extend(exchange.notifications);
            let mut result = exchange.response?;
            if result["resultType"] != "input_required" {
                return Ok(McpResult {
                    result,
                    notifications,
                    asked,
                });
            }
            let requests = result["inputRequests"].as_object();
            let keys: Vec<String> = requests.into_iter().flat_map(Map::keys).cloned().collect();
            let answers = keys
                .iter()
                .map(|key| Ok((key.clone(), self.answer_to(key)?)));
            let answers: Map<String, Value> = answers.collect::<Result<_, RpcFailure>>()?;
            asked.extend(keys);
            self.params["inputResponses"] = answers.into();
            self.params["requestState"] = result["requestState"].take();
        }
        Err(unanswered(format!("the function asked {MAX_ROUNDS} times")))
    }

    fn answer_to(&self, key: &str) -> Result<Value, RpcFailure> {
        let answer = self.answers.get(key).cloned();
        answer.ok_or_else(|| {
            unanswered(format!(
                "the function asks for `{key}`, and the test has no answer: add `.accept(\"{key}\", …)`"
            ))
        })
    }
}

impl IntoFuture for McpCall {
    type Output = Result<McpResult, RpcFailure>;
    type IntoFuture = BoxFuture<'static, Result<McpResult, RpcFailure>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl McpResult {
    /// Whether the function failed.
    pub fn is_error(&self) -> bool {
        self.result["isError"] == true
    }

    /// The structured result; for a failed function its error, with `kind` and `message`.
    pub fn structured(&self) -> Option<&Value> {
        self.result.get("structuredContent")
    }

    /// The text of all text blocks, joined by line breaks.
    pub fn text(&self) -> String {
        let texts = self.content().iter().filter_map(|it| it["text"].as_str());
        texts.collect::<Vec<_>>().join("\n")
    }

    /// The content blocks.
    pub fn content(&self) -> &[Value] {
        self.result["content"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The complete result.
    pub fn result(&self) -> &Value {
        &self.result
    }

    /// The parameters of the progress notifications, in order.
    pub fn progress(&self) -> Vec<&Value> {
        self.notified("notifications/progress")
    }

    /// The parameters of the log notifications, in order.
    pub fn log(&self) -> Vec<&Value> {
        self.notified("notifications/message")
    }

    /// The keys of everything that the function asked its client, in order.
    pub fn asked(&self) -> &[String] {
        &self.asked
    }

    fn notified(&self, method: &str) -> Vec<&Value> {
        let all = self.notifications.iter();
        all.filter(|it| it["method"] == method)
            .map(|it| &it["params"])
            .collect()
    }
}

fn unanswered(message: String) -> RpcFailure {
    RpcFailure {
        code: 0,
        message,
        data: Value::Null,
    }
}
