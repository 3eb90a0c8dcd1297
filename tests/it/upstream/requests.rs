//! Requests that a function builds: methods, encoded values, headers, bodies, and how the response is read.

use bifold::testing::{CannedUpstream, upstream};
use bifold::upstream::Upstream;
use bifold::{Context, Kind, Result};
use serde::Serialize;
use serde_json::{Value, json};

use super::{API, app_of, refused_values};

#[tokio::test]
async fn a_request_is_sent_as_it_was_built() {
    let (api, cx) = answering("/v1/{id}/items").await;
    let client = cx.upstream(&API);
    let asked: Value = client
        .get("/v1/{id}/items?fixed=1")
        .path("id", "a b/ä")
        .query("q", "x&y=z")
        .query("page", 3)
        .query("none", None::<u8>)
        .query("tag", ["a", "b"])
        .query("at", format_args!("{}-{}", 1, 2))
        .query("open", true)
        .header("accept-language", "de")
        .json()
        .await
        .unwrap();
    assert_eq!(asked, json!({"ok": true}));
    let received = api.received().remove(0);
    assert_eq!(
        (&*received.method, &*received.path),
        ("GET", "/v1/a%20b%2F%C3%A4/items")
    );
    let query: Vec<(&str, &str)> = received.query.iter().map(|it| (&*it.0, &*it.1)).collect();
    let expected = [
        ("fixed", "1"),
        ("q", "x&y=z"),
        ("page", "3"),
        ("tag", "a"),
        ("tag", "b"),
        ("at", "1-2"),
        ("open", "true"),
    ];
    assert_eq!(query, expected);
    assert_eq!(received.header("accept-language"), Some("de"));
    assert_eq!(received.header("accept"), Some("application/json"));
    assert!(received.header("traceparent").is_some());
}

#[tokio::test]
async fn every_method_sends_its_body_with_its_media_type() {
    #[derive(Serialize)]
    struct Note<'a> {
        text: &'a str,
        tags: [&'a str; 2],
        none: Option<u8>,
    }
    let note = Note {
        text: "a b&c",
        tags: ["x", "y"],
        none: None,
    };
    let (api, cx) = answering("/notes").await;
    let client = cx.upstream(&API);
    for request in [
        client.post("/notes").body(&note),
        client.put("/notes").form(&note),
        client.patch("/notes").bytes_body(vec![0, 255], "image/png"),
        client.delete("/notes"),
        client
            .post("/notes")
            .header("content-type", "application/vnd.note+json")
            .body(&note),
    ] {
        request.json::<Value>().await.unwrap();
    }
    let received: Vec<(String, String, Vec<u8>)> = api
        .received()
        .into_iter()
        .map(|it| {
            let media_type = it.header("content-type").unwrap_or("").to_owned();
            (it.method.clone(), media_type, it.body.to_vec())
        })
        .collect();
    let text = br#"{"text":"a b&c","tags":["x","y"],"none":null}"#;
    let form = "application/x-www-form-urlencoded";
    let expected: [(&str, &str, &[u8]); 5] = [
        ("POST", "application/json", text),
        ("PUT", form, b"tags=x&tags=y&text=a%20b%26c"),
        ("PATCH", "image/png", &[0, 255]),
        ("DELETE", "", b""),
        ("POST", "application/vnd.note+json", text),
    ];
    for (received, expected) in received.iter().zip(expected) {
        let received = (&*received.0, &*received.1, &*received.2);
        match expected.1 == form {
            // The order of the fields means nothing.
            true => assert_eq!(sorted(received.2), sorted(expected.2)),
            false => assert_eq!(received, expected),
        }
    }
}

#[tokio::test]
async fn no_value_leaves_its_segment_or_the_host() {
    let (api, cx) = answering("/a/{it}/b").await;
    let client = cx.upstream(&API);
    for value in [
        "../c",
        "..%2fc",
        "%2e%2e",
        "a?b=c",
        "a#b",
        "@evil.example",
        "//evil.example",
        "\\..",
        "a;b",
        "a\r\nb: c",
        "...",
        "{it}",
        "\u{0}",
        ".a",
    ] {
        let sent = client.get("/a/{it}/b").path("it", value).text().await;
        assert!(sent.is_ok(), "{value:?}: {sent:?}");
        let path = api.received().pop().unwrap().path;
        let segments: Vec<&str> = path.split('/').collect();
        assert_eq!(
            (segments.len(), segments[1], segments[3]),
            (4, "a", "b"),
            "{path}"
        );
        let decoded = percent_encoding::percent_decode_str(segments[2]).decode_utf8();
        assert_eq!(decoded.unwrap(), value);
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_an_error_before_anything_is_sent() {
    let (api, cx) = answering("/x").await;
    let client = cx.upstream(&API);
    let cases = [
        (client.get("/{a}").path("a", ""), Kind::InvalidArgument),
        (client.get("/{a}").path("a", "."), Kind::InvalidArgument),
        (client.get("/{a}/x").path("a", ".."), Kind::InvalidArgument),
        (client.get("/.{a}").path("a", "."), Kind::InvalidArgument),
        (client.get("/%2e{a}").path("a", "."), Kind::InvalidArgument),
        (client.get("/{a}"), Kind::Internal),
        (client.get("/{a").path("a", 1), Kind::Internal),
        (client.get("/x").path("b", 1), Kind::Internal),
        (client.get("x"), Kind::Internal),
        (client.get(".evil.example/x"), Kind::Internal),
        (client.get("@evil.example/x"), Kind::Internal),
        (client.get("/x#y"), Kind::Internal),
        (client.get("/x").query("q", json!({"a": 1})), Kind::Internal),
        (
            client.get("/x").header("x", "a\r\nb: c"),
            Kind::InvalidArgument,
        ),
        (client.get("/x").header("a b", "c"), Kind::Internal),
        (
            client.get("/x").header("host", "evil.example"),
            Kind::Internal,
        ),
        (
            client.get("/x").header("content-length", "1"),
            Kind::Internal,
        ),
        (client.post("/x").form(&"text"), Kind::Internal),
    ];
    for (number, (request, kind)) in cases.into_iter().enumerate() {
        let error = request.json::<Value>().await.err().unwrap();
        assert_eq!(error.kind(), kind, "case {number}: {error}");
    }
    let error = cx
        .get_json::<Value>(&API, ".evil.example")
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind(), Kind::Internal);
    assert_eq!(api.received().len(), 0);
    let other = Upstream::new("other", "https://other.example.com");
    let undeclared = cx.upstream(&other).get("/x").send().await.err().unwrap();
    assert_eq!(undeclared.kind(), Kind::Internal);
}

#[tokio::test]
async fn the_requests_of_every_method_count_for_the_call() {
    let (api, app) = refused_values(async |cx: Context| -> Result<Value> {
        let client = cx.upstream(&API);
        client.post("/x").json::<Value>().await?;
        client.get("/x").json::<Value>().await?;
        client.put("/x").text().await.map(Value::from)
    })
    .await;
    let answer = app.get("/api/ask").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(
        answer.header("server-timing").contains("3 calls"),
        "{}",
        answer.header("server-timing")
    );
    // What was answered to a write is not kept by the caller's cache.
    assert!(
        answer.header("cache-control").contains("max-age=0"),
        "{}",
        answer.header("cache-control")
    );
    assert_eq!(api.received().len(), 3);
}

/// An upstream that answers every method of that path.
async fn answering(path: &str) -> (CannedUpstream, Context) {
    let mut api = upstream("api").on_get(path).json(json!({"ok": true}));
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        api = api.on(method, path).json(json!({"ok": true}));
    }
    let api = api.start().await.unwrap();
    let cx = app_of(&api, API, |_| {}).context();
    (api, cx)
}

fn sorted(form: &[u8]) -> Vec<&[u8]> {
    let mut pairs: Vec<&[u8]> = form.split(|it| *it == b'&').collect();
    pairs.sort_unstable();
    pairs
}
