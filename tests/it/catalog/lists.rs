//! What clients see of a catalog that changes: lists, pages, announcements, the OpenAPI document, the docs page.

use axum::body::{Body, BodyDataStream};
use bifold::{App, Config, Content, Context, RequestInfo, Tool, Topic, Update};
use futures_util::StreamExt;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use super::{Nothing, call, document, named, question, saying, server, tools};
use crate::support::{Answer, TestApp, modern, serve};

async fn listen(app: &TestApp) -> BodyDataStream {
    let asked = json!({
        "toolsListChanged": true,
        "resourcesListChanged": true,
        "promptsListChanged": true,
    });
    let request = modern("subscriptions/listen", json!({ "notifications": asked }));
    let response = serve(&app.app, request, RequestInfo::default()).await;
    let mut stream = response.into_body().into_data_stream();
    let first = message(&mut stream).await;
    assert_eq!(first["params"]["notifications"], asked);
    stream
}

async fn message(stream: &mut BodyDataStream) -> Value {
    let piece = stream.next().await.expect("the stream goes on").unwrap();
    let event = String::from_utf8(piece.to_vec()).unwrap();
    let data = event.strip_prefix("event: message\ndata: ");
    serde_json::from_str(data.unwrap_or_else(|| panic!("no message: {event:?}"))).unwrap()
}

async fn method(stream: &mut BodyDataStream) -> String {
    message(stream).await["method"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_tool_that_is_added_or_removed_is_so_at_once_on_every_protocol() {
    let app = TestApp::serving(server()).await;
    let catalog = app.app.catalog();
    assert_eq!(tools(&app).await, ["one", "two"]);
    let missing = app.get("/api/say/three").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);

    catalog
        .change(|functions| functions.add_tool(named("three")))
        .unwrap();
    assert_eq!(tools(&app).await, ["one", "two", "three"]);
    assert_eq!(call(&app, "three").await, "three");
    for found in [
        app.get("/api/say/three").await,
        app.post("/api/three", "").await,
    ] {
        assert_eq!(found.status, StatusCode::OK);
        assert_eq!(found.json()[0]["text"], "three");
    }

    catalog
        .change(|functions| assert!(functions.remove_tool("two")))
        .unwrap();
    assert_eq!(tools(&app).await, ["one", "three"]);
    let said = call(&app, "two").await;
    assert!(said.as_str().unwrap().contains("no tool `two`"), "{said}");
    assert_eq!(app.get("/api/say/two").await.status, StatusCode::NOT_FOUND);
    let gone = app.post("/api/three_", "").await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    let detail = gone.json()["detail"].take();
    assert!(detail.as_str().unwrap().contains("`three`"), "{detail}");

    catalog.replace_tools(vec![saying("one", "1")]).unwrap();
    assert_eq!(call(&app, "one").await, "1");
    assert_eq!(app.app.registry().tools().len(), 1);
}

#[tokio::test]
async fn documents_and_prompts_come_and_go_too() {
    let app = TestApp::serving(server()).await;
    let read = async || {
        let read = app.mcp("resources/read", json!({"uri": "a://b"})).await;
        read.json()
    };
    let prompt = async || app.mcp("prompts/get", json!({"name": "ask"})).await.json();
    assert!(read().await["error"].is_object() && prompt().await["error"].is_object());
    let empty = app.mcp("resources/list", json!({})).await.json();
    assert_eq!(empty["result"]["resources"], json!([]));

    let catalog = app.app.catalog();
    catalog.replace_resources(vec![document("a://b")]).unwrap();
    catalog.replace_prompts(vec![question("ask")]).unwrap();
    let document = read().await["result"].take();
    assert_eq!(document["contents"][0]["text"], "a_b");
    assert_eq!(document["ttlMs"], 0, "another may take its place");
    let said = prompt().await["result"]["messages"][0]["content"]["text"].take();
    assert_eq!(said, "ask");

    catalog.replace_resources(Vec::new()).unwrap();
    catalog.replace_prompts(Vec::new()).unwrap();
    assert!(read().await["error"].is_object() && prompt().await["error"].is_object());
}

#[tokio::test]
async fn a_client_hears_of_the_lists_that_are_other_ones_and_of_no_others() {
    let app = TestApp::serving(server()).await;
    let catalog = app.app.catalog();
    let mut stream = listen(&app).await;

    // The same list again, and a tool that MCP clients do not see, change nothing for them.
    catalog
        .replace_tools(vec![named("one"), named("two")])
        .unwrap();
    catalog
        .change(|functions| functions.add_tool(named("hidden").rest_only()))
        .unwrap();
    catalog.replace_resources(vec![document("a://b")]).unwrap();
    assert_eq!(
        method(&mut stream).await,
        "notifications/resources/list_changed"
    );
    let titled = named("one").title("The first");
    catalog.replace_tools(vec![titled, named("two")]).unwrap();
    assert_eq!(
        method(&mut stream).await,
        "notifications/tools/list_changed"
    );
    let refused = catalog.replace_tools(vec![named("one"), named("one")]);
    assert!(refused.is_err());
    catalog
        .change(|functions| functions.add_resource(document("a://{nothing}")))
        .expect_err("a variable that is not a parameter");
    catalog.replace_prompts(vec![question("ask")]).unwrap();
    assert_eq!(
        method(&mut stream).await,
        "notifications/prompts/list_changed"
    );
}

#[tokio::test]
async fn a_client_of_2025_hears_of_documents_that_were_added_after_it_began_to_listen() {
    let server = server().announces(&[Topic::Contents]);
    let app = TestApp::serving(server).await;
    let get = Request::get("/mcp").header("accept", "text/event-stream");
    let request = get.body(Body::empty()).unwrap();
    let response = serve(&app.app, request, RequestInfo::default()).await;
    let mut stream = response.into_body().into_data_stream();
    stream.next().await.unwrap().unwrap();
    let update = || Update::Contents("late://one".to_owned());

    let catalog = app.app.catalog();
    catalog
        .replace_resources(vec![document("late://one")])
        .unwrap();
    assert_eq!(
        method(&mut stream).await,
        "notifications/resources/list_changed"
    );
    app.app.context().announce(update());
    let updated = message(&mut stream).await;
    assert_eq!(updated["method"], "notifications/resources/updated");
    assert_eq!(updated["params"]["uri"], "late://one");
}

#[tokio::test]
async fn a_server_whose_catalog_changes_offers_every_list_and_says_that_none_may_be_kept() {
    let all = json!({
        "completions": {},
        "logging": {},
        "prompts": {"listChanged": true},
        "resources": {"listChanged": true},
        "tools": {"listChanged": true},
    });
    let none = json!({
        "completions": {}, "logging": {}, "prompts": {}, "resources": {}, "tools": {},
    });
    // A tool that is added later may become a task, which a process that is frozen could not end.
    let mut lasting = all;
    lasting["extensions"] = json!({"io.modelcontextprotocol/tasks": {}});
    for (function, expected) in [(None, lasting), (Some("frozen".to_owned()), none)] {
        let mut config = Config::default();
        config.function = function;
        let app = App::new(config, server()).unwrap();
        let ask = async |method| {
            let request = modern(method, json!({}));
            let response = serve(&app, request, RequestInfo::default()).await;
            Answer::read(response).await.json()["result"].take()
        };
        let discovered = ask("server/discover").await;
        assert_eq!(discovered["capabilities"], expected);
        assert_eq!(discovered["ttlMs"], 3_600_000, "it does not change");
        for method in [
            "tools/list",
            "resources/list",
            "resources/templates/list",
            "prompts/list",
        ] {
            assert_eq!(ask(method).await["ttlMs"], 0, "{method}");
        }
        app.catalog().replace_tools(vec![named("three")]).unwrap();
        assert_eq!(ask("tools/list").await["tools"][0]["name"], "three");
    }
}

#[tokio::test]
async fn the_cursor_of_a_list_that_has_changed_is_refused_and_no_other() {
    let app = TestApp::serving(server().page_size(1)).await;
    let catalog = app.app.catalog();
    let page = async |cursor: Option<&Value>| {
        let params = json!({ "cursor": cursor });
        app.mcp("tools/list", params).await.json()
    };
    let first = page(None).await;
    let cursor = &first["result"]["nextCursor"];
    // Other words, and other lists, leave the place of each entry as it is.
    let described = named("two").describe("Says two.");
    catalog
        .replace_tools(vec![named("one"), described])
        .unwrap();
    catalog.replace_prompts(vec![question("ask")]).unwrap();
    let second = page(Some(cursor)).await;
    assert_eq!(second["result"]["tools"][0]["description"], "Says two.");

    for list in [
        vec![named("zero"), named("one"), named("two")],
        vec![named("two"), named("one")],
        vec![named("one"), named("three")],
        vec![],
    ] {
        catalog.replace_tools(list).unwrap();
        let refused = page(Some(cursor)).await;
        assert_eq!(refused["error"]["code"], -32602);
        assert_eq!(
            refused["error"]["message"],
            "`cursor` belongs to a list that has changed since; leave it out to begin with the first page"
        );
    }
    catalog
        .replace_tools(vec![named("one"), named("two")])
        .unwrap();
    let again = page(Some(cursor)).await;
    assert_eq!(again["result"]["tools"][0]["name"], "two");
}

#[tokio::test]
async fn the_documents_of_rest_change_with_the_catalog() {
    let app = TestApp::serving(server()).await;
    let before = app.get("/openapi.json").await;
    let tag = before.header("etag").to_owned();
    assert!(before.json()["paths"].get("/api/say/three").is_none());
    assert!(!app.get("/docs").await.text().contains("three"));
    assert_eq!(app.get("/openapi.json").await.header("etag"), tag);

    let catalog = app.app.catalog();
    catalog
        .change(|functions| functions.add_tool(named("three")))
        .unwrap();
    let request = Request::get("/openapi.json").header("if-none-match", &tag);
    let after = app.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(after.status, StatusCode::OK);
    assert_ne!(after.header("etag"), tag);
    assert!(after.json()["paths"].get("/api/say/three").is_some());
    assert!(app.get("/docs").await.text().contains("three"));

    catalog
        .change(|functions| assert!(functions.remove_tool("three")))
        .unwrap();
    assert_eq!(app.get("/openapi.json").await.header("etag"), tag);
}

#[tokio::test]
async fn pages_of_other_origins_may_send_the_headers_of_tools_that_were_added() {
    let mut config = Config::default();
    config.allowed_origins = vec!["https://a.example".into()];
    let app = App::new(config, server()).unwrap();
    let allowed = async || {
        let request = Request::options("/mcp")
            .header("origin", "https://a.example")
            .header("access-control-request-method", "POST");
        let request = request.body(Body::empty()).unwrap();
        let response = serve(&app, request, RequestInfo::default()).await;
        let headers = response.headers()["access-control-allow-headers"].clone();
        headers.to_str().unwrap().to_owned()
    };
    assert!(!allowed().await.contains("mcp-param-region"));
    let run = |_: Context, _: Nothing| Content::text("");
    let tool = Tool::sync("regional", run).input_schema(json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "region": {"type": "string", "description": "Where.", "x-mcp-header": "Region"},
        },
    }));
    app.catalog()
        .change(|functions| functions.add_tool(tool))
        .unwrap();
    assert!(allowed().await.contains("mcp-param-region"));
}
