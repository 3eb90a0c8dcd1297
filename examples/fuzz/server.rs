//! The fuzzed application: the bundled functions, and further ones for parsers that those do not use.

use bifold::{
    Content, Context, Elicited, Error, JsonSchema, Level, Result, Server, Timestamp, Tool,
    provenance,
};
use serde::{Deserialize, Serialize};

/// Asks two questions at once, and then a third.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Ask {}

/// Reports its progress, writes to its client's log, and may continue as a task.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Report {}

/// Repeats its dates.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Dated {
    /// The first moment.
    since: Timestamp,
    /// The last moment.
    until: Option<Timestamp>,
}

/// Repeats arguments of every form that a schema can have.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Shapes {
    /// A whole number.
    count: i64,
    /// A number.
    ratio: Option<f64>,
    /// A small number.
    #[serde(default)]
    level: u8,
    /// Texts.
    #[serde(default)]
    names: Vec<String>,
    /// One of three.
    color: Option<Color>,
    /// The same again.
    inner: Option<Box<Inner>>,
    /// Whether.
    #[serde(default)]
    is_set: bool,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Color {
    Red,
    Green,
    Blue,
}

/// A part of the arguments.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Inner {
    /// A number or a text.
    value: Option<Value>,
    /// Moments.
    #[serde(default)]
    moments: Vec<Timestamp>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Value {
    Number(u32),
    Text(String),
}

#[derive(Deserialize, JsonSchema)]
struct Name {
    name: String,
}

#[derive(Deserialize, JsonSchema)]
struct Age {
    age: u8,
}

/// The bundled functions and those of this file, with short pages in lists.
pub fn server() -> Server {
    provenance::server().page_size(5).tools(vec![
        Tool::new("ask", ask),
        Tool::new("report", report).task(),
        Tool::sync("dated", |dated: Dated| dated).get("/dated"),
        Tool::sync("shapes", |shapes: Shapes| shapes).post("/forms"),
    ])
}

async fn ask(cx: Context, Ask {}: Ask) -> Result<Content> {
    let (name, age) = tokio::try_join!(
        cx.elicit::<Name>("name", "What is your name?"),
        cx.elicit::<Age>("age", "How old are you?"),
    )?;
    let (Elicited::Accepted(Name { name }), Elicited::Accepted(Age { age })) = (name, age) else {
        return Err(Error::failed("the user does not say"));
    };
    let roots = cx.roots("roots").await?;
    let said = format!("{name} is {age} and has {} roots.", roots.len());
    Ok(Content::text(said))
}

async fn report(cx: Context, Report {}: Report) -> Result<Content> {
    cx.progress(1.0, Some(2.0), "half");
    cx.log(Level::Warning, "one half is left");
    cx.detach().await;
    cx.progress(2.0, Some(2.0), "whole");
    Ok(Content::text("It is done."))
}
