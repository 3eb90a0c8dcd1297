//! MCP Apps: what tools and their pages say in lists, and beside the page.

use bifold::{App, Config, Content, Context, JsonSchema, Resource, Result, Server, Tool};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::TestApp;

const VIEW: &str = "ui://weather/view";

/// The weather.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Weather {}

async fn weather(_: Context, Weather {}: Weather) -> Result<Content> {
    Ok(Content::text("20 °C"))
}

async fn page(_: Context, Weather {}: Weather) -> Result<Content> {
    Ok(Content::text("<!doctype html>"))
}

fn view() -> Tool {
    Tool::new("view", page).describe("Draws the weather.")
}

fn server() -> Server {
    Server::new("weather", "1.0.0").tool(Tool::new("weather", weather).app(VIEW))
}

#[tokio::test]
async fn a_tool_names_its_page_and_the_page_says_in_lists_and_beside_it_what_it_may_load() {
    let app = TestApp::serving(server().resources([Resource::app(VIEW, view())])).await;
    let tools = app.mcp("tools/list", json!({})).await.json();
    let ui = &tools["result"]["tools"][0]["_meta"]["ui"];
    assert_eq!(ui, &json!({"resourceUri": VIEW}));
    let csp = json!({"connectDomains": [], "resourceDomains": [], "frameDomains": [], "baseUriDomains": []});
    let listed = app.mcp("resources/list", json!({})).await.json();
    let listed = &listed["result"]["resources"][0];
    let read = app.mcp("resources/read", json!({"uri": VIEW})).await.json();
    let read = &read["result"]["contents"][0];
    for page in [listed, read] {
        assert_eq!(page["uri"], VIEW);
        assert_eq!(page["mimeType"], "text/html;profile=mcp-app");
        assert_eq!(page["_meta"]["ui"], json!({"csp": csp}));
    }
    assert_eq!(read["text"], "<!doctype html>");
    assert_eq!(
        app.tool("weather", json!({})).await["content"][0]["text"],
        "20 °C"
    );
}

#[tokio::test]
async fn a_page_may_say_itself_what_it_loads() {
    let ui = json!({"csp": {"connectDomains": ["https://api.example"]}, "prefersBorder": true});
    let page = Resource::app(VIEW, view().meta("ui", ui.clone()));
    let app = TestApp::serving(server().resources([page])).await;
    let read = app.mcp("resources/read", json!({"uri": VIEW})).await.json();
    assert_eq!(read["result"]["contents"][0]["_meta"]["ui"], ui);
}

#[test]
fn a_tool_without_its_page_does_not_start() {
    let refused = |server: Server| -> String {
        let started = App::new(Config::default(), server);
        started.map(|_| Value::Null).unwrap_err().to_string()
    };
    let missing = refused(server());
    assert!(
        missing.contains("function `weather`: there is no page `ui://weather/view`"),
        "{missing}"
    );
    let tool = Tool::new("weather", weather).app("https://weather.example/view");
    let scheme = refused(Server::new("weather", "1.0.0").tool(tool));
    assert!(scheme.contains("begins with `ui://`"), "{scheme}");
}
