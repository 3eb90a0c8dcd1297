//! Limits of a result in bytes: whole items are left out, never a part of the JSON.

use serde_json::{Value, json};

use super::pages::walked;
use super::{both, configured, refused, says, serving};

#[tokio::test]
async fn a_result_takes_at_most_the_bytes_that_are_allowed() {
    let app = serving().await;
    let all = both(&app, "whole", json!({"count": 60})).await;
    for most in (400..all.to_string().len() + 50).step_by(37) {
        let page = app.get(&format!("/api/whole/60?max_bytes={most}")).await;
        let (size, page) = (page.body.len(), page.json());
        assert!(size <= most, "{size} > {most}: {page}");
        let items = page["numbers"].as_array().unwrap();
        assert_eq!(items[..], all["numbers"].as_array().unwrap()[..items.len()]);
        let truncated = &page["truncated"];
        match items.len() {
            60 => assert_eq!(page, all),
            shown => {
                assert_eq!(
                    *truncated,
                    json!({"shown": shown, "total": 60, "next_cursor": page["next_cursor"]})
                );
                // There is room for no other item.
                let next = all["numbers"][shown].to_string().len();
                assert!(
                    size + next + 1 > most,
                    "{size} of {most}, next {next}: {page}"
                );
            }
        }
    }
}

#[tokio::test]
async fn too_few_bytes_are_refused_with_the_number_that_is_needed() {
    let app = serving().await;
    for name in ["whole", "numbers"] {
        let error = refused(&app, name, json!({"max_bytes": 200})).await;
        let said = says(&error, "max_bytes").to_owned();
        assert!(
            said.contains("not even one item of `numbers` fits into 200 bytes"),
            "{said}"
        );
        let needed: u64 = said
            .split("at least ")
            .nth(1)
            .unwrap()
            .split(',')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let page = both(&app, name, json!({"max_bytes": needed})).await;
        assert_eq!(page["truncated"]["shown"], 1, "{page}");
        says(
            &refused(&app, name, json!({"max_bytes": needed - 1})).await,
            "max_bytes",
        );
    }
}

#[tokio::test]
async fn the_setting_limits_what_agents_get_and_nothing_on_rest() {
    let app = configured(|it| it.mcp_max_bytes = 500).await;
    let page = app.tool("whole", json!({})).await;
    let page = &page["structuredContent"];
    assert!(page.to_string().len() <= 500, "{page}");
    assert_eq!(page["truncated"]["total"], 23, "{page}");
    assert_eq!(walked(&app, "whole", json!({"count": 50})).await.len(), 50);
    assert_eq!(
        app.get("/api/whole").await.json()["numbers"]
            .as_array()
            .unwrap()
            .len(),
        23
    );
    // The caller may ask for more, and a function for the results of others.
    let more = app.tool("whole", json!({"max_bytes": 100_000})).await;
    assert_eq!(more["structuredContent"].get("truncated"), None);
    let calls = json!({"calls": [{"name": "whole"}]});
    let report = app.tool("call_many", calls).await;
    let result = &report["structuredContent"]["results"][0]["result"];
    assert_eq!(result["numbers"].as_array().unwrap().len(), 23, "{report}");
    // A list of which not even one item fits shows one all the same, so that an agent gets on.
    let app = configured(|it| it.mcp_max_bytes = 10).await;
    assert_eq!(walked(&app, "whole", json!({"count": 3})).await, [0, 1, 2]);
    let empty = app.tool("whole", json!({"count": 0})).await;
    assert_eq!(empty["structuredContent"]["numbers"], json!([]), "{empty}");
}

#[tokio::test]
async fn a_page_of_the_function_of_which_items_were_left_out_is_continued_behind_them() {
    let app = serving().await;
    let first: Value = both(&app, "numbers", json!({"limit": 10, "max_bytes": 400})).await;
    let shown = first["numbers"].as_array().unwrap().len();
    assert!((1..10).contains(&shown), "{first}");
    let arguments = json!({"limit": 40, "cursor": first["next_cursor"]});
    let rest = both(&app, "numbers", arguments).await;
    assert_eq!(rest["numbers"][0]["value"], shown, "{rest}");
    assert_eq!(rest["numbers"].as_array().unwrap().len(), 23 - shown);
    assert_eq!(rest["next_cursor"], json!(null));
}
