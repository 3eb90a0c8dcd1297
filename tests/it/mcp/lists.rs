//! What lists say of functions, documents and prompts beside their names, and to which revision.

use bifold::{
    Annotations, App, Config, Content, Context, Icon, JsonSchema, Prompt, Resource, Result, Server,
    Timestamp, Tool,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{LEGACY, ask_as, bare, message, result, revisions};
use crate::support::{MODERN, TestApp};

/// Answers at once.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Ask {}

#[derive(Serialize, JsonSchema)]
struct Done {}

fn ask(_: Context, Ask {}: Ask) -> Result<Content> {
    Ok(Content::text("yes"))
}

async fn list(app: &TestApp, version: &str, method: &str) -> Value {
    result(&ask_as(app, version, method, json!({})).await)
}

fn icon() -> Icon {
    Icon::new("https://example.com/icon.png")
        .mime_type("image/png")
        .size("48x48")
        .size("96x96")
        .for_dark()
}

fn icons() -> Value {
    let full = json!({
        "src": "https://example.com/icon.png",
        "mimeType": "image/png",
        "sizes": ["48x48", "96x96"],
        "theme": "dark",
    });
    json!([full, {"src": "data:image/png;base64,iVBORw==", "theme": "light"}])
}

/// A function that says all that it can of itself.
fn adorned(name: &'static str) -> Tool {
    Tool::sync(name, ask)
        .title("A title")
        .icon(icon())
        .icon(Icon::new("data:image/png;base64,iVBORw==").for_light())
        .meta("ui", json!({"resourceUri": "ui://ask"}))
        .meta("com.example/rank", 3)
}

fn metadata() -> Value {
    json!({"ui": {"resourceUri": "ui://ask"}, "com.example/rank": 3})
}

async fn serving() -> TestApp {
    let noon = Timestamp::parse("2025-11-18T12:00:00Z").unwrap();
    let annotations = Annotations::default()
        .for_assistant()
        .priority(0.5)
        .last_modified(noon);
    let document = Resource::new("ui://ask", "text/html", adorned("document"))
        .annotate(annotations.clone())
        .size(12);
    let plain = Resource::new("ui://plain", "text/html", Tool::sync("plain", ask));
    let template = Resource::new(
        "ui://{it}/a",
        "text/html",
        Tool::sync("template", templated),
    )
    .annotate(annotations);
    let server = Server::new("it", "1.2.3")
        .title("A server")
        .description("It asks.")
        .website("https://example.com")
        .icon(icon())
        .tools(vec![
            adorned("ask"),
            Tool::sync("bare", |_: Context, Ask {}: Ask| Done {}),
        ])
        .resources(vec![document, plain, template])
        .prompts(vec![Prompt::new(adorned("prompt"))]);
    TestApp::serving(server).await
}

/// A document for each thing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Thing {
    /// Which one.
    it: String,
}

fn templated(_: Context, Thing { it }: Thing) -> Result<Content> {
    Ok(Content::text(it))
}

#[tokio::test]
async fn a_field_is_sent_to_the_revisions_that_know_it_and_to_no_other() {
    let app = serving().await;
    for version in revisions() {
        for (method, key) in [
            ("tools/list", "tools"),
            ("resources/list", "resources"),
            ("prompts/list", "prompts"),
        ] {
            let entry = &list(&app, version, method).await[key][0];
            let known = |field: &str, since: &str, value: Value| {
                let expected = (version >= since).then_some(value);
                assert_eq!(
                    entry.get(field),
                    expected.as_ref(),
                    "{version} {method}: {field}"
                );
            };
            known("title", "2025-06-18", json!("A title"));
            known("_meta", "2025-06-18", metadata());
            known("icons", "2025-11-25", icons());
            assert_eq!(entry["description"], "Answers at once.");
        }
    }
}

#[tokio::test]
async fn a_document_says_its_size_and_whom_it_is_for() {
    let app = serving().await;
    for version in revisions() {
        let listed = list(&app, version, "resources/list").await;
        let mut annotations = json!({"audience": ["assistant"], "priority": 0.5});
        if version >= "2025-06-18" {
            annotations["lastModified"] = json!("2025-11-18T12:00:00Z");
        }
        let document = &listed["resources"][0];
        assert_eq!(
            (&document["size"], &document["annotations"]),
            (&json!(12), &annotations),
            "{version}"
        );
        let plain = json!({
            "uri": "ui://plain", "name": "plain", "description": "Answers at once.", "mimeType": "text/html",
        });
        assert_eq!(listed["resources"][1], plain, "{version}");
        let templates = list(&app, version, "resources/templates/list").await;
        assert_eq!(
            templates["resourceTemplates"][0]["annotations"], annotations,
            "{version}"
        );
    }
}

#[tokio::test]
async fn what_is_read_of_a_document_has_its_meta() {
    let app = serving().await;
    for version in revisions() {
        let read = |uri: &str| ask_as(&app, version, "resources/read", json!({"uri": uri}));
        let contents = result(&read("ui://ask").await)["contents"][0].take();
        let expected = (version >= "2025-06-18").then(metadata);
        assert_eq!(contents.get("_meta"), expected.as_ref(), "{version}");
        let plain = result(&read("ui://plain").await)["contents"][0].take();
        assert!(plain.get("_meta").is_none(), "{version}");
    }
}

#[tokio::test]
async fn the_server_introduces_itself_with_what_the_revision_knows() {
    let app = serving().await;
    let whole = |version: &str| {
        let mut server = json!({"name": "it", "version": "1.2.3"});
        if version >= "2025-06-18" {
            server["title"] = json!("A server");
        }
        if version >= "2025-11-25" {
            server["description"] = json!("It asks.");
            server["websiteUrl"] = json!("https://example.com");
            server["icons"] = json!([icons()[0]]);
        }
        server
    };
    for version in LEGACY {
        let params = json!({"protocolVersion": version, "capabilities": {}});
        let answer = app.send(bare(message("initialize", &params))).await;
        assert_eq!(result(&answer)["serverInfo"], whole(version), "{version}");
    }
    let key = "io.modelcontextprotocol/serverInfo";
    let discovered = list(&app, MODERN, "server/discover").await;
    assert_eq!(discovered["_meta"][key], whole(MODERN));
    // Every other result says who answered, and not each time how that looks.
    let short = json!({"name": "it", "version": "1.2.3", "title": "A server"});
    for (method, params) in [
        ("tools/list", json!({})),
        ("tools/call", json!({"name": "ask"})),
        ("resources/read", json!({"uri": "ui://ask"})),
    ] {
        assert_eq!(
            result(&app.mcp(method, params).await)["_meta"][key],
            short,
            "{method}"
        );
    }
}

#[tokio::test]
async fn a_tool_says_what_it_does_and_else_the_worst_is_assumed() {
    let tool = |name| Tool::sync(name, ask).title("A title");
    let cases = [
        (tool("silent"), [false, true, false, true]),
        (tool("read_only").read_only(), [true, false, true, true]),
        (
            tool("local").read_only().closed_world(),
            [true, false, true, false],
        ),
        (tool("additive").additive(), [false, false, false, true]),
        (tool("idempotent").idempotent(), [false, true, true, true]),
    ];
    let (tools, expected): (Vec<Tool>, Vec<[bool; 4]>) = cases.into_iter().unzip();
    let app = TestApp::serving(Server::new("it", "1").tools(tools)).await;
    for version in revisions() {
        let listed = list(&app, version, "tools/list").await;
        for (entry, [read_only, destructive, idempotent, open_world]) in
            listed["tools"].as_array().unwrap().iter().zip(&expected)
        {
            let mut hints = json!({
                "readOnlyHint": read_only,
                "destructiveHint": destructive,
                "idempotentHint": idempotent,
                "openWorldHint": open_world,
            });
            if version == "2025-03-26" {
                hints["title"] = json!("A title");
            }
            let expected = (version >= "2025-03-26").then_some(hints);
            assert_eq!(entry.get("annotations"), expected.as_ref(), "{version}");
        }
    }
}

#[tokio::test]
async fn the_bundled_functions_that_ask_nobody_say_so() {
    let app = TestApp::start().await;
    let listed = list(&app, MODERN, "tools/list").await;
    let tools = listed["tools"].as_array().unwrap().iter();
    let closed = tools.filter(|tool| tool["annotations"]["openWorldHint"] == false);
    let names: Vec<&str> = closed.map(|tool| tool["name"].as_str().unwrap()).collect();
    let local = [
        "get_system_context",
        "get_registry_introspection",
        "get_registry_summary",
        "mcp_warmup_ping",
    ];
    assert_eq!(names, local);
}

#[test]
fn what_clients_would_not_take_of_it_stops_the_start_and_is_named() {
    let said = |server: Server| {
        let started = App::new(Config::default(), server);
        started
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    let plain = || Server::new("it", "1");
    let tool = || Tool::sync("ask", ask);
    for src in [
        "http://example.com/a.png",
        "javascript:alert(1)",
        "icon.png",
        "",
    ] {
        let problem = format!("its icon `{src}` is neither");
        let on_tool = said(plain().tools(vec![tool().icon(Icon::new(src))]));
        assert!(
            on_tool.contains(&problem) && on_tool.contains("`ask`"),
            "{on_tool}"
        );
        let on_server = said(plain().icon(Icon::new(src)));
        assert!(
            on_server.contains(&problem) && on_server.contains("`it`"),
            "{on_server}"
        );
    }
    for size in ["48", "48x", "x48", "48×48", "48x48x48", ""] {
        let found = said(plain().icon(icon().size(size)));
        assert!(found.contains(&format!("`{size}`")), "{found}");
    }
    assert_eq!(said(plain().icon(icon().size("any"))), "");
    let website = said(plain().website("example.com"));
    assert!(website.contains("`example.com`"), "{website}");
    let template = Resource::new("a://{it}", "text/plain", Tool::sync("a", templated)).size(1);
    let sized = said(plain().resources(vec![template]));
    assert!(
        sized.contains("`a://{it}`") && sized.contains("size"),
        "{sized}"
    );
    let both = said(plain().website("x").tools(vec![tool(), tool()]));
    assert_eq!(both.lines().count(), 2, "{both}");
}

#[test]
fn a_key_of_meta_has_the_form_of_the_specification_and_is_not_one_of_its_own() {
    let said = |key: &'static str| {
        let server = Server::new("it", "1").tools(vec![Tool::sync("ask", ask).meta(key, true)]);
        let started = App::new(Config::default(), server);
        started
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    for key in [
        "ui",
        "a",
        "com.example/a",
        "com.example.mcp/a-b_c.d9",
        "x-y/z",
        "mcp/a",
        "com.mcpx/a",
    ] {
        assert_eq!(said(key), "", "{key}");
    }
    for key in [
        "",
        "/a",
        "a/",
        "-a",
        "a_",
        "a b",
        "ä",
        "com..example/a",
        "1com/a",
        "com-/a",
        "com.example/a/b",
        "com_x/a",
    ] {
        let found = said(key);
        assert!(
            found.contains(&format!("`{key}` is not a valid key")),
            "{key}: {found}"
        );
    }
    for key in [
        "io.modelcontextprotocol/a",
        "com.mcp.tools/a",
        "dev.mcp/a",
        "progressToken",
        "traceparent",
        "tracestate",
        "baggage",
    ] {
        let found = said(key);
        assert!(
            found.contains(&format!("`{key}`")) && found.contains("keeps for itself"),
            "{key}: {found}"
        );
    }
}
