//! The client that applications use in their own tests.

use bifold::prelude::*;
use bifold::testing::Client;
use bifold::{Clock, Config, Elicited, Level, Timestamp};
use serde_json::json;

/// Books a table.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Book {
    /// The number of guests.
    guests: u32,
}

/// The form that guests fill in.
#[derive(Deserialize, JsonSchema)]
struct Name {
    /// Whom the table is for.
    name: String,
}

#[derive(Serialize, JsonSchema)]
struct Booking {
    name: String,
    guests: u32,
    time: String,
}

async fn book(cx: Context, Book { guests }: Book) -> Result<Booking> {
    if guests > 8 {
        return Err(Error::invalid_argument("guests", "must be at most 8"));
    }
    cx.progress(1.0, Some(2.0), "looking for a table");
    cx.log(Level::Info, json!({"guests": guests}));
    let name = match cx.elicit::<Name>("name", "Which name?").await? {
        Elicited::Accepted(Name { name }) => name,
        _ => "nobody".to_owned(),
    };
    cx.progress(2.0, Some(2.0), "booked");
    let time = cx.now().to_string();
    Ok(Booking { name, guests, time })
}

fn server() -> Server {
    let book = Tool::new("book", book).post("/bookings");
    Server::new("tables", "1.0.0").tools(vec![book])
}

async fn client() -> Client {
    let mut config = Config::default();
    config.clock = Clock::Fixed(Timestamp::parse("2026-01-02T03:04:05Z").unwrap());
    Client::with(config, server()).await.unwrap()
}

#[tokio::test]
async fn a_call_over_mcp_is_answered_and_keeps_what_was_reported() {
    let call = client().await.mcp().call("book", json!({"guests": 2}));
    let result = call.accept("name", json!({"name": "Ada"})).await.unwrap();
    let booking = json!({"name": "Ada", "guests": 2, "time": "2026-01-02T03:04:05Z"});
    assert_eq!(result.structured(), Some(&booking), "{result:?}");
    assert!(!result.is_error());
    assert_eq!(result.asked(), ["name"]);
    let last = result.progress().last().map(|it| it["message"].clone());
    assert_eq!(last, Some(json!("booked")));
    assert_eq!(result.log()[0]["data"], json!({"guests": 2}));
    let booking: serde_json::Value = serde_json::from_str(&result.text()).unwrap();
    assert_eq!(booking["guests"], 2);
}

#[tokio::test]
async fn a_question_may_be_declined_and_one_without_an_answer_is_named() {
    let mcp = client().await.mcp();
    let result = mcp.call("book", json!({"guests": 2})).decline("name").await;
    assert_eq!(result.unwrap().structured().unwrap()["name"], "nobody");
    let failure = mcp.call("book", json!({"guests": 2})).await.unwrap_err();
    assert!(
        failure.to_string().contains(".accept(\"name\""),
        "{failure}"
    );
}

#[tokio::test]
async fn a_failed_function_is_a_result_and_a_failed_request_is_an_error() {
    let client = client().await;
    let result = client.mcp().call("book", json!({"guests": 9})).await;
    let result = result.unwrap();
    assert!(result.is_error());
    assert!(result.text().contains("must be at most 8"), "{result:?}");
    let unknown = client.mcp().call("cancel", json!({})).await.unwrap_err();
    assert_eq!(unknown.code, -32602);
    let missing = client.mcp().read("file:///menu").await.unwrap_err();
    assert!(!missing.message.is_empty());
}

#[tokio::test]
async fn a_function_is_called_without_a_protocol() {
    let client = client().await;
    let error = client.call("book", json!({"guests": 9})).await.unwrap_err();
    assert_eq!(error.field(), Some("guests"));
    let error = client.call("book", json!({"guests": 1})).await.unwrap_err();
    assert_eq!(error.kind(), bifold::Kind::MissingCapability);
}

#[tokio::test]
async fn rest_requests_have_the_headers_and_the_method_of_the_client() {
    let rest = client().await.rest().header("x-request-id", "from-a-test");
    let response = rest.post("/api/bookings", json!({"guests": 9})).await;
    assert_eq!(response.status(), 400);
    assert_eq!(response.header("x-request-id"), "from-a-test");
    assert_eq!(response.json()["field"], "guests");
    assert_eq!(rest.get("/api/bookings").await.status(), 405);
    assert_eq!(rest.delete("/api/bookings").await.status(), 405);
    let health: serde_json::Map<_, _> = rest.get("/health").await.parse();
    assert_eq!(health["name"], "tables");
}

#[tokio::test]
async fn lists_are_those_of_the_application() {
    let mcp = client().await.mcp();
    let tools = mcp.list_tools().await.unwrap();
    assert_eq!(tools[0]["name"], "book");
    let discovered = mcp.request("server/discover", json!({})).await.unwrap();
    assert!(discovered["capabilities"]["tools"].is_object());
}
