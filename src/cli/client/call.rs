//! `call`, `read` and `prompt`: one request, the questions that come with it, and its result.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::arguments::{self, Argument};
use super::questions::Questions;
use super::report::Report;
use super::{Usage, list, output};
use crate::cli::Failure;
use crate::client::{Connection, Event, Failure as Refusal, Request, param_headers};
use crate::error::suggestion;

#[derive(Args)]
pub(super) struct Call {
    /// The tool's name.
    name: String,
    /// Arguments: `key=value` is read as the type of the tool's parameter, `key:=json` as JSON.
    #[arg(value_name = "KEY=VALUE", value_parser = Argument::parse)]
    arguments: Vec<Argument>,
    /// All arguments as one JSON object.
    #[arg(long, value_name = "OBJECT", conflicts_with = "arguments", value_parser = fields)]
    json: Option<Map<String, Value>>,
}

#[derive(Args)]
pub(super) struct Read {
    /// The resource's URI.
    uri: String,
}

#[derive(Args)]
pub(super) struct Prompt {
    /// The prompt's name.
    name: String,
    /// Arguments, which are texts.
    #[arg(value_name = "KEY=VALUE", value_parser = Argument::parse)]
    arguments: Vec<Argument>,
}

/// What a result says about its tool.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    #[serde(default)]
    is_error: bool,
}

impl Call {
    pub(super) async fn run(
        self,
        connection: &Connection,
        wait: Duration,
    ) -> Result<ExitCode, Failure> {
        let name = self.name;
        let tools = list::all(connection, "tools", wait).await?;
        let tools: Vec<Value> = tools
            .iter()
            .filter_map(|it| serde_json::from_str(it.get()).ok())
            .collect();
        let Some(tool) = tools.iter().find(|tool| tool["name"] == *name) else {
            let names = tools.iter().filter_map(|tool| tool["name"].as_str());
            let hint = suggestion::hint(&suggestion::closest(&name, names));
            return Err(Usage(format!("the server has no tool `{name}`{hint}")).into());
        };
        let schema = &tool["inputSchema"];
        let arguments = match self.json {
            Some(fields) => Value::Object(fields),
            None => arguments::object(&self.arguments, schema).map_err(Usage)?,
        };
        let headers = param_headers(schema, &arguments);
        let params = json!({"name": name, "arguments": arguments});
        let result = converse(
            connection,
            Request::new("tools/call", params).headers(headers),
            wait,
        )
        .await?;
        output::show(result.get())?;
        let outcome: Option<Outcome> = serde_json::from_str(result.get()).ok();
        Ok(ExitCode::from(u8::from(
            outcome.is_some_and(|it| it.is_error),
        )))
    }
}

impl Read {
    pub(super) async fn run(
        self,
        connection: &Connection,
        wait: Duration,
    ) -> Result<ExitCode, Failure> {
        let params = json!({"uri": self.uri});
        let result = converse(connection, Request::new("resources/read", params), wait).await?;
        output::show(result.get())
    }
}

impl Prompt {
    pub(super) async fn run(
        self,
        connection: &Connection,
        wait: Duration,
    ) -> Result<ExitCode, Failure> {
        // Arguments of prompts are texts in every revision.
        let schema = json!({"additionalProperties": {"type": "string"}});
        let arguments = arguments::object(&self.arguments, &schema).map_err(Usage)?;
        let params = json!({"name": self.name, "arguments": arguments});
        let result = converse(connection, Request::new("prompts/get", params), wait).await?;
        output::show(result.get())
    }
}

/// Sends a request, shows what the server says meanwhile, and answers its questions.
async fn converse(
    connection: &Connection,
    request: Request,
    wait: Duration,
) -> Result<Box<RawValue>, Failure> {
    let mut report = Report::new();
    let mut questions = Questions::new();
    let done: Result<Box<RawValue>, Refusal> = async {
        let mut exchange = connection.start(request, wait).await?;
        loop {
            match exchange.next(wait).await? {
                Some(Event::Result(result)) => return Ok(result),
                Some(Event::Notification { method, params }) => {
                    report.hear(&method, params.as_deref())
                }
                Some(Event::Question(question)) if question.method == "elicitation/create" => {
                    report.end();
                    let answer = questions.ask(question.params.as_deref()).await;
                    exchange.answer(question, answer, wait).await?;
                }
                Some(Event::Question(question)) if question.method == "ping" => {
                    exchange.answer(question, json!({}), wait).await?;
                }
                Some(Event::Question(question)) => exchange.refuse(question, wait).await?,
                // A request ends with its result.
                None => {}
            }
        }
    }
    .await;
    report.end();
    done.map_err(super::explained)
}

fn fields(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("expected one JSON object: {error}"))
}
