//! A second server on the same library: the fixtures that the official MCP conformance suite requires.
//!
//! `cargo run --example everything -- --listen 127.0.0.1:3000`

mod input;
mod person;
mod tasks;

use std::net::SocketAddr;

use bifold::telemetry::{self, Format};
use bifold::{
    App, Capability, Config, Content, Context, Error, JsonSchema, Level, Prompt, Resource, Result,
    Server, Tool, Topic, Update, local,
};
use clap::Parser;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use input::asking;
use tasks::long;

/// The smallest PNG: one transparent pixel.
const PIXEL: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0,
    1, 0, 0, 0, 1, 8, 6, 0, 0, 0, 0x1F, 0x15, 0xC4, 0x89, 0, 0, 0, 13, b'I', b'D', b'A', b'T',
    0x78, 0x9C, 0x63, 0, 1, 0, 0, 5, 0, 1, 0x0D, 0x0A, 0x2D, 0xB4, 0, 0, 0, 0, b'I', b'E', b'N',
    b'D', 0xAE, 0x42, 0x60, 0x82,
];
/// The smallest WAV: a header without samples.
const SILENCE: &[u8] = &[
    b'R', b'I', b'F', b'F', 36, 0, 0, 0, b'W', b'A', b'V', b'E', b'f', b'm', b't', b' ', 16, 0, 0,
    0, 1, 0, 1, 0, 0x40, 0x1F, 0, 0, 0x80, 0x3E, 0, 0, 2, 0, 16, 0, b'd', b'a', b't', b'a', 0, 0,
    0, 0,
];

#[derive(Parser)]
struct Options {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
}

/// Argument structs without fields; the doc comment of each is the description of its tool.
macro_rules! no_arguments {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $($(#[$doc])* #[derive(Deserialize, JsonSchema)] #[serde(deny_unknown_fields)] struct $name {})*
    };
}

pub(crate) use no_arguments;

no_arguments! {
    /// Answers with one block of text.
    SimpleText;
    /// Answers with a picture.
    ImageContent;
    /// Answers with a sound.
    AudioContent;
    /// Answers with a document.
    EmbeddedResource;
    /// Answers with text, a picture and a document.
    MultipleContentTypes;
    /// Fails, always.
    ErrorHandling;
    /// Needs a client that offers sampling.
    MissingCapability;
    /// Answers a client that offers elicitation.
    StreamingElicitation;
    /// Answers without a log message, unless one is asked for.
    LoggingTool;
    /// A text that never changes.
    StaticText;
    /// A picture that never changes.
    StaticBinary;
    /// Asks for nothing in particular.
    SimplePrompt;
    /// Asks about a picture.
    PromptWithImage;
    /// Tells how far it is, three times.
    ToolWithProgress;
    /// Logs what it does.
    ToolWithLogging;
    /// Tells all who listen that there are other tools.
    TriggerToolChange;
    /// Tells all who listen that there are other prompts.
    TriggerPromptChange;
    /// A text that clients can follow.
    WatchedText;
}

/// A tool whose arguments can be routed by headers.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct XMcpHeader {
    /// Where to look; repeated in the header `Mcp-Param-Region`.
    #[schemars(extend("x-mcp-header" = "Region"))]
    region: String,
    /// How deep to look.
    #[serde(default)]
    level: u32,
}

/// A document for each id.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Template {
    /// Any id.
    id: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Data {
    id: String,
    template_test: bool,
    data: String,
}

/// Repeats its two arguments.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PromptWithArguments {
    /// The first argument.
    arg1: String,
    /// The second argument.
    arg2: String,
}

/// Asks about a document.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PromptWithDocument {
    /// URI of the document.
    resource_uri: String,
}

#[derive(Serialize, JsonSchema)]
struct Found {
    /// What was looked for, in words.
    summary: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let options = Options::parse();
    let config = Config::from_env()?;
    telemetry::start(Format::Text, &config.log)?;
    let app = App::new(config, server())?;
    local::serve(
        app,
        TcpListener::bind(options.listen).await?,
        local::signal(),
    )
    .await?;
    Ok(())
}

fn server() -> Server {
    Server::new("everything", "1.0.0")
        .title("Conformance fixtures")
        .announces(&[Topic::Tools, Topic::Prompts, Topic::Contents])
        .tools(asking())
        .tools(long())
        .tools(vec![
            Tool::sync("test_simple_text", simple_text),
            Tool::sync("test_image_content", image_content),
            Tool::sync("test_audio_content", audio_content),
            Tool::sync("test_embedded_resource", embedded_resource),
            Tool::sync("test_multiple_content_types", multiple_content_types),
            Tool::sync("test_error_handling", error_handling),
            Tool::sync("test_missing_capability", missing_capability)
                .requires(Capability::Sampling),
            Tool::sync("test_streaming_elicitation", streaming_elicitation),
            Tool::sync("test_logging_tool", logging_tool),
            Tool::sync("test_tool_with_logging", tool_with_logging),
            Tool::sync("test_tool_with_progress", tool_with_progress),
            Tool::sync("test_trigger_tool_change", trigger_tool_change),
            Tool::sync("test_trigger_prompt_change", trigger_prompt_change),
            Tool::sync("test_x_mcp_header", x_mcp_header),
            person::tool(),
        ])
        .resources(vec![
            Resource::new(
                "test://static-text",
                "text/plain",
                Tool::sync("static_text", static_text),
            ),
            Resource::new(
                "test://static-binary",
                "image/png",
                Tool::sync("static_binary", static_binary),
            ),
            Resource::new(
                "test://watched-resource",
                "text/plain",
                Tool::sync("watched_text", watched_text),
            ),
            Resource::new(
                "test://template/{id}/data",
                "application/json",
                Tool::sync("template", template),
            ),
        ])
        .prompts(vec![
            Prompt::new(Tool::sync("test_simple_prompt", simple_prompt)),
            Prompt::new(Tool::sync(
                "test_prompt_with_arguments",
                prompt_with_arguments,
            ))
            .complete("arg1", async |_, typed| {
                Ok(vec![format!("{typed}1"), format!("{typed}2")])
            }),
            Prompt::new(Tool::sync(
                "test_prompt_with_embedded_resource",
                prompt_with_document,
            )),
            Prompt::new(Tool::sync("test_prompt_with_image", prompt_with_image)),
            input::prompt(),
        ])
}

fn static_text(_: Context, _: StaticText) -> Result<Content> {
    Ok(Content::text(
        "This is the content of the static text resource.",
    ))
}

fn static_binary(_: Context, _: StaticBinary) -> Result<Content> {
    Ok(Content::default().and_image("image/png", PIXEL))
}

fn watched_text(_: Context, _: WatchedText) -> Result<Content> {
    Ok(Content::text("This text can be followed."))
}

fn trigger_tool_change(cx: Context, _: TriggerToolChange) -> Result<Content> {
    cx.announce(Update::Tools);
    cx.announce(Update::Contents("test://watched-resource".to_owned()));
    Ok(Content::text("Told."))
}

fn trigger_prompt_change(cx: Context, _: TriggerPromptChange) -> Result<Content> {
    cx.announce(Update::Prompts);
    Ok(Content::text("Told."))
}

fn template(_: Context, Template { id }: Template) -> Result<Data> {
    let data = format!("Data for ID: {id}");
    Ok(Data {
        id,
        template_test: true,
        data,
    })
}

fn simple_prompt(_: Context, _: SimplePrompt) -> Result<Content> {
    Ok(Content::text("This is a simple prompt for testing."))
}

fn prompt_with_arguments(_: Context, arguments: PromptWithArguments) -> Result<Content> {
    let PromptWithArguments { arg1, arg2 } = arguments;
    Ok(Content::text(format!(
        "Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"
    )))
}

fn prompt_with_document(
    _: Context,
    PromptWithDocument { resource_uri }: PromptWithDocument,
) -> Result<Content> {
    let document = "Embedded resource content for testing.";
    let content = Content::default().and_document(resource_uri, "text/plain", document);
    Ok(content.and_text("Please process the embedded resource above."))
}

fn prompt_with_image(_: Context, _: PromptWithImage) -> Result<Content> {
    Ok(Content::default()
        .and_image("image/png", PIXEL)
        .and_text("Please analyze the image above."))
}

fn simple_text(_: Context, _: SimpleText) -> Result<Content> {
    Ok(Content::text("This is a simple text response for testing."))
}

fn image_content(_: Context, _: ImageContent) -> Result<Content> {
    Ok(Content::default().and_image("image/png", PIXEL))
}

fn audio_content(_: Context, _: AudioContent) -> Result<Content> {
    Ok(Content::default().and_audio("audio/wav", SILENCE))
}

fn embedded_resource(_: Context, _: EmbeddedResource) -> Result<Content> {
    let text = "This is an embedded resource content.";
    Ok(Content::default().and_document("test://embedded-resource", "text/plain", text))
}

fn multiple_content_types(_: Context, _: MultipleContentTypes) -> Result<Content> {
    let document = r#"{"test":"data","value":123}"#;
    let content = Content::text("Multiple content types test:").and_image("image/png", PIXEL);
    Ok(content.and_document(
        "test://mixed-content-resource",
        "application/json",
        document,
    ))
}

fn error_handling(_: Context, _: ErrorHandling) -> Result<Content> {
    Err(Error::failed(
        "This tool intentionally returns an error for testing",
    ))
}

fn missing_capability(_: Context, _: MissingCapability) -> Result<Content> {
    Ok(Content::text("The client declares sampling."))
}

fn streaming_elicitation(_: Context, _: StreamingElicitation) -> Result<Content> {
    Ok(Content::text("Nothing had to be asked."))
}

fn logging_tool(cx: Context, _: LoggingTool) -> Result<Content> {
    cx.log(Level::Info, "Sent to clients that asked for it.");
    Ok(Content::text("Logged for clients that asked for it."))
}

fn tool_with_logging(cx: Context, _: ToolWithLogging) -> Result<Content> {
    for text in [
        "Tool execution started",
        "Tool processing data",
        "Tool execution completed",
    ] {
        cx.log(Level::Info, text);
    }
    Ok(Content::text("All is logged."))
}

fn tool_with_progress(cx: Context, _: ToolWithProgress) -> Result<Content> {
    for done in [0.0, 50.0, 100.0] {
        cx.progress(done, Some(100.0), &format!("{done} of 100 steps"));
    }
    Ok(Content::text("All steps are done."))
}

fn x_mcp_header(_: Context, XMcpHeader { region, level }: XMcpHeader) -> Result<Found> {
    Ok(Found {
        summary: format!("{region}, {level} deep"),
    })
}
