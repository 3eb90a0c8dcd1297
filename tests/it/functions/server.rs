//! A server with a function for each kind of result.

use bifold::{
    Accepted, Answer, Bytes, Content, Context, Created, Error, JsonSchema, NoContent, Registry,
    Result, Server, Tool, batch,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::TestApp;

/// An image, as far as anybody looks at it.
pub const IMAGE: &[u8] = b"\x89PNG\r\n\x1a\n\0\xff";

/// What a result must say.
#[derive(Deserialize, JsonSchema)]
pub struct Say {
    /// The text.
    #[serde(default)]
    text: String,
}

#[derive(Serialize, JsonSchema)]
pub struct Note {
    id: u8,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Colour {
    Red,
}

#[derive(Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Shape {
    Circle { radius: u8 },
    Square { side: u8 },
}

#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum Mixed {
    Note(Note),
    Text(String),
}

/// The name of another function.
#[derive(Deserialize, JsonSchema)]
struct Relay {
    /// Its name.
    name: String,
}

async fn relay(cx: Context, Relay { name }: Relay) -> Result<Answer> {
    let registry = Registry::of(&cx)?;
    registry.call_named(&name, cx, "{}").await
}

fn made() -> Created<Note> {
    Created(Note { id: 7 }, "/api/notes/7 ü".to_owned())
}

fn report() -> Bytes {
    Bytes::new("a,b\n1,2\n", "text/csv; charset=utf-8").filename("größe.csv")
}

fn image() -> Bytes {
    Bytes::new(IMAGE, "image/png").filename("x.png")
}

fn sound() -> Bytes {
    Bytes::new(vec![0, 255], "audio/wav")
}

fn archive() -> Bytes {
    Bytes::new(vec![80, 75, 255], "application/zip").filename("a b.zip")
}

fn shapes(say: Say) -> Shape {
    match say.text.as_str() {
        "" => Shape::Circle { radius: 1 },
        _ => Shape::Square { side: 2 },
    }
}

fn mixed(say: Say) -> Mixed {
    match say.text.as_str() {
        "" => Mixed::Note(Note { id: 7 }),
        _ => Mixed::Text(say.text),
    }
}

/// The application, whose functions have GET paths of their names.
pub async fn serving() -> TestApp {
    let tools = [
        Tool::new("text", || "say \"hi\"\n"),
        Tool::new("owned", |say: Say| say.text),
        Tool::new("number", || 1.5),
        Tool::new("flag", async || Ok::<_, Error>(true)),
        Tool::new("list", || vec![1, 2]),
        Tool::new("some", || Some(Note { id: 7 })),
        Tool::new("none", || None::<Note>),
        Tool::new("unit", async || Ok::<_, Error>(())),
        Tool::new("unit_enum", || Colour::Red),
        Tool::new("map", || std::collections::BTreeMap::from([("a", 1)])),
        Tool::new("object", async || Ok::<_, Error>(Note { id: 7 })),
        Tool::new("boxed", || Box::new(Note { id: 7 })),
        Tool::new("tagged", shapes),
        Tool::new("mixed", mixed),
        Tool::new("content", || Content::text("blocks")),
        Tool::new("any", || Answer::of(&json!(["as", "it", "comes"]))),
        Tool::new("made", made),
        Tool::new("begun", || Accepted(Note { id: 7 })),
        Tool::new("nothing", || NoContent),
        Tool::new("report", report),
        Tool::new("image", image),
        Tool::new("sound", sound),
        Tool::new("archive", archive),
        Tool::new("broken", || Bytes::new("", "no type\n")),
        Tool::new("relay", relay).calls("name"),
    ];
    let tools = tools.map(|tool| {
        let path = format!("/{}", tool.name());
        tool.describe("A function.").get(path)
    });
    let server = Server::new("results", "1.0.0")
        .tools(tools)
        .tool(batch::tool());
    TestApp::serving(server).await
}
