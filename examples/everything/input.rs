//! Functions that ask their client.

use bifold::{
    Capability, Content, Context, Elicited, Error, JsonSchema, Prompt, Result, Sampling, Tool,
};
use serde::{Deserialize, Serialize};

use crate::no_arguments;

no_arguments! {
    /// Greets the user by the name that they give.
    AskName;
    /// Asks the client's model.
    AskModel;
    /// Lists the client's roots.
    AskRoots;
    /// Asks for a confirmation and answers only to a state that is its own.
    AskWithState;
    /// Asks three things at once.
    AskAtOnce;
    /// Asks two things, one after the other.
    AskTwice;
    /// Asks only what its client can answer.
    AskWhatIsPossible;
    /// Asks what the conversation is about.
    AskContext;
    /// Shows a form whose fields have values already.
    FormWithDefaults;
    /// Shows a form with every kind of choice.
    FormWithChoices;
}

/// Asks the client's model for an answer to a prompt.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AskModelFor {
    /// What the model is asked.
    prompt: String,
}

/// Asks the client's user for a name and an address.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AskUser {
    /// What the user is told.
    message: String,
}

#[derive(Deserialize, JsonSchema)]
struct Name {
    name: String,
}

#[derive(Deserialize, JsonSchema)]
struct Color {
    color: String,
}

#[derive(Deserialize, JsonSchema)]
struct Confirmation {
    ok: bool,
}

#[derive(Deserialize, JsonSchema)]
struct About {
    context: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct User {
    /// User's response
    username: String,
    /// User's email address
    email: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Profile {
    #[serde(default = "john")]
    name: String,
    #[serde(default = "thirty")]
    age: u32,
    #[serde(default = "score")]
    score: f64,
    #[serde(default)]
    status: Status,
    #[serde(default = "yes")]
    verified: bool,
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Status {
    #[default]
    Active,
    Inactive,
    PendingOutcome,
}

fn john() -> String {
    "John Doe".to_owned()
}

fn thirty() -> u32 {
    30
}

fn score() -> f64 {
    95.5
}

fn yes() -> bool {
    true
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Choices {
    untitled_single: Plain,
    titled_single: Titled,
    #[schemars(extend("enumNames" = ["Option One", "Option Two", "Option Three"]))]
    legacy_enum: Old,
    untitled_multi: Vec<Plain>,
    titled_multi: Vec<Valued>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Plain {
    Option1,
    Option2,
    Option3,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Old {
    Opt1,
    Opt2,
    Opt3,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Titled {
    /// First Option
    Value1,
    /// Second Option
    Value2,
    /// Third Option
    Value3,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Valued {
    /// First Choice
    Value1,
    /// Second Choice
    Value2,
    /// Third Choice
    Value3,
}

pub fn asking() -> Vec<Tool> {
    vec![
        Tool::new("test_input_required_result_elicitation", ask_name),
        Tool::new("test_input_required_result_sampling", ask_model),
        Tool::new("test_input_required_result_list_roots", ask_roots),
        Tool::new("test_input_required_result_request_state", ask_with_state),
        Tool::new("test_input_required_result_tampered_state", ask_with_state),
        Tool::new("test_input_required_result_multiple_inputs", ask_at_once),
        Tool::new("test_input_required_result_multi_round", ask_twice),
        Tool::new(
            "test_input_required_result_capabilities",
            ask_what_is_possible,
        ),
        Tool::new("test_sampling", ask_model_for),
        Tool::new("test_elicitation", ask_user),
        Tool::new("test_elicitation_sep1034_defaults", form_with_defaults),
        Tool::new("test_elicitation_sep1330_enums", form_with_choices),
    ]
}

pub fn prompt() -> Prompt {
    Prompt::new(Tool::new("test_input_required_result_prompt", ask_context))
}

async fn ask_name(cx: Context, _: AskName) -> Result<Content> {
    let Name { name } = accepted(cx.elicit("user_name", "What is your name?").await?)?;
    Ok(Content::text(format!("Hello, {name}!")))
}

async fn ask_model(cx: Context, _: AskModel) -> Result<Content> {
    let question = Sampling::new("What is the capital of France?", 100);
    let answer = cx.sample("capital_question", question).await?;
    Ok(Content::text(answer.text()))
}

async fn ask_roots(cx: Context, _: AskRoots) -> Result<Content> {
    let roots = cx.roots("client_roots").await?;
    let uris: Vec<String> = roots.into_iter().map(|root| root.uri).collect();
    Ok(Content::text(format!(
        "The client works in {}.",
        uris.join(", ")
    )))
}

async fn ask_with_state(cx: Context, _: AskWithState) -> Result<Content> {
    let Confirmation { ok } = accepted(cx.elicit("confirm", "Please confirm").await?)?;
    Ok(Content::text(format!("state-ok, confirmed: {ok}")))
}

async fn ask_at_once(cx: Context, _: AskAtOnce) -> Result<Content> {
    let (name, greeting, roots) = tokio::try_join!(
        cx.elicit::<Name>("user_name", "What is your name?"),
        cx.sample("greeting", Sampling::new("Generate a greeting", 50)),
        cx.roots("client_roots"),
    )?;
    let (name, greeting) = (accepted(name)?.name, greeting.text().to_owned());
    Ok(Content::text(format!(
        "{greeting} {name}, you have {} roots.",
        roots.len()
    )))
}

async fn ask_twice(cx: Context, _: AskTwice) -> Result<Content> {
    let Name { name } = accepted(cx.elicit("step1", "Step 1: What is your name?").await?)?;
    let question = "Step 2: What is your favorite color?";
    let Color { color } = accepted(cx.elicit("step2", question).await?)?;
    Ok(Content::text(format!("{name} likes {color}.")))
}

async fn ask_what_is_possible(cx: Context, _: AskWhatIsPossible) -> Result<Content> {
    let mut found = Vec::new();
    if cx.can(Capability::Elicitation) {
        found.push(accepted(cx.elicit::<Name>("user_name", "What is your name?").await?)?.name);
    }
    if cx.can(Capability::Sampling) {
        let answer = cx
            .sample("greeting", Sampling::new("Generate a greeting", 50))
            .await?;
        found.push(answer.text().to_owned());
    }
    Ok(Content::text(found.join(" ")))
}

async fn ask_context(cx: Context, _: AskContext) -> Result<Content> {
    let question = "What context should the prompt use?";
    let About { context } = accepted(cx.elicit("user_context", question).await?)?;
    Ok(Content::text(format!("Answer in this context: {context}")))
}

async fn ask_model_for(cx: Context, AskModelFor { prompt }: AskModelFor) -> Result<Content> {
    let answer = cx.sample("prompt", Sampling::new(prompt, 100)).await?;
    Ok(Content::text(format!("LLM response: {}", answer.text())))
}

async fn ask_user(cx: Context, AskUser { message }: AskUser) -> Result<Content> {
    said(cx.elicit::<User>("user", &message).await?)
}

async fn form_with_defaults(cx: Context, _: FormWithDefaults) -> Result<Content> {
    said(
        cx.elicit::<Profile>("profile", "Please review your profile")
            .await?,
    )
}

async fn form_with_choices(cx: Context, _: FormWithChoices) -> Result<Content> {
    said(cx.elicit::<Choices>("choices", "Please choose").await?)
}

/// The user's action in words.
fn said<T: Serialize>(answer: Elicited<T>) -> Result<Content> {
    let text = match answer {
        Elicited::Accepted(fields) => format!("accept, {}", serde_json::json!(fields)),
        Elicited::Declined => "decline".to_owned(),
        Elicited::Cancelled => "cancel".to_owned(),
    };
    Ok(Content::text(format!("User response: {text}")))
}

fn accepted<T>(answer: Elicited<T>) -> Result<T> {
    match answer {
        Elicited::Accepted(fields) => Ok(fields),
        Elicited::Declined | Elicited::Cancelled => Err(Error::failed("the user does not say")),
    }
}
