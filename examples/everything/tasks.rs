//! Long-running functions: clients that support tasks get a task.

use std::time::Duration;

use bifold::{Capability, Content, Context, Elicited, Error, JsonSchema, Result, Tool};
use serde::Deserialize;
use tokio::time::sleep;

use crate::no_arguments;

no_arguments! {
    /// Fails after a second.
    FailingJob;
    /// Fails in a way that it was not written for.
    ProtocolErrorJob;
    /// Asks for two things at once while it runs as a task.
    MultiInput;
    /// Asks for a name, then takes long.
    ToolWithTask;
}

/// Greets someone.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Greet {
    /// Whom to greet.
    name: String,
}

/// Takes the given time.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SlowCompute {
    /// How many seconds.
    seconds: f64,
    /// What to call the result.
    #[serde(default)]
    label: String,
}

/// Deletes a file, once the user agrees.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ConfirmDelete {
    /// The file.
    #[serde(default)]
    filename: String,
}

#[derive(Deserialize, JsonSchema)]
struct Agreement {
    /// Whether to go on.
    confirm: bool,
}

#[derive(Deserialize, JsonSchema)]
struct Name {
    name: String,
}

pub fn long() -> Vec<Tool> {
    vec![
        Tool::sync("greet", greet),
        Tool::new("slow_compute", slow_compute).task(),
        Tool::new("failing_job", failing_job)
            .task()
            .requires(Capability::Tasks),
        Tool::new("protocol_error_job", protocol_error_job).task(),
        Tool::new("confirm_delete", confirm_delete).task(),
        Tool::new("multi_input", multi_input).task(),
        Tool::new("test_tool_with_task", tool_with_task)
            .task()
            .requires(Capability::Tasks),
    ]
}

fn greet(_: Context, Greet { name }: Greet) -> Result<Content> {
    Ok(Content::text(format!("Hello, {name}!")))
}

async fn slow_compute(cx: Context, SlowCompute { seconds, label }: SlowCompute) -> Result<Content> {
    let time = Duration::try_from_secs_f64(seconds)
        .map_err(|_| Error::invalid_argument("seconds", "must not be negative"))?;
    if !time.is_zero() {
        cx.detach().await;
    }
    sleep(time).await;
    Ok(Content::text(format!("{label} took {seconds} s.")))
}

async fn failing_job(cx: Context, _: FailingJob) -> Result<Content> {
    cx.detach().await;
    sleep(Duration::from_secs(1)).await;
    Err(Error::failed("the job fails, as always"))
}

async fn protocol_error_job(cx: Context, _: ProtocolErrorJob) -> Result<Content> {
    cx.detach().await;
    Err(Error::internal("the job has a defect"))
}

async fn confirm_delete(cx: Context, ConfirmDelete { filename }: ConfirmDelete) -> Result<Content> {
    cx.detach().await;
    let question = format!("Delete `{filename}`?");
    let text = match cx.elicit("confirm", &question).await? {
        Elicited::Accepted(Agreement { confirm: true }) => "deleted",
        _ => "kept",
    };
    Ok(Content::text(format!("`{filename}` is {text}.")))
}

async fn multi_input(cx: Context, _: MultiInput) -> Result<Content> {
    cx.detach().await;
    let (first, second) = tokio::try_join!(
        cx.elicit::<Name>("first", "What is your first name?"),
        cx.elicit::<Name>("last", "What is your last name?"),
    )?;
    let names = [first, second].map(|it| match it {
        Elicited::Accepted(Name { name }) => name,
        Elicited::Declined | Elicited::Cancelled => "nobody".to_owned(),
    });
    Ok(Content::text(format!("Hello, {}!", names.join(" "))))
}

async fn tool_with_task(cx: Context, _: ToolWithTask) -> Result<Content> {
    let answer = cx.elicit("user_name", "What is your name?").await?;
    let Elicited::Accepted(Name { name }) = answer else {
        return Err(Error::failed("the user does not say"));
    };
    cx.detach().await;
    sleep(Duration::from_millis(100)).await;
    Ok(Content::text(format!("It took long, {name}.")))
}
