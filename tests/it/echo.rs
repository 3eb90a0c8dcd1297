//! What a caller sends is neither compared at length nor repeated at length, whatever it is and wherever it stands.

use bifold::{Content, Context, JsonSchema, Prompt, Resource, Result, Server, Tool, Topic, batch};
use http::{Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::arguments::function;
use crate::support::{Answer, Log, MODERN, TestApp, meta, modern};

/// The most bytes that an error, or its line in the log, may have.
const MOST: usize = 2048;

/// The name of a function, as long as a name may be.
const LONGEST: &str = "compare_every_single_one_of_them_with_each_of_the_others_at_once";

/// Repeats a topic.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Topical {
    /// The topic.
    topic: String,
}

/// Takes what may be in a query.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Query {
    /// A number.
    #[serde(default)]
    number: u32,
    /// A yes or no.
    #[serde(default)]
    flag: bool,
    /// A moment.
    #[serde(default)]
    #[schemars(with = "String")]
    moment: Option<Moment>,
    /// A type with an error of its own.
    #[serde(default)]
    #[schemars(with = "String")]
    own: Option<Own>,
}

/// A moment that says of a text what the bundled functions say.
#[derive(Deserialize)]
struct Moment(#[expect(dead_code, reason = "only decoding matters")] bifold::Timestamp);

/// A type that repeats what it cannot read.
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

/// Takes what a URL may hold.
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

/// Proves that the answer is an error which holds little of what was sent, and the log too.
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
    // A report tells of a failure twice, and a modern result has it as text and as structure.
    let most = if text.contains("failures") {
        3 * MOST
    } else {
        MOST
    };
    assert!(text.len() < most, "{shown}: {} bytes", text.len());
    assert!(!text.contains(&start), "{shown}: {text}");
    for (name, value) in &answer.headers {
        assert!(value.len() < 512, "{shown}: {name}");
    }
    for line in log.requests() {
        let line = line.to_string();
        assert!(line.len() < MOST, "{shown}: {} bytes", line.len());
        assert!(!line.contains(&start), "{shown}");
    }
}

/// Texts that are long in different ways: each keeps something from being cut or compared in some simple way.
fn long_texts(bytes: usize) -> [String; 3] {
    [
        "x".repeat(bytes),
        "`, expected one of ".repeat(bytes / 19),
        "ä".repeat(bytes / 2),
    ]
}

/// Arguments of `name`, each with a long text in another place.
fn arguments(long: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("repeat", json!({long: 1})),
        ("repeat", json!({"count": long})),
        ("repeat", json!({"flag": long})),
        ("repeat", json!({"list": long})),
        ("repeat", json!({"colour": long})),
        ("repeat", json!({"pair": [1, {long: 1}]})),
        ("repeat", json!({"inner": {"id": 1, long: 1}})),
        ("repeat", json!({"inner": long})),
        ("repeat", json!({"numbers": {long: "x"}})),
        ("repeat", json!({"named": {long: {"id": long}}})),
        ("repeat", json!({"tagged": {"kind": long}})),
        ("repeat", json!({"outer": {long: 1}})),
        ("repeat", json!({"outer": long})),
        ("repeat", json!({"either": {long: long}})),
        ("query", json!({"moment": long})),
        ("call_many", json!({"calls": [{"name": long}]})),
        (
            "call_many",
            json!({"calls": [{"name": "repeat", "arguments": {long: 1}}]}),
        ),
        ("call_many", json!({"calls": [{"name": "repeat", long: 1}]})),
        ("call_many", json!({"calls": long})),
    ]
}

#[tokio::test]
async fn arguments_are_repeated_in_excerpts_on_every_protocol() {
    let app = serving().await;
    let log = Log::default();
    let _guard = log.keep();
    for long in long_texts(100_000) {
        for (name, arguments) in arguments(&long) {
            let shown = arguments.to_string();
            let shown: String = shown.chars().take(60).collect();
            let path = match name {
                "call_many" => "/api/batch".to_owned(),
                name => format!("/api/{name}"),
            };
            let answer = app.post(&path, arguments.to_string()).await;
            assert_brief(&answer, &log, &long, &shown);
            let params = json!({"name": name, "arguments": arguments});
            let answer = app.mcp("tools/call", params.clone()).await;
            assert_brief(&answer, &log, &long, &shown);
            let answer = app.legacy("2025-03-26", "tools/call", params.clone()).await;
            assert_brief(&answer, &log, &long, &shown);
            let message =
                json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
            let answer = app.post("/mcp", json!([message]).to_string()).await;
            assert_brief(&answer, &log, &long, &shown);
        }
    }
}

#[tokio::test]
async fn a_sentence_of_a_type_of_the_application_is_cut_as_a_whole() {
    let app = serving().await;
    for long in long_texts(100_000) {
        let body = json!({"own": long}).to_string();
        let problem = app.post("/api/query", body).await.json();
        let said = problem["detail"].as_str().unwrap();
        assert!(said.starts_with("`own`: there is no `"), "{said}");
        assert!(said.ends_with('…') && said.chars().count() < 420, "{said}");
    }
}

#[tokio::test]
async fn what_a_message_names_is_repeated_in_excerpts() {
    let app = serving().await;
    let log = Log::default();
    let _guard = log.keep();
    for long in long_texts(100_000) {
        let reference = json!({"type": "ref/prompt", "name": "about"});
        let argument = json!({"name": "topic", "value": "x"});
        for (method, params) in [
            (&*long, json!({})),
            ("tools/call", json!({"name": long})),
            ("tools/call", json!({"name": "repeat", "arguments": long})),
            ("tools/call", json!({"name": {long.clone(): 1}})),
            ("prompts/get", json!({"name": long})),
            (
                "prompts/get",
                json!({"name": "about", "arguments": {long.clone(): "x"}}),
            ),
            (
                "prompts/get",
                json!({"name": "about", "arguments": {"topic": {long.clone(): 1}}}),
            ),
            ("resources/read", json!({"uri": long})),
            ("resources/read", json!({"uri": format!("test://{long}")})),
            ("tools/list", json!({"cursor": long})),
            ("resources/list", json!({"cursor": {long.clone(): 1}})),
            (
                "completion/complete",
                json!({"ref": {"type": long}, "argument": argument}),
            ),
            (
                "completion/complete",
                json!({"ref": long, "argument": argument}),
            ),
            (
                "completion/complete",
                json!({"ref": {"type": "ref/prompt", "name": long}, "argument": argument}),
            ),
            (
                "completion/complete",
                json!({"ref": {"type": "ref/resource", "uri": long}, "argument": argument}),
            ),
            (
                "completion/complete",
                json!({"ref": reference, "argument": long}),
            ),
            ("tasks/get", json!({"taskId": long})),
        ] {
            let shown = params.to_string();
            let shown: String = format!("{method} {shown}").chars().take(60).collect();
            let answer = app.legacy("2025-11-25", method, params.clone()).await;
            assert_brief(&answer, &log, &long, &shown);
            let mut params = params;
            params["_meta"] = meta(MODERN);
            let message =
                json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
            let reply = app
                .app
                .mcp()
                .answer_frame(&message, &app.app.context())
                .await;
            let bifold::mcp::Body::Message(body) = reply.body else {
                panic!("{shown}: no document");
            };
            let answer = Answer {
                status: reply.status,
                headers: Default::default(),
                body: body.into_json(),
            };
            assert_brief(&answer, &log, &long, &shown);
        }
        for (method, params) in [
            ("initialize", json!({"protocolVersion": {long.clone(): 1}})),
            ("logging/setLevel", json!({"level": long})),
            ("resources/subscribe", json!({"uri": long})),
            ("resources/unsubscribe", json!({"uri": long})),
        ] {
            let answer = app.legacy("2025-11-25", method, params).await;
            assert_brief(&answer, &log, &long, method);
        }
    }
}

#[tokio::test]
async fn what_the_modern_revision_adds_is_repeated_in_excerpts() {
    let app = serving().await;
    let log = Log::default();
    let _guard = log.keep();
    for long in long_texts(100_000) {
        let with_meta = |change: &dyn Fn(&mut Value)| {
            let mut params = json!({"name": "repeat", "_meta": meta(MODERN)});
            change(&mut params);
            json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
        };
        for body in [
            with_meta(&|it| it["_meta"] = json!(long)),
            with_meta(&|it| it["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(long)),
            with_meta(&|it| it["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!([long])),
            with_meta(&|it| {
                it["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!(long)
            }),
            with_meta(&|it| it["_meta"]["io.modelcontextprotocol/logLevel"] = json!(long)),
            with_meta(&|it| it["inputResponses"] = json!(long)),
            with_meta(&|it| it["inputResponses"] = json!([{long.clone(): long}])),
            with_meta(&|it| it["requestState"] = json!(long)),
            with_meta(&|it| it["requestState"] = json!({long.clone(): 1})),
            json!(long),
            json!({"jsonrpc": long, "id": 1, "method": "ping"}),
            json!({"jsonrpc": "2.0", "id": {long.clone(): 1}, "method": "ping"}),
            json!({"jsonrpc": "2.0", "id": 1, "method": {long.clone(): 1}}),
            json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": long}),
        ] {
            let body = body.to_string();
            let shown: String = body.chars().take(200).collect();
            let (parts, _) = modern("tools/call", json!({"name": "repeat"})).into_parts();
            let answer = app.send(Request::from_parts(parts, body.into())).await;
            assert_brief(&answer, &log, &long, &shown);
        }
    }
}

#[tokio::test]
async fn what_a_head_holds_is_repeated_in_excerpts() {
    let app = serving().await;
    let log = Log::default();
    let _guard = log.keep();
    let long = "x".repeat(60_000);
    for path in [
        format!("/{long}"),
        format!("/api/{long}"),
        format!("/api/{LONGEST}{long}"),
        format!("/api/plain/{long}"),
        format!("/api/plain?{long}"),
        format!("/api/plain?{long}=1"),
        format!("/api/plain?number={long}"),
        format!("/api/plain?ratio={long}"),
        format!("/api/plain?flag={long}"),
        format!("/api/plain?number={}", "9".repeat(60_000)),
        format!("/api/plain?number=1.{}", "1".repeat(60_000)),
    ] {
        let answer = app.get(&path).await;
        assert_brief(&answer, &log, &long, &path[..40]);
    }
    let answer = app.post(&format!("/api/repeat?{long}=1"), "{}").await;
    assert_brief(&answer, &log, &long, "a query on a POST");
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    for body in [ping.to_string(), json!([ping]).to_string()] {
        let request = Request::post("/mcp")
            .header("content-type", "application/json")
            .header("mcp-protocol-version", &long);
        let answer = app.send(request.body(body.into()).unwrap()).await;
        assert_brief(&answer, &log, &long, "a version");
    }
    for name in [
        "mcp-method",
        "mcp-name",
        "mcp-protocol-version",
        "x-request-id",
        "accept",
    ] {
        let mut request = modern("tools/call", json!({"name": "no_such_function"}));
        request.headers_mut().insert(name, long.parse().unwrap());
        assert_brief(&app.send(request).await, &log, &long, name);
    }
}

#[tokio::test]
async fn an_excerpt_is_the_beginning_and_says_that_it_is_cut() {
    let app = serving().await;
    let long = "x".repeat(100_000);
    let answer = app
        .legacy("2025-11-25", "tools/call", json!({"name": long}))
        .await;
    let expected = format!("there is no tool `{}…`", "x".repeat(200));
    assert_eq!(answer.json()["error"]["message"], expected);
    let exact = "x".repeat(200);
    let answer = app
        .legacy("2025-11-25", "tools/call", json!({"name": exact}))
        .await;
    let expected = format!("there is no tool `{exact}`");
    assert_eq!(answer.json()["error"]["message"], expected);
}

#[tokio::test]
async fn what_would_break_a_line_is_escaped() {
    let app = serving().await;
    let name = "a\r\n\u{1b}[31mb\u{2028}";
    let answer = app
        .legacy("2025-11-25", "tools/call", json!({"name": name}))
        .await;
    let said = r"there is no tool `a\r\n\u{1b}[31mb\u{2028}`";
    assert_eq!(answer.json()["error"]["message"], said);
}

#[tokio::test]
async fn a_name_that_is_longer_than_any_is_compared_with_none() {
    let app = serving().await;
    assert_eq!(LONGEST.len(), 64);
    let close = &LONGEST[..63];
    let far = format!("{LONGEST}s");
    for (name, is_told) in [(close, true), (&*far, false)] {
        let params = json!({"name": name});
        let calls = json!({"calls": [{"name": name}]}).to_string();
        for text in [
            app.mcp("tools/call", params).await.text(),
            app.get(&format!("/api/{name}")).await.text(),
            app.post("/api/batch", calls).await.text(),
            app.app.invoke(name, "{}").await.err().unwrap().to_string(),
        ] {
            assert_eq!(text.contains("did you mean"), is_told, "{text}");
        }
    }
}
