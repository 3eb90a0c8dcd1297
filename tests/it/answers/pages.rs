//! Lists page by page.

use serde_json::{Value, json};

use super::{both, configured, next_link, refused, says, serving};
use crate::support::TestApp;

/// All values of a list, read page by page over MCP; each page must keep to the limits.
pub async fn walked(app: &TestApp, name: &str, mut arguments: Value) -> Vec<u64> {
    let mut values = Vec::new();
    for _ in 0..200 {
        let page = app.tool(name, arguments.clone()).await;
        let page = page["structuredContent"].clone();
        let items = page["numbers"]
            .as_array()
            .unwrap_or_else(|| panic!("{arguments}: {page}"));
        values.extend(items.iter().map(|it| it["value"].as_u64().unwrap()));
        if let Some(limit) = arguments["limit"].as_u64() {
            assert!(items.len() as u64 <= limit, "{arguments}: {page}");
        }
        if let Some(most) = arguments["max_bytes"].as_u64() {
            assert!(page.to_string().len() as u64 <= most, "{arguments}: {page}");
        }
        match page.get("truncated") {
            Some(it) => {
                assert_eq!(it["shown"], items.len(), "{page}");
                assert_eq!(it["next_cursor"], page["next_cursor"], "{page}");
                assert_eq!(it["total"], page["total"], "{page}");
            }
            None => assert!(!items.is_empty() || page["next_cursor"].is_null(), "{page}"),
        }
        match &page["next_cursor"] {
            Value::Null => return values,
            cursor => arguments["cursor"] = cursor.clone(),
        }
    }
    panic!("{arguments}: the list has no end");
}

#[tokio::test]
async fn the_pages_of_a_list_have_every_item_once_and_in_order() {
    let app = serving().await;
    for name in ["numbers", "whole", "found"] {
        for count in [0_u64, 1, 9, 10, 11, 41, 83] {
            for limit in [
                json!(null),
                json!(1),
                json!(2),
                json!(10),
                json!(39),
                json!(40),
            ] {
                for most in [json!(null), json!(400), json!(700)] {
                    let arguments = json!({"count": count, "limit": limit, "max_bytes": most});
                    let values = walked(&app, name, arguments.clone()).await;
                    let expected: Vec<u64> = (0..count).collect();
                    assert_eq!(values, expected, "{name} {arguments}");
                }
            }
        }
    }
}

#[tokio::test]
async fn on_rest_a_link_names_the_next_page() {
    let app = serving().await;
    for (path, first) in [
        ("/api/numbers", "?count=23&label=a%26b&limit=5"),
        ("/api/whole/23", "?limit=5&label=a+b"),
        ("/api/whole", "?limit=5"),
    ] {
        let (mut query, mut values) = (first.to_owned(), Vec::new());
        loop {
            let page = app.get(&format!("{path}{query}")).await;
            let body = page.json();
            values.extend(
                body["numbers"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|it| it["value"].clone()),
            );
            let Some(next) = next_link(&page) else {
                assert_eq!(body["next_cursor"], json!(null));
                break;
            };
            let cursor = body["next_cursor"].as_str().unwrap();
            assert!(next.ends_with(&format!("cursor={cursor}")), "{next}");
            query = next;
        }
        assert_eq!(
            values,
            (0..23).map(Value::from).collect::<Vec<_>>(),
            "{path}"
        );
    }
    let posted = app.post("/api/found?limit=5", "{}").await;
    assert!(
        posted.json()["next_cursor"].is_string(),
        "{}",
        posted.text()
    );
    assert_eq!(next_link(&posted), None);
}

#[tokio::test]
async fn without_a_limit_a_page_has_the_default_or_all_items() {
    let app = serving().await;
    for (name, shown, count) in [("numbers", 10, 23), ("found", 10, 23), ("whole", 500, 500)] {
        let page = both(&app, name, json!({"count": count})).await;
        assert_eq!(page["numbers"].as_array().unwrap().len(), shown, "{name}");
        assert_eq!(page["total"], count);
        assert_eq!(page["next_cursor"].is_null(), shown == count, "{name}");
        assert_eq!(page.get("truncated"), None);
    }
}

#[tokio::test]
async fn the_arguments_of_pages_are_checked_as_all_arguments_are() {
    let app = serving().await;
    for (name, arguments) in [
        ("limit", json!({"limit": 0})),
        ("limit", json!({"limit": 41})),
        ("limit", json!({"limit": -1})),
        ("limit", json!({"limit": 1.5})),
        ("limit", json!({"limit": [1]})),
        ("limit", json!({"limit": "many"})),
        ("cursor", json!({"cursor": ""})),
        ("cursor", json!({"cursor": 7})),
        ("cursor", json!({"cursor": "a".repeat(2049)})),
        ("max_bytes", json!({"max_bytes": 199})),
        ("max_bytes", json!({"max_bytes": "all"})),
        ("max_byte", json!({"max_byte": 1000})),
        ("lmit", json!({"lmit": 3})),
        ("other", json!({"other": 3, "limit": 3})),
    ] {
        let error = refused(&app, "numbers", arguments.clone()).await;
        says(&error, name);
    }
    let error = refused(&app, "numbers", json!({"lmit": 3})).await;
    assert!(
        says(&error, "lmit").contains("did you mean `limit`?"),
        "{error}"
    );
    for query in [
        "limit=0",
        "limit=x",
        "limit=",
        "limit=1&limit=2",
        "cursor=",
        "fields=",
    ] {
        let answer = app.get(&format!("/api/numbers?{query}")).await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
        assert_eq!(answer.json()["field"], query.split('=').next().unwrap());
    }
    let twice = app.post("/api/numbers", r#"{"limit":1,"limit":2}"#).await;
    assert_eq!(twice.json()["field"], "limit", "{}", twice.text());
    // What clients write for an integer, and null for what is absent.
    for arguments in [
        json!({"limit": 3.0}),
        json!({"limit": 3, "cursor": null, "max_bytes": null}),
    ] {
        let page = both(&app, "numbers", arguments).await;
        assert_eq!(page["numbers"].as_array().unwrap().len(), 3);
    }
    let page = app.tool("numbers", json!({"limit": "3"})).await;
    assert_eq!(
        page["structuredContent"]["numbers"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    assert_eq!(
        app.get("/api/numbers?limit=3").await.json(),
        page["structuredContent"]
    );
}

#[tokio::test]
async fn a_page_has_the_same_bytes_each_time_so_that_it_can_be_revalidated() {
    let app = serving().await;
    let first = app.get("/api/numbers?limit=3").await;
    let again = app.get("/api/numbers?limit=3").await;
    assert_eq!(first.text(), again.text());
    assert_eq!(first.header("etag"), again.header("etag"));
}

#[tokio::test]
async fn only_the_page_is_charged_to_the_response() {
    let app = configured(|it| it.max_response_bytes = 8000).await;
    let all = app.get("/api/whole/300").await;
    assert_eq!(all.json()["kind"], "answer_too_large", "{}", all.text());
    let page = app.get("/api/whole/300?limit=100").await;
    assert_eq!(page.status, 200, "{}", page.text());
    let values = walked(&app, "whole", json!({"count": 300, "limit": 40})).await;
    assert_eq!(values.len(), 300);
}

#[tokio::test]
async fn a_function_that_calls_others_gets_their_pages() {
    let app = serving().await;
    let calls = json!({"calls": [
        {"name": "numbers", "arguments": {"limit": 2, "fields": "numbers.value"}},
        {"name": "whole", "arguments": {"limit": 1, "count": 2}},
    ]});
    let report = both(&app, "call_many", calls).await;
    let first = &report["results"][0]["result"];
    assert_eq!(
        first["numbers"],
        json!([{"value": 0}, {"value": 1}]),
        "{report}"
    );
    let cursor = &first["next_cursor"];
    let next = both(&app, "numbers", json!({"limit": 1, "cursor": cursor})).await;
    assert_eq!(next["numbers"][0]["value"], 2);
    assert!(
        report["results"][1]["result"]["next_cursor"].is_string(),
        "{report}"
    );
}
