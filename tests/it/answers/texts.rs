//! Text that is cut at a line, with a note.

use serde_json::{Value, json};

use super::{configured, refused, says, serving, story};

#[tokio::test]
async fn text_is_cut_at_a_line_and_says_so() {
    let app = serving().await;
    let whole = story();
    for most in (200..3200).step_by(111) {
        let answer = app.get(&format!("/api/story?max_bytes={most}")).await;
        assert!(
            answer.body.len() <= most.max(200),
            "{most}: {}",
            answer.body.len()
        );
        let text = answer.json().as_str().unwrap().to_owned();
        if text == whole {
            continue;
        }
        let (kept, note) = text.rsplit_once('\n').unwrap_or(("", &text));
        assert!(whole.starts_with(kept), "{text}");
        let lines = kept.lines().count();
        let expected = format!(
            "[cut: {lines} of 100 lines fit into {most} bytes; a larger `max_bytes` shows more]"
        );
        assert_eq!(note, expected);
    }
    let answer = app.get("/api/story?max_bytes=100000").await;
    assert_eq!(answer.json(), json!(whole));
    says(
        &refused(&app, "story", json!({"max_bytes": 100})).await,
        "max_bytes",
    );
}

#[tokio::test]
async fn blocks_that_fit_stay_whole_and_the_others_give_way_to_a_note() {
    let app = serving().await;
    let whole = app.tool("tale", json!({})).await;
    assert_eq!(whole["content"].as_array().unwrap().len(), 3);
    let cut = app.tool("tale", json!({"max_bytes": 1000})).await;
    let blocks = cut["content"].as_array().unwrap();
    assert!(cut["content"].to_string().len() <= 1000, "{cut}");
    assert_eq!(blocks[0], whole["content"][0]);
    let kept = blocks[1]["text"].as_str().unwrap();
    assert!(story().starts_with(kept) && kept.ends_with('\n'), "{kept}");
    let lines = 1 + kept.lines().count();
    let note = blocks[2]["text"].as_str().unwrap();
    assert!(
        note.starts_with(&format!("[cut: {lines} of 101 lines fit")),
        "{note}"
    );
    assert_eq!(blocks.len(), 3);
    let rest: Value = app.get("/api/tale?max_bytes=1000").await.json();
    assert_eq!(rest, cut["content"]);
}

#[tokio::test]
async fn the_setting_cuts_text_for_agents() {
    let app = configured(|it| it.mcp_max_bytes = 600).await;
    let cut = app.tool("story", json!({})).await;
    let text = cut["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("of 100 lines fit into 600 bytes"), "{text}");
    assert_eq!(cut["structuredContent"]["result"], *text);
    assert_eq!(app.get("/api/story").await.json(), json!(story()));
}
