//! `call`: calls one function and prints its result.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value};
use tokio::runtime::Builder;

use super::{Failure, log, print, program};
use crate::app::{App, Server};
use crate::config::Config;
use crate::registry::Answer;
use crate::telemetry::Format;

#[derive(Args)]
pub(super) struct Call {
    /// The function's name, as `list` shows it.
    name: String,
    /// Arguments, each parsed as the type of the function's parameter.
    #[arg(value_name = "KEY=VALUE", value_parser = pair)]
    arguments: Vec<(String, String)>,
    /// All arguments as one JSON object.
    #[arg(long, value_name = "OBJECT", conflicts_with = "arguments")]
    json: Option<String>,
}

impl Call {
    pub(super) fn run(self, config: Config, server: Server) -> Result<ExitCode, Failure> {
        // A single call logs only warnings, unless the user sets a level.
        let is_set = std::env::var_os("BIFOLD_LOG").is_some();
        log(Format::Text, if is_set { &config.log } else { "warn" })?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let app = App::start(config, server).await?;
            let arguments = match self.arguments(&app) {
                Ok(arguments) => arguments,
                Err(problem) => return Ok(wrong(&problem)),
            };
            match app.invoke(&self.name, &arguments).await {
                Ok(answer) => show(&answer),
                Err(error) => {
                    eprintln!("{}: {error}", error.kind().as_str());
                    Ok(ExitCode::from(1))
                }
            }
        })
    }

    /// The arguments as the text of a JSON object.
    ///
    /// # Errors
    /// What is wrong with the command line: an unknown function, invalid JSON, or a repeated key.
    fn arguments(&self, app: &App) -> Result<String, String> {
        let name = &self.name;
        let registry = app.registry();
        let Some(tool) = registry.get(name) else {
            let hint = registry.hint(name, |_| true);
            return Err(format!("there is no function `{name}`{hint}"));
        };
        if let Some(json) = &self.json {
            let object: Result<Map<String, Value>, _> = serde_json::from_str(json);
            let problem = |error| format!("--json takes one JSON object: {error}");
            return object.map(|_| json.clone()).map_err(problem);
        }
        let mut fields = Map::new();
        for (key, value) in &self.arguments {
            let schema = tool.parameters().and_then(|known| known.get(key));
            if fields.insert(key.clone(), typed(schema, value)).is_some() {
                return Err(format!("`{key}` is given more than once"));
            }
        }
        Ok(Value::Object(fields).to_string())
    }
}

/// Prints bytes as they are, nothing for nothing, and all else as a line of JSON.
fn show(answer: &Answer) -> Result<ExitCode, Failure> {
    if let Some(bytes) = answer.bytes() {
        return print(bytes.content());
    }
    if answer.is_nothing() {
        return Ok(ExitCode::SUCCESS);
    }
    print(answer.json().get())?;
    print("\n")
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// The value for its parameter: text where the parameter is a text, else JSON where the value can be parsed.
fn typed(schema: Option<&Value>, value: &str) -> Value {
    let is_text = schema.is_none_or(|schema| schema["type"] == "string");
    let json = serde_json::from_str(value).ok().filter(|_| !is_text);
    json.unwrap_or_else(|| value.into())
}

fn wrong(problem: &str) -> ExitCode {
    eprintln!("{}: {problem}", program());
    ExitCode::from(2)
}
