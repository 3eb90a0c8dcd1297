//! Long input of a caller is quoted only in excerpts, wherever it is in the request, and is not compared at length.

mod arguments;
mod excerpt;
mod messages;

use bifold::{Content, Context, JsonSchema, Prompt, Resource, Result, Server, Tool, Topic, batch};
use http::StatusCode;
use serde::Deserialize;

use crate::arguments::function;
use crate::support::{Answer, Log, TestApp};

/// The maximum size in bytes of an error, and of its access line.
const MAX_BYTES: usize = 2048;

/// A function name of the maximum length.
const LONGEST: &str = "compare_every_single_one_of_them_with_each_of_the_others_at_once";

/// Repeats a topic.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Topical {
    /// The topic.
    topic: String,
}

/// Accepts the parameters of a query.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Query {
    /// A number.
    #[serde(default)]
    number: u32,
    /// A yes or no.
    #[serde(default)]
    flag: bool,
    /// A time.
    #[serde(default)]
    #[schemars(with = "String")]
    moment: Option<Moment>,
    /// A type with an error of its own.
    #[serde(default)]
    #[schemars(with = "String")]
    own: Option<Own>,
}

/// A time with the error messages of the bundled functions.
#[derive(Deserialize)]
struct Moment(#[expect(dead_code, reason = "only decoding matters")] bifold::Timestamp);

/// A type whose error quotes its input.
struct Own;

impl<'de> Deserialize<'de> for Own {
    fn deserialize<D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<Own, D::Error> {
        let text = String::deserialize(deserializer)?;
        let problem = format!("there is no `{text}`, and no `{text}` either");
        Err(serde::de::Error::custom(problem))
    }
}

fn topical(_: Context, Topical { topic }: Topical) -> Result<Content> {
    Ok(Content::text(topic))
}

fn query(_: Context, query: Query) -> Result<Content> {
    let Query {
        number,
        flag,
        moment,
        own,
    } = query;
    let given = moment.is_some() || own.is_some();
    Ok(Content::text(format!("{number} {flag} {given}")))
}

fn nothing(_: Context, _: function::Nothing) -> Result<Content> {
    Ok(Content::text("nothing"))
}

async fn serving() -> TestApp {
    let tools = vec![
        function::tool(),
        batch::tool(),
        Tool::sync("query", query).post("/query/it"),
        Tool::sync(LONGEST, nothing).get("/compare"),
        Tool::sync("plain", query_of_url).get("/plain"),
    ];
    let prompt = Prompt::new(Tool::sync("about", topical));
    let prompt = prompt.complete("topic", async |_, typed| Ok(vec![typed]));
    let resource = Resource::new("test://fixed", "text/plain", Tool::sync("fixed", nothing));
    let server = Server::new("echo", "1.0.0")
        .tools(tools)
        .prompts(vec![prompt]);
    TestApp::serving(
        server
            .resources(vec![resource])
            .announces(&[Topic::Contents]),
    )
    .await
}

/// Accepts the parameters of a URL.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfUrl {
    /// A number.
    #[serde(default)]
    number: u32,
    /// A number with a fraction.
    #[serde(default)]
    ratio: f64,
    /// A yes or no.
    #[serde(default)]
    flag: bool,
}

fn query_of_url(
    _: Context,
    OfUrl {
        number,
        ratio,
        flag,
    }: OfUrl,
) -> Result<Content> {
    Ok(Content::text(format!("{number} {ratio} {flag}")))
}

/// Checks that the answer is an error, and that answer and log quote only an excerpt of the input.
#[track_caller]
fn assert_brief(answer: &Answer, log: &Log, long: &str, shown: &str) {
    let start: String = long.chars().take(201).collect();
    let text = answer.text();
    let is_error = answer.status != StatusCode::OK
        || [
            "\"error\":{",
            "\"isError\":true",
            "\"failed\":1",
            r#"\"failed\":1"#,
        ]
        .iter()
        .any(|it| text.contains(it));
    assert!(is_error, "{shown}: {}", &text[..text.len().min(500)]);
    // A report contains a failure twice, and a modern result contains it as text and as structured content.
    let most = if text.contains("failures") {
        3 * MAX_BYTES
    } else {
        MAX_BYTES
    };
    assert!(text.len() < most, "{shown}: {} bytes", text.len());
    assert!(!text.contains(&start), "{shown}: {text}");
    for (name, value) in &answer.headers {
        assert!(value.len() < 512, "{shown}: {name}");
    }
    for line in log.requests() {
        let line = line.to_string();
        assert!(line.len() < MAX_BYTES, "{shown}: {} bytes", line.len());
        assert!(!line.contains(&start), "{shown}");
    }
}

/// Long texts of different kinds, each difficult for one simple way to cut or compare.
fn long_texts(bytes: usize) -> [String; 3] {
    [
        "x".repeat(bytes),
        "`, expected one of ".repeat(bytes / 19),
        "ä".repeat(bytes / 2),
    ]
}
