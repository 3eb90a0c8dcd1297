//! Cursors: opaque, and good for one call of one principal only.

use bifold::Key;
use http::Request;
use serde_json::{Value, json};

use super::{both, by_name, configured, refused, says, serving};
use crate::support::TestApp;

/// The cursor of the second page.
async fn cursor_of(app: &TestApp, name: &str, arguments: Value) -> String {
    let page = both(app, name, arguments).await;
    page["next_cursor"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_cursor_goes_with_the_same_arguments_in_any_form() {
    let app = serving().await;
    let cursor = cursor_of(&app, "numbers", json!({"count": 20, "limit": 4})).await;
    for arguments in [
        json!({"cursor": cursor, "count": 20}),
        json!({"cursor": cursor, "count": 20, "limit": 1}),
        json!({"limit": 40, "cursor": cursor, "count": 20, "label": null}),
        json!({"cursor": cursor, "count": 20, "fields": "numbers.value"}),
        json!({"cursor": cursor, "count": 20, "max_bytes": 400}),
    ] {
        let page = both(&app, "numbers", arguments.clone()).await;
        assert_eq!(page["numbers"][0]["value"], 4, "{arguments}");
    }
    let page = app
        .get(&format!("/api/numbers?count=20&cursor={cursor}"))
        .await;
    assert_eq!(page.json()["numbers"][0]["value"], 4);
}

#[tokio::test]
async fn a_cursor_of_another_call_is_refused_on_every_protocol() {
    let app = serving().await;
    let cursor = cursor_of(&app, "numbers", json!({"count": 20, "limit": 4})).await;
    for (name, arguments) in [
        ("others", json!({"count": 20})),
        ("whole", json!({"count": 20})),
        ("numbers", json!({})),
        ("numbers", json!({"count": 21})),
        ("numbers", json!({"count": 20, "label": "x"})),
    ] {
        let mut arguments = arguments;
        arguments["cursor"] = cursor.clone().into();
        let error = refused(&app, name, arguments).await;
        assert!(
            says(&error, "cursor").contains("was not given for this call"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_cursor_that_was_changed_is_refused() {
    let app = serving().await;
    let cursor = cursor_of(&app, "numbers", json!({"limit": 4})).await;
    let mut hostile: Vec<String> = (0..cursor.len())
        .map(|place| {
            let mut bytes = cursor.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            String::from_utf8(bytes).unwrap()
        })
        .collect();
    hostile.extend((1..cursor.len()).map(|length| cursor[..length].to_owned()));
    hostile.extend([
        format!("{cursor}A"),
        format!("{cursor}{cursor}"),
        "A".repeat(2048),
        "0".to_owned(),
        "[4,4]".to_owned(),
        "../../etc/passwd".to_owned(),
        "ü\u{0}\u{202e}".to_owned(),
        // `[4,null]` in base64.
        "WzQsbnVsbF0".to_owned(),
    ]);
    for cursor in hostile {
        let result = app.tool("numbers", json!({"cursor": cursor})).await;
        let error = &result["_meta"]["bifold/error"];
        assert_eq!(error["kind"], "invalid_argument", "{cursor}: {result}");
        assert_eq!(error["field"], "cursor", "{cursor}: {result}");
        assert!(!result.to_string().contains("passwd"), "{result}");
    }
}

#[tokio::test]
async fn a_cursor_tells_nothing_of_the_position() {
    let app = serving().await;
    let cursor = cursor_of(&app, "numbers", json!({"limit": 4})).await;
    use base64::Engine;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(&cursor)
        .unwrap();
    assert!(!bytes.windows(3).any(|it| it == b"0,4"), "{bytes:?}");
    assert!(cursor.len() < 100, "{cursor}");
}

#[tokio::test]
async fn a_cursor_is_good_in_every_process_that_has_the_key() {
    let with = async |keys: &[u8]| {
        let keys = keys.iter().map(|it| Key::new([*it; 32])).collect();
        configured(|it| it.state_keys = keys).await
    };
    let cursor = cursor_of(&with(&[1]).await, "numbers", json!({"limit": 4})).await;
    let next = json!({"cursor": cursor});
    for keys in [&[1][..], &[2, 1]] {
        let page = both(&with(keys).await, "numbers", next.clone()).await;
        assert_eq!(page["numbers"][0]["value"], 4);
    }
    for keys in [&[2][..], &[]] {
        says(
            &refused(&with(keys).await, "numbers", next.clone()).await,
            "cursor",
        );
    }
}

#[tokio::test]
async fn a_cursor_belongs_to_the_principal_that_got_it() {
    let app = by_name().await;
    let page = async |name: Option<&str>, query: &str| {
        let mut request = Request::get(format!("/api/numbers?limit=4{query}"));
        if let Some(name) = name {
            request = request.header("x-name", name);
        }
        app.send(request.body(Default::default()).unwrap()).await
    };
    let cursor = page(Some("ann"), "").await.json()["next_cursor"]
        .as_str()
        .unwrap()
        .to_owned();
    let query = format!("&cursor={cursor}");
    assert_eq!(page(Some("ann"), &query).await.status, 200);
    for other in [Some("bob"), None] {
        let answer = page(other, &query).await;
        assert_eq!(answer.json()["field"], "cursor", "{}", answer.text());
    }
}
