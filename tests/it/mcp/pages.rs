//! Lists that are longer than a page, walked from cursor to cursor.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bifold::{App, Config, Content, Context, JsonSchema, Prompt, Resource, Server, Tool};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ask_as, fault, result, revisions};
use crate::support::{MODERN, TestApp};

/// The four lists: method, field of the entries, field of their names.
const LISTS: [(&str, &str, &str); 4] = [
    ("tools/list", "tools", "name"),
    ("resources/list", "resources", "uri"),
    (
        "resources/templates/list",
        "resourceTemplates",
        "uriTemplate",
    ),
    ("prompts/list", "prompts", "name"),
];

/// Answers at once.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Ask {}

/// A document for each thing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Thing {
    /// Which one.
    it: String,
}

fn ask(name: String) -> Tool {
    Tool::sync(name, |_: Context, Ask {}: Ask| Content::text("yes"))
}

fn thing(name: String) -> Tool {
    Tool::sync(name, |_: Context, Thing { it }: Thing| Content::text(it))
}

/// A server with `count` entries in each list.
fn server(count: usize) -> Server {
    let documents = |index| {
        Resource::new(
            format!("a://{index}"),
            "text/plain",
            ask(format!("d{index}")),
        )
    };
    let templates = |index| {
        Resource::new(
            format!("b{index}://{{it}}"),
            "text/plain",
            thing(format!("t{index}")),
        )
    };
    Server::new("it", "1")
        .tools((0..count).map(|index| ask(format!("f{index}"))))
        .resources((0..count).map(documents))
        .resources((0..count).map(templates))
        .prompts((0..count).map(|index| Prompt::new(ask(format!("p{index}")))))
}

/// All pages of a list, each from the cursor of the one before it.
async fn walk(app: &TestApp, version: &str, method: &str) -> Vec<Value> {
    let mut params = json!({});
    let mut pages = Vec::new();
    loop {
        let page = result(&ask_as(app, version, method, params).await);
        let next = page.get("nextCursor").cloned();
        pages.push(page);
        match next {
            Some(cursor) => params = json!({"cursor": cursor}),
            None => return pages,
        }
        assert!(pages.len() < 1_000, "{version} {method} has no end");
    }
}

fn names<'a>(pages: &'a [Value], key: &str, name: &str) -> Vec<&'a str> {
    let entries = pages.iter().flat_map(|page| page[key].as_array().unwrap());
    entries.map(|entry| entry[name].as_str().unwrap()).collect()
}

#[tokio::test]
async fn pages_hold_each_entry_once_and_in_order_in_every_revision() {
    for (count, size, pages) in [
        (7, 3, 3),
        (6, 3, 2),
        (3, 3, 1),
        (1, 3, 1),
        (5, 1, 5),
        (5, usize::MAX, 1),
    ] {
        let app = TestApp::serving(server(count).page_size(size)).await;
        let whole = TestApp::serving(server(count)).await;
        for version in revisions() {
            for (method, key, name) in LISTS {
                let shown = format!("{count} by {size}, {version} {method}");
                let walked = walk(&app, version, method).await;
                assert_eq!(walked.len(), pages, "{shown}");
                let full = walked[..pages - 1]
                    .iter()
                    .all(|page| page[key].as_array().unwrap().len() == size);
                assert!(full, "{shown}");
                let all = walk(&whole, version, method).await;
                assert_eq!(names(&walked, key, name), names(&all, key, name), "{shown}");
                assert_eq!(names(&walked, key, name).len(), count, "{shown}");
            }
        }
    }
}

#[tokio::test]
async fn hundreds_of_tools_come_a_hundred_at_a_time() {
    let mut config = Config::default();
    // A search would take the place of so long a list.
    config.search_above = 0;
    let app = TestApp::of(App::new(config, server(512)).unwrap()).await;
    for version in [MODERN, "2025-11-25"] {
        let walked = walk(&app, version, "tools/list").await;
        let sizes: Vec<usize> = walked
            .iter()
            .map(|page| page["tools"].as_array().unwrap().len())
            .collect();
        assert_eq!(sizes, [100, 100, 100, 100, 100, 12], "{version}");
        let expected: Vec<String> = (0..512).map(|index| format!("f{index}")).collect();
        assert_eq!(names(&walked, "tools", "name"), expected, "{version}");
    }
}

#[tokio::test]
async fn every_page_may_be_kept_alike_and_is_the_same_bytes_each_time() {
    let app = TestApp::serving(server(5).page_size(2)).await;
    for (method, _, _) in LISTS {
        let mut cursor = None;
        for page in walk(&app, MODERN, method).await {
            assert_eq!(page["cacheScope"], "public", "{method}");
            assert_eq!(
                (&page["resultType"], page["ttlMs"].is_u64()),
                (&json!("complete"), true),
                "{method}"
            );
            let params = cursor.map_or(json!({}), |it: Value| json!({"cursor": it}));
            let again = app.mcp(method, params.clone()).await;
            assert_eq!(app.mcp(method, params).await.body, again.body, "{method}");
            assert_eq!(result(&again), page, "{method}");
            cursor = page.get("nextCursor").cloned();
        }
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_one_list_of_every_revision() {
    let app = TestApp::serving(server(5).page_size(2)).await;
    let next = async |version: &str, method: &str| {
        result(&ask_as(&app, version, method, json!({})).await)["nextCursor"].take()
    };
    let modern = next(MODERN, "tools/list").await;
    assert_eq!(next("2024-11-05", "tools/list").await, modern);
    for (method, _, _) in &LISTS[1..] {
        let answer = app.mcp(method, json!({"cursor": modern})).await;
        let said = fault(&answer, 200, -32602)["error"]["message"].take();
        assert!(
            said.as_str().unwrap().contains("belongs to `tools/list`"),
            "{method}: {said}"
        );
    }
}

#[tokio::test]
async fn a_cursor_that_was_never_given_out_is_refused_with_what_is_wrong_with_it() {
    let app = TestApp::serving(server(5).page_size(2)).await;
    let given = result(&app.mcp("tools/list", json!({})).await)["nextCursor"].take();
    let good = given.as_str().unwrap();
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(good).unwrap()).unwrap();
    let list = text.strip_prefix("2 tools/list 2 ");
    let list = list.expect("the cursors below are close to those that are given out");
    let made = |text: &str| json!(URL_SAFE_NO_PAD.encode(format!("{text} {list}")));
    let unknown = "was not given out";
    for (cursor, problem) in [
        (json!(2), "must be a string"),
        (json!(true), "must be a string"),
        (json!({}), "must be a string"),
        (json!(["a"]), "must be a string"),
        (json!(""), unknown),
        (json!("2"), unknown),
        (json!("MSB"), unknown),
        (json!(format!("{good}=")), unknown),
        (json!(format!(" {good}")), unknown),
        (json!(format!("{good}\n")), unknown),
        (json!("é"), unknown),
        (json!(URL_SAFE_NO_PAD.encode(b"\xff\xfe")), unknown),
        (made("1 tools/list 2"), unknown),
        (json!(URL_SAFE_NO_PAD.encode("2 tools/list 2")), unknown),
        (made("2 tools/list 0"), unknown),
        (made("2 tools/list 02"), unknown),
        (made("2 tools/list +2"), unknown),
        (made("2 tools/list -2"), unknown),
        (made("2 tools/list 2 "), unknown),
        (made("2 tools/list 2 2"), unknown),
        (made("2 tools/list"), unknown),
        (made("2 tools/call 2"), unknown),
        (made("2 tools/list 99999999999999999999999"), unknown),
        (made("2 tools/list 1"), "no page"),
        (made("2 tools/list 3"), "no page"),
        (made("2 tools/list 6"), "no page"),
        (made("2 tools/list 18446744073709551614"), "no page"),
    ] {
        for version in [MODERN, "2025-06-18"] {
            let answer = ask_as(&app, version, "tools/list", json!({"cursor": cursor})).await;
            let said = fault(&answer, 200, -32602)["error"]["message"].take();
            let said = said.as_str().unwrap();
            assert!(
                said.contains("`cursor`") && said.contains(problem),
                "{cursor}: {said}"
            );
        }
    }
    let none = result(&app.mcp("tools/list", json!({"cursor": null})).await);
    assert_eq!(none["tools"][0]["name"], "f0", "null is not a cursor");
}

#[tokio::test]
async fn the_bundled_lists_are_one_page() {
    let app = TestApp::start().await;
    for (method, _, _) in LISTS {
        assert_eq!(walk(&app, MODERN, method).await.len(), 1, "{method}");
    }
}

#[test]
fn a_page_without_entries_stops_the_start() {
    let started = App::new(Config::default(), server(1).page_size(0));
    let said = started.err().unwrap().to_string();
    assert!(said.contains("`it`") && said.contains("page"), "{said}");
}
