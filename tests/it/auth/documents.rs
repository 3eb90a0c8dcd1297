//! What the OpenAPI document and the documentation page say of callers.

use bifold::{App, Resource, Tool};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::issuer::{Issuer, Key};
use super::{PUBLIC, app, ask, bearer, get, open, tool};

/// The settings, the documented statuses, and whether there are security schemes.
type Case<'c> = (&'c [(&'c str, &'c str)], &'c [&'c str], bool);

/// A line of `BIFOLD_API_KEYS` whose key nobody has.
fn keys() -> String {
    format!("ci {} notes:read", "0".repeat(64))
}

async fn document(app: &App, headers: &HeaderMap) -> Value {
    let answer = ask(app, get("/openapi.json"), headers).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

fn operation<'a>(document: &'a Value, name: &str) -> &'a Value {
    &document["paths"][format!("/api/{name}")]["get"]
}

fn statuses(operation: &Value) -> Vec<&str> {
    let all = operation["responses"].as_object().unwrap().keys();
    let refusals = ["401", "403", "429"];
    all.map(String::as_str)
        .filter(|it| refusals.contains(it))
        .collect()
}

#[tokio::test]
async fn the_document_names_the_schemes_and_what_each_operation_needs() {
    let settings = [
        ("BIFOLD_AUTH_ISSUER", "https://issuer.example"),
        ("BIFOLD_PUBLIC_URL", PUBLIC),
        ("BIFOLD_AUTH_SCOPES", "notes"),
        ("BIFOLD_API_KEYS", &keys()),
        ("BIFOLD_RATE_LIMIT", "100/m"),
    ];
    let app = app(open().0, &settings);
    let document = document(&app, &HeaderMap::new()).await;
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(schemes["token"]["type"], "http");
    assert_eq!(schemes["token"]["scheme"], "bearer");
    let said = schemes["token"]["description"].as_str().unwrap();
    assert!(said.contains("https://issuer.example"), "{said}");
    assert_eq!(schemes["api_key"]["type"], "apiKey");
    assert_eq!(schemes["api_key"]["in"], "header");
    assert_eq!(schemes["api_key"]["name"], "X-API-Key");
    for (name, scopes) in [
        ("read", json!(["notes", "notes:read"])),
        ("any", json!(["notes"])),
    ] {
        let operation = operation(&document, name);
        let expected = json!([{ "token": scopes }, { "api_key": scopes }]);
        assert_eq!(operation["security"], expected, "{name}");
        assert_eq!(statuses(operation), ["401", "403", "429"], "{name}");
    }
    let open = operation(&document, "open");
    assert_eq!(open["security"], json!([{}]));
    assert_eq!(statuses(open), ["401", "429"]);
}

#[tokio::test]
async fn a_response_is_documented_only_where_it_can_occur() {
    let cases: [Case; 3] = [
        (&[], &[], false),
        (&[("BIFOLD_RATE_LIMIT_TOTAL", "100/m")], &["429"], false),
        (&[("BIFOLD_API_KEYS", &keys())], &["401"], true),
    ];
    for (settings, expected, has_schemes) in cases {
        let document = document(&app(open().0, settings), &HeaderMap::new()).await;
        let any = operation(&document, "any");
        assert_eq!(statuses(any), expected, "{settings:?}");
        assert_eq!(any.get("security").is_some(), has_schemes);
        let schemes = &document["components"]["securitySchemes"];
        assert_eq!(schemes.get("api_key").is_some(), has_schemes);
        assert!(schemes.get("token").is_none());
        // What is called with a name in its arguments needs the scopes of that function.
        let many = &document["paths"]["/api/call_many"]["post"]["responses"]["403"];
        let said = many["description"].as_str().unwrap_or_default();
        assert_eq!(said.contains("scopes"), has_schemes, "{many}");
    }
}

#[tokio::test]
async fn documents_may_show_only_what_the_caller_may_call() {
    let issuer = Issuer::start(Key::ed()).await;
    for (list, anonymous, reader) in [
        (
            "all",
            ["read", "write", "open"].as_slice(),
            ["read", "write", "open"].as_slice(),
        ),
        ("allowed", &["open"], &["read", "open"]),
    ] {
        let settings = [
            ("BIFOLD_AUTH_ISSUER", issuer.url()),
            ("BIFOLD_PUBLIC_URL", PUBLIC),
            ("BIFOLD_AUTH_LIST", list),
        ];
        let app = app(open().0, &settings);
        let token = bearer(&issuer.token("notes:read"));
        // The last round finds the documents made.
        for (headers, expected) in [
            (HeaderMap::new(), anonymous),
            (token.clone(), reader),
            (HeaderMap::new(), anonymous),
        ] {
            let document = document(&app, &headers).await;
            let page = ask(&app, get("/docs"), &headers).await;
            assert_eq!(page.status, StatusCode::OK);
            for name in ["read", "write", "open"] {
                let is_shown = expected.contains(&name);
                let has_operation = operation(&document, name).is_object();
                assert_eq!(has_operation, is_shown, "{list}: {name}");
                let entry = format!("\"name\":\"{name}\"");
                assert_eq!(page.text().contains(&entry), is_shown, "{list}: {name}");
            }
        }
    }
    let settings = [
        ("BIFOLD_API_KEYS", &*keys()),
        ("BIFOLD_AUTH_LIST", "allowed"),
    ];
    let app = app(open().0, &settings);
    let answer = ask(&app, get("/openapi.json"), &HeaderMap::new()).await;
    assert!(answer.header("vary").contains("Authorization"));
    let answer = ask(&app, get("/openapi.json"), &bearer("unknown")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_page_has_the_script_for_what_a_caller_sees_after_it_has_authorized() {
    const CHART: &str = "ui://notes/chart";
    let issuer = Issuer::start(Key::ed()).await;
    for (list, is_personal) in [("all", false), ("allowed", true)] {
        let chart = tool("chart").scopes(&["notes:read"]).app(CHART);
        let page = Tool::sync("chart_page", || "<p>").describe("Draws the chart.");
        let server = open().0.tool(chart).resources([Resource::app(CHART, page)]);
        let settings = [
            ("BIFOLD_AUTH_ISSUER", issuer.url()),
            ("BIFOLD_PUBLIC_URL", PUBLIC),
            ("BIFOLD_AUTH_LIST", list),
        ];
        let app = app(server, &settings);
        let anonymous = ask(&app, get("/docs"), &HeaderMap::new()).await;
        let anonymous = anonymous.text();
        // The policy allows only the script that the page came with.
        assert!(anonymous.contains("ui/initialize"), "{list}");
        assert_eq!(anonymous.contains("state.reread="), is_personal, "{list}");
        let chart = format!("\"app\":\"{CHART}\"");
        assert_eq!(anonymous.contains(&chart), !is_personal, "{list}");
        let token = bearer(&issuer.token("notes:read"));
        let own = ask(&app, get("/docs"), &token).await;
        assert!(own.text().contains(&chart), "{list}");
        if is_personal {
            assert!(own.header("vary").contains("X-API-Key"));
        }
    }
}
