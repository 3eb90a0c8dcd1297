//! Answers that fit: pages, selected fields, limits in bytes.

mod budget;
mod cursors;
mod declared;
mod fields;
mod pages;
mod texts;

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use bifold::{Config, Content, Context, JsonSchema, Paged, Principal, Result, Server, Tool, batch};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

/// Numbers from 0.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Numbers {
    /// How many there are.
    #[serde(default = "many")]
    count: u32,
    /// Anything.
    #[serde(default, rename = "label")]
    _label: Option<String>,
}

fn many() -> u32 {
    23
}

#[derive(Serialize, JsonSchema)]
struct Listed {
    numbers: Vec<Number>,
    total: u32,
}

#[derive(Serialize, JsonSchema)]
struct Number {
    value: u32,
    word: String,
}

impl Number {
    /// Words of different lengths, with characters that JSON escapes.
    fn of(value: u32) -> Number {
        let word = "\"ü\\".repeat(value as usize % 5 + 1);
        Number { value, word }
    }
}

/// Makes its pages itself, of at most 40 numbers.
async fn numbers(cx: Context, arguments: Numbers) -> Result<Paged<Listed>> {
    let page = cx.page()?;
    assert!((1..=40).contains(&page.limit()), "{page:?}");
    let first: u32 = page.position()?.unwrap_or(0);
    let end = first.saturating_add(page.limit()).min(arguments.count);
    let listed = Listed {
        numbers: (first..end).map(Number::of).collect(),
        total: arguments.count,
    };
    Ok(Paged::new(listed, (end < arguments.count).then_some(end)))
}

/// Answers with the whole list.
async fn whole(Numbers { count, .. }: Numbers) -> Listed {
    Listed {
        numbers: (0..count).map(Number::of).collect(),
        total: count,
    }
}

#[derive(Serialize, JsonSchema)]
struct Catalogue {
    planets: Vec<Planet>,
    sun: Sun,
    notes: std::collections::BTreeMap<String, Note>,
    /// What is missing.
    incomplete: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct Planet {
    name: &'static str,
    orbit: Option<Orbit>,
    moons: Vec<Moon>,
}

#[derive(Serialize, JsonSchema)]
struct Orbit {
    days: u32,
    distance: f64,
}

#[derive(Serialize, JsonSchema)]
struct Moon {
    name: &'static str,
    radius: u32,
}

#[derive(Serialize, JsonSchema)]
struct Sun {
    name: &'static str,
    age: u64,
}

#[derive(Serialize, JsonSchema)]
struct Note {
    text: &'static str,
    author: &'static str,
}

fn planets() -> Catalogue {
    let moon = |name, radius| Moon { name, radius };
    let orbit = |days, distance| Some(Orbit { days, distance });
    let note = Note {
        text: "red",
        author: "me",
    };
    Catalogue {
        planets: vec![
            Planet {
                name: "Earth",
                orbit: orbit(365, 1.0),
                moons: vec![moon("Moon", 1737)],
            },
            Planet {
                name: "Mars",
                orbit: orbit(687, 1.5),
                moons: vec![moon("Phobos", 11), moon("Deimos", 6)],
            },
            Planet {
                name: "Nine",
                orbit: None,
                moons: vec![],
            },
        ],
        sun: Sun {
            name: "Sun",
            age: 4_600_000_000,
        },
        notes: [("Mars".to_owned(), note)].into(),
        incomplete: vec![],
    }
}

fn moons() -> Vec<Moon> {
    let moon = |name, radius| Moon { name, radius };
    vec![moon("Phobos", 11), moon("Deimos", 6)]
}

/// A text of 100 lines.
fn story() -> String {
    (0..100)
        .map(|line| format!("{line}: \"once\" upon a time\n"))
        .collect()
}

fn tale() -> Content {
    Content::text("A tale.")
        .and_text(story())
        .and_image("image/png", [0; 300])
}

fn server() -> Server {
    let described = |tool: Tool| tool.describe("A function.");
    Server::new("lists", "1.0.0").tools([
        Tool::new("numbers", numbers)
            .get("/numbers")
            .pages("numbers", 10, 40)
            .selects(),
        Tool::new("others", numbers)
            .get("/others")
            .pages("numbers", 10, 40)
            .selects(),
        Tool::new("whole", whole)
            .get("/whole/{count}")
            .also_get("/whole")
            .pages("numbers", None, 1000)
            .selects(),
        Tool::new("found", whole)
            .post("/found")
            .pages("numbers", 10, 1000)
            .selects(),
        described(Tool::sync("planets", planets))
            .get("/planets")
            .selects(),
        described(Tool::sync("moons", moons))
            .get("/moons")
            .selects(),
        described(Tool::sync("story", story)).get("/story").trims(),
        described(Tool::sync("tale", tale)).get("/tale").trims(),
        batch::tool(),
    ])
}

async fn serving() -> TestApp {
    TestApp::serving(server()).await
}

async fn configured(set: impl FnOnce(&mut Config)) -> TestApp {
    let mut config = Config::default();
    set(&mut config);
    TestApp::of(bifold::App::new(config, server()).unwrap()).await
}

/// The header names the caller.
async fn by_name() -> TestApp {
    async fn identify(cx: Context, request: Request, next: Next) -> axum::response::Response {
        if let Some(name) = request.headers().get("x-name") {
            cx.identify(Principal::new(name.to_str().unwrap()));
        }
        next.run(request).await
    }
    TestApp::serving(server().layer(from_fn(identify))).await
}

/// The result of a call on both protocols, which must be the same.
async fn both(app: &TestApp, name: &str, arguments: Value) -> Value {
    let result = app.tool(name, arguments.clone()).await;
    assert_eq!(result["isError"], false, "{name} {arguments}: {result}");
    let rest = app
        .post(&format!("/api/{name}"), arguments.to_string())
        .await;
    assert_eq!(rest.status, 200, "{name} {arguments}: {}", rest.text());
    let structured = &result["structuredContent"];
    let value = structured.get("result").unwrap_or(structured);
    assert_eq!(*value, rest.json(), "{name} {arguments}");
    let text = result["content"][0]["text"].as_str().unwrap();
    let text: Value = serde_json::from_str(text).unwrap_or_else(|_| json!(text));
    assert_eq!(text, *value, "{name} {arguments}");
    rest.json()
}

/// What both protocols say of an argument that they refuse.
#[track_caller]
fn says<'v>(error: &'v Value, field: &str) -> &'v str {
    assert_eq!(error["kind"], "invalid_argument", "{error}");
    assert_eq!(error["field"], field, "{error}");
    error["said"].as_str().unwrap()
}

/// The error of a call that both protocols refuse with the same words.
async fn refused(app: &TestApp, name: &str, arguments: Value) -> Value {
    let result = app.tool(name, arguments.clone()).await;
    assert_eq!(result["isError"], true, "{name} {arguments}: {result}");
    let rest = app
        .post(&format!("/api/{name}"), arguments.to_string())
        .await;
    let problem = rest.json();
    assert_eq!(rest.status, 400, "{name} {arguments}: {problem}");
    let mut error = result["_meta"]["bifold/error"].clone();
    for key in ["kind", "field"] {
        assert_eq!(error[key], problem[key], "{name} {arguments}");
    }
    assert_eq!(result["content"][0]["text"], problem["detail"]);
    error["said"] = problem["detail"].clone();
    error
}

/// The relative URL of the next page, from the header `Link`.
fn next_link(answer: &Answer) -> Option<String> {
    let link = answer.headers.get("link")?.to_str().unwrap();
    let link = link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"")?;
    Some(link.to_owned())
}
