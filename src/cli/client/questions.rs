//! Questions of the server (elicitation), asked on standard error and answered on standard input.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin, stdin};

use super::report::clean;

/// The most times that one field is asked for.
const MAX_TRIES: usize = 20;

/// Asks the person at the terminal.
pub(super) struct Questions {
    lines: Option<Lines<BufReader<Stdin>>>,
}

/// The parameters of `elicitation/create`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Params {
    message: String,
    url: Option<String>,
    requested_schema: Form,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Form {
    properties: Properties,
    required: Vec<String>,
}

/// The fields of a form, in the order of the server.
#[derive(Default)]
struct Properties(Vec<(String, Value)>);

/// Why there is no answer.
enum Ended {
    Declined,
    Cancelled,
}

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Properties, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Properties;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Properties, A::Error> {
        let mut all = Vec::new();
        while let Some(field) = map.next_entry()? {
            all.push(field);
        }
        Ok(Properties(all))
    }
}

impl Questions {
    pub(super) fn new() -> Questions {
        Questions { lines: None }
    }

    /// Asks what the parameters of `elicitation/create` say; returns the result of the method.
    pub(super) async fn ask(&mut self, params: Option<&RawValue>) -> Value {
        let params = params.and_then(|it| serde_json::from_str(it.get()).ok());
        let params: Params = params.unwrap_or_default();
        eprintln!("{}", clean(&params.message));
        let answered = match &params.url {
            Some(url) => self.open(url).await.map(|()| None),
            None => self.fill_in(&params.requested_schema).await.map(Some),
        };
        match answered {
            Ok(Some(content)) => json!({"action": "accept", "content": content}),
            Ok(None) => json!({"action": "accept"}),
            Err(Ended::Declined) => json!({"action": "decline"}),
            Err(Ended::Cancelled) => json!({"action": "cancel"}),
        }
    }

    /// Asks to open a page, which is not opened by itself: its address comes from the server.
    async fn open(&mut self, url: &str) -> Result<(), Ended> {
        eprintln!(
            "  Open {} and then press Enter, or type /decline.",
            clean(url)
        );
        self.line().await.map(|_| ())
    }

    async fn fill_in(&mut self, form: &Form) -> Result<Value, Ended> {
        eprintln!("  (/decline declines; the end of the input cancels)");
        let mut content = Map::new();
        for (name, property) in &form.properties.0 {
            let is_required = form.required.contains(name);
            if let Some(value) = self.field(name, property, is_required).await? {
                content.insert(name.clone(), value);
            }
        }
        Ok(Value::Object(content))
    }

    /// Asks for one field until its value fits; `None` where an optional one stays empty.
    async fn field(
        &mut self,
        name: &str,
        schema: &Value,
        is_required: bool,
    ) -> Result<Option<Value>, Ended> {
        let label = schema["title"].as_str().unwrap_or(name);
        let about = schema["description"].as_str().unwrap_or("");
        let kind = takes(schema);
        let default = schema.get("default");
        for _ in 0..MAX_TRIES {
            let about = if about.is_empty() {
                String::new()
            } else {
                format!(" - {about}")
            };
            let default_shown = default.map_or(String::new(), |it| format!(", default {it}"));
            let optional = if is_required { "" } else { ", optional" };
            eprintln!(
                "{}",
                clean(&format!(
                    "  {label}{about} ({kind}{default_shown}{optional}):"
                ))
            );
            let line = self.line().await?;
            if line.is_empty() && (default.is_some() || !is_required) {
                return Ok(default.cloned());
            }
            if line.is_empty() {
                eprintln!("  expected a value");
                continue;
            }
            match value(schema, &line) {
                Ok(value) => return Ok(Some(value)),
                Err(problem) => eprintln!("  {}", clean(&problem)),
            }
        }
        Err(Ended::Cancelled)
    }

    async fn line(&mut self) -> Result<String, Ended> {
        let lines = self
            .lines
            .get_or_insert_with(|| BufReader::new(stdin()).lines());
        match lines.next_line().await {
            Ok(Some(line)) if line.trim() == "/decline" => Err(Ended::Declined),
            Ok(Some(line)) => Ok(line.trim().to_owned()),
            Ok(None) | Err(_) => Err(Ended::Cancelled),
        }
    }
}

/// The value of a typed line by the schema of its field.
fn value(schema: &Value, line: &str) -> Result<Value, String> {
    let choices = choices(schema);
    let known = |text: &str| choices.iter().any(|it| it == text);
    match schema["type"].as_str() {
        Some("array") => {
            let items: Vec<String> = line
                .split(',')
                .map(|it| it.trim().to_owned())
                .filter(|it| !it.is_empty())
                .collect();
            match items.iter().find(|it| !known(it) && !choices.is_empty()) {
                Some(item) => Err(format!("`{item}` is not one of {}", choices.join(", "))),
                None => Ok(items.into()),
            }
        }
        Some("boolean") => match line.to_lowercase().as_str() {
            "y" | "yes" | "true" => Ok(true.into()),
            "n" | "no" | "false" => Ok(false.into()),
            _ => Err("expected yes or no".into()),
        },
        Some("integer") => match line.parse::<i64>() {
            Ok(number) => within(schema, number.into()),
            Err(_) => Err("expected an integer".into()),
        },
        Some("number") => match line.parse::<f64>().ok().filter(|it| it.is_finite()) {
            Some(number) => within(schema, number.into()),
            None => Err("expected a number".into()),
        },
        _ if !choices.is_empty() && !known(line) => {
            Err(format!("expected one of {}", choices.join(", ")))
        }
        _ => long_enough(schema, line),
    }
}

fn within(schema: &Value, number: Value) -> Result<Value, String> {
    let at = number.as_f64();
    let (least, most) = (schema["minimum"].as_f64(), schema["maximum"].as_f64());
    match (least, most) {
        (Some(least), _) if at < Some(least) => Err(format!("expected at least {least}")),
        (_, Some(most)) if at > Some(most) => Err(format!("expected at most {most}")),
        _ => Ok(number),
    }
}

fn long_enough(schema: &Value, line: &str) -> Result<Value, String> {
    let length = line.chars().count() as u64;
    let (least, most) = (schema["minLength"].as_u64(), schema["maxLength"].as_u64());
    match (least, most) {
        (Some(least), _) if length < least => Err(format!("expected at least {least} characters")),
        (_, Some(most)) if length > most => Err(format!("expected at most {most} characters")),
        _ => Ok(line.into()),
    }
}

/// What a field takes, in words.
fn takes(schema: &Value) -> String {
    let choices = choices(schema).join(", ");
    match schema["type"].as_str() {
        Some("array") => format!("any of {choices}, with commas between them"),
        Some("boolean") => "yes or no".into(),
        _ if !choices.is_empty() => choices,
        Some(kind) => schema["format"].as_str().unwrap_or(kind).to_owned(),
        None => "text".into(),
    }
}

/// The values that a field may have, if they are listed.
fn choices(schema: &Value) -> Vec<String> {
    let within = if schema["type"] == "array" {
        &schema["items"]
    } else {
        schema
    };
    let plain = within["enum"].as_array().into_iter().flatten();
    let titled = ["oneOf", "anyOf"]
        .into_iter()
        .flat_map(|it| within[it].as_array().into_iter().flatten());
    let titled = titled.map(|it| &it["const"]);
    plain
        .chain(titled)
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}
