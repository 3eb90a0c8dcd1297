//! The pages: `/docs`, `/health` and `/`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bifold::{App, Config, Context, Icon, JsonSchema, Result, Server, Tool};
use http::StatusCode;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::support::{MODERN, TestApp};

/// Ends the page </script><script>alert(1)</script> <!-- <b>bold</b> {{catalog}}
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Hostile {}

#[derive(Serialize, JsonSchema)]
struct Nothing {}

async fn hostile(_: Context, Hostile {}: Hostile) -> Result<Nothing> {
    Ok(Nothing {})
}

/// The catalog that stands in the page, and the page without it.
fn catalog(page: &str) -> (Value, String) {
    let start = r#"<script type="application/json" id="catalog">"#;
    let (before, rest) = page.split_once(start).unwrap();
    let (catalog, after) = rest.split_once("</script>").unwrap();
    (
        serde_json::from_str(catalog).unwrap(),
        format!("{before}{after}"),
    )
}

#[tokio::test]
async fn docs_names_every_function_of_either_protocol() {
    let app = TestApp::start().await;
    let answer = app.get("/docs").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    let (catalog, _) = catalog(&answer.text());
    let functions = catalog["functions"].as_array().unwrap();
    assert_eq!(functions.len(), 43);
    for (entry, tool) in functions.iter().zip(app.app.registry().tools()) {
        assert_eq!(entry["name"], tool.name());
        assert_eq!(entry["protocols"], json!(tool.protocols()));
        assert_eq!(entry["description"], tool.description());
    }
}

#[tokio::test]
async fn docs_loads_nothing_and_lets_nothing_out() {
    let app = TestApp::start().await;
    let answer = app.get("/docs").await;
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    for directive in [
        "connect-src 'self'",
        "frame-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(directive), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    for tag in ["style", "script"] {
        let text = answer.text();
        let (_, rest) = text.split_once(&format!("<{tag}>")).unwrap();
        let (inside, _) = rest.split_once(&format!("</{tag}>")).unwrap();
        let hash = STANDARD.encode(digest(&SHA256, inside.as_bytes()));
        let directive = format!("{tag}-src 'sha256-{hash}';");
        assert!(policy.contains(&directive), "{policy}: {directive}");
    }
    let (_, page) = catalog(&answer.text());
    // What a policy of hashes keeps from running.
    for inline in [
        " style=",
        " onclick=",
        "eval(",
        "new Function",
        "javascript:",
    ] {
        assert!(!page.contains(inline), "the page holds `{inline}`");
    }
    // Inside a data URL the name of the SVG vocabulary is a name, which no browser fetches.
    let page = page.replace("xmlns='http://www.w3.org/2000/svg'", "");
    for fetched in ["http://", "https://", "src=\"", "import(", "//cdn"] {
        assert!(!page.contains(fetched), "the page holds `{fetched}`");
    }
    let (_, style) = page.split_once("<style>").unwrap();
    let (style, _) = style.split_once("</style>").unwrap();
    for fetched in ["url(", "@import", "@font-protocol"] {
        assert!(!style.contains(fetched), "the style holds `{fetched}`");
    }
}

#[tokio::test]
async fn docs_names_the_page_of_each_function_that_has_one() {
    let app = TestApp::start().await;
    let (catalog, _) = catalog(&app.get("/docs").await.text());
    let functions = catalog["functions"].as_array().unwrap();
    let with_page = functions.iter().filter(|it| !it["app"].is_null());
    let pages: Vec<(&Value, &Value)> = with_page.map(|it| (&it["name"], &it["app"])).collect();
    let market = &json!("ui://bifold/market");
    let expected = [
        (&json!("fetch_market_candles"), market),
        (&json!("fetch_order_book"), market),
    ];
    assert_eq!(pages, expected);
}

/// What runs in the frame is the application's or that of a mounted server.
#[tokio::test]
async fn the_frame_for_pages_of_functions_can_reach_nothing_and_only_this_server_may_hold_it() {
    let app = TestApp::serving(Server::new("empty", "0.0.1")).await;
    let answer = app.get("/docs/app").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    let policy = answer.header("content-security-policy");
    let directives: Vec<&str> = policy.split("; ").collect();
    for directive in [
        "sandbox allow-scripts",
        "default-src 'none'",
        "img-src data: blob:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    ] {
        assert!(directives.contains(&directive), "{policy}: {directive}");
    }
    // No other directive opens what `default-src` closes.
    for open in ["connect-src", "frame-src", "http", "*"] {
        assert!(!policy.contains(open), "{policy}: {open}");
    }
}

/// Books a room.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[expect(dead_code, reason = "only the schema is looked at")]
struct Book {
    /// The room.
    room: String,
    /// The first day.
    first_day: Option<String>,
    /// How many come.
    guests: u32,
}

async fn book(_: Context, _: Book) -> Result<Nothing> {
    Ok(Nothing {})
}

#[tokio::test]
async fn docs_knows_the_order_in_which_arguments_are_declared() {
    let server = Server::new("hotel", "1.0.0").tools(vec![Tool::new("book", book).get("/book")]);
    let app = TestApp::serving(server).await;
    let (catalog, _) = catalog(&app.get("/docs").await.text());
    let order = json!(["room", "firstDay", "guests"]);
    assert_eq!(catalog["functions"][0]["order"], order);
}

#[tokio::test]
async fn docs_is_small() {
    let app = TestApp::serving(Server::new("empty", "0.0.1")).await;
    let bytes = app.get("/docs").await.text().len();
    assert!(bytes < 60_000, "{bytes} bytes");
    // With what shows the pages of functions, and without what the functions say.
    let bundled = TestApp::start().await.get("/docs").await.text();
    let (functions, page) = catalog(&bundled);
    assert_ne!(functions["functions"], json!([]));
    let more = page.len().saturating_sub(bytes);
    assert!((1_000..4_000).contains(&more), "{more} bytes");
}

#[tokio::test]
async fn docs_shows_the_application_and_not_this_library() {
    let server = Server::new("shop", "1.2.3")
        .title("The shop")
        .description("Sells things.")
        .instructions("Ask for the price first.")
        .website("https://example.com/")
        .icon(Icon::new("data:image/png;base64,AA=="));
    let app = TestApp::serving(server).await;
    let (catalog, page) = catalog(&app.get("/docs").await.text());
    let shown = json!({
        "name": "shop",
        "title": "The shop",
        "version": "1.2.3",
        "description": "Sells things.",
        "instructions": "Ask for the price first.",
        "website": "https://example.com/",
        "icons": [{ "src": "data:image/png;base64,AA==" }],
        "functions": [],
    });
    assert_eq!(catalog, shown);
    assert!(!page.contains("bifold"));
}

/// The page finds the function of an operation by this name, because an id is unique to an operation.
#[tokio::test]
async fn each_operation_names_its_function() {
    let app = TestApp::start().await;
    let document = app.get("/openapi.json").await.json();
    let registry = app.app.registry();
    let on_rest = registry.tools().iter().filter(|tool| tool.on_rest());
    let mut named: Vec<&str> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
        .map(|operation| operation["x-tool"].as_str().unwrap())
        .collect();
    named.sort_unstable();
    named.dedup();
    let mut expected: Vec<&str> = on_rest.map(|tool| tool.name()).collect();
    expected.sort_unstable();
    assert_eq!(named, expected);
}

#[tokio::test]
async fn a_description_cannot_break_out_of_the_page() {
    let tool = Tool::new("hostile", hostile).get("/hostile");
    let server = Server::new("</script><script>", "1.0.0")
        .title("<!--<script>")
        .instructions("</SCRIPT >")
        .tools(vec![tool]);
    let app = TestApp::serving(server).await;
    let page = app.get("/docs").await.text();
    let (catalog, rest) = catalog(&page);
    assert_eq!(catalog["title"], "<!--<script>");
    let description = catalog["functions"][0]["description"].as_str().unwrap();
    assert!(
        description.contains("</script><script>alert(1)</script>"),
        "{description}"
    );
    assert!(!rest.contains("alert(1)"));
    let plain = TestApp::start().await.get("/docs").await.text();
    let scripts = |page: &str| page.to_lowercase().matches("<script").count();
    assert_eq!(scripts(&page), scripts(&plain));
    assert_eq!(page.matches("<!--").count(), plain.matches("<!--").count());
}

#[tokio::test]
async fn health_says_whether_the_data_is_recorded_and_asks_no_upstream() {
    let app = TestApp::start().await;
    let answer = app.get("/health").await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let health = answer.json();
    assert_eq!(health["status"], "ok");
    assert_eq!(health["name"], "bifold");
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(health["replay"], true);
    assert_eq!(health["requests"], 1);
    assert!(health["uptime_ms"].is_u64());
    assert_eq!(app.get("/health").await.json()["requests"], 2);
    assert!(app.replay.seen().is_empty());

    let live = TestApp::with(|config| drop(config.application.remove("BIFOLD_REPLAY"))).await;
    assert_eq!(live.get("/health").await.json()["replay"], false);
}

#[tokio::test]
async fn the_root_links_to_what_there_is() {
    let app = TestApp::start().await;
    let root = app.get("/").await.json();
    assert_eq!(root["name"], "bifold");
    for (name, method) in [
        ("docs", "GET"),
        ("openapi", "GET"),
        ("health", "GET"),
        ("mcp", "POST"),
    ] {
        let link = root["links"][name].as_str().unwrap();
        // A gateway may put a stage in front of every path, so the links are relative.
        assert!(!link.starts_with('/'), "{link}");
        let answer = app.send(super::request(method, &format!("/{link}"))).await;
        assert_ne!(answer.status, StatusCode::NOT_FOUND, "{link}");
        assert_ne!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{link}");
    }
}

#[tokio::test]
async fn a_server_without_functions_still_describes_itself() {
    let server = || Server::new("empty", "0.0.1");
    assert!(App::new(Config::default(), server()).is_ok());
    let app = TestApp::serving(server()).await;
    assert_eq!(app.get("/openapi.json").await.json()["paths"], json!({}));
    assert_eq!(
        catalog(&app.get("/docs").await.text()).0["functions"],
        json!([])
    );
    let list = app.mcp("tools/list", json!({})).await.json();
    assert_eq!(list["result"]["tools"], json!([]), "{MODERN}");
}
