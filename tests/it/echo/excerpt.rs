//! The form of an excerpt.

use serde_json::json;

use super::{LONGEST, serving};

#[tokio::test]
async fn an_excerpt_is_the_beginning_and_is_marked_as_cut() {
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
async fn characters_that_would_break_a_line_are_escaped() {
    let app = serving().await;
    let name = "a\r\n\u{1b}[31mb\u{2028}";
    let answer = app
        .legacy("2025-11-25", "tools/call", json!({"name": name}))
        .await;
    let said = r"there is no tool `a\r\n\u{1b}[31mb\u{2028}`";
    assert_eq!(answer.json()["error"]["message"], said);
}

#[tokio::test]
async fn a_name_longer_than_any_other_is_not_compared() {
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
