//! Results inside other requests: batches, functions that call functions, WebSocket messages, Lambda events, programs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::server::{IMAGE, serving};
use crate::lambda::{answer, changed};
use crate::support::{MODERN, meta, on_socket};

#[tokio::test]
async fn a_batch_has_each_result_as_rest_would_or_as_blocks() {
    let app = serving().await;
    let image = json!([{"type": "image", "mimeType": "image/png", "data": STANDARD.encode(IMAGE)}]);
    let expected = [
        ("text", json!("say \"hi\"\n")),
        ("list", json!([1, 2])),
        ("none", json!(null)),
        ("object", json!({"id": 7})),
        ("made", json!({"id": 7})),
        ("nothing", json!(null)),
        ("image", image),
        ("content", json!([{"type": "text", "text": "blocks"}])),
    ];
    let calls: Vec<Value> = expected.iter().map(|it| json!({"name": it.0})).collect();
    let calls = json!({ "calls": calls });
    let rest = app.post("/api/batch", calls.to_string()).await.json();
    let mcp = app.tool("call_many", calls).await["structuredContent"].take();
    for report in [rest, mcp] {
        assert_eq!(report["failed"], 0, "{report}");
        for (item, (name, expected)) in report["results"].as_array().unwrap().iter().zip(&expected)
        {
            assert_eq!(item["result"], *expected, "{name}");
        }
    }
}

#[tokio::test]
async fn a_function_may_answer_with_what_another_one_did() {
    let app = serving().await;
    for name in [
        "text", "list", "object", "made", "nothing", "image", "report", "content",
    ] {
        let relayed = json!({"name": name});
        let (own, other) = (
            app.tool(name, json!({})).await,
            app.tool("relay", relayed).await,
        );
        assert_eq!(own, other, "{name}");
        let own = app.get(&format!("/api/{name}")).await;
        let other = app.get(&format!("/api/relay?name={name}")).await;
        assert_eq!((own.status, own.body), (other.status, other.body), "{name}");
        for header in ["content-type", "location", "content-disposition"] {
            assert_eq!(
                own.headers.get(header),
                other.headers.get(header),
                "{name}: {header}"
            );
        }
    }
}

#[tokio::test]
async fn a_websocket_message_has_the_result_of_an_http_request() {
    let app = serving().await;
    let (address, serving) = on_socket(&app.app).await;
    let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{address}/ws"))
        .await
        .unwrap();
    for name in ["text", "list", "object", "nothing", "image", "archive"] {
        let params = json!({"name": name, "arguments": {}, "_meta": meta(MODERN)});
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        socket.send(Message::text(call.to_string())).await.unwrap();
        let said = socket.next().await.unwrap().unwrap();
        let said: Value = serde_json::from_str(said.to_text().unwrap()).unwrap();
        let expected = app.tool(name, json!({})).await;
        assert_eq!(said["result"]["content"], expected["content"], "{name}");
        assert_eq!(
            said["result"]["structuredContent"], expected["structuredContent"],
            "{name}"
        );
    }
    serving.abort();
}

#[tokio::test]
async fn a_lambda_event_has_bytes_in_base64_and_the_status_of_the_result() {
    let app = serving().await;
    let get = |name: &str, integration: &str, place: &str| {
        let nothing = [
            ("/rawQueryString", json!("")),
            ("/queryStringParameters", Value::Null),
            ("/multiValueQueryStringParameters", Value::Null),
            (place, json!(format!("/api/{name}"))),
        ];
        changed(integration, &nothing)
    };
    for (integration, place) in [
        ("function_url_rest", "/rawPath"),
        ("rest_api_rest", "/path"),
    ] {
        for name in ["text", "object", "made", "nothing", "image", "report"] {
            let reply = answer(&app, &get(name, integration, place)).await;
            let direct = app.get(&format!("/api/{name}")).await;
            assert_eq!(reply.status(), u64::from(direct.status.as_u16()), "{name}");
            for header in ["content-type", "location", "content-disposition"] {
                assert_eq!(
                    reply.header(header),
                    direct.header(header),
                    "{name}: {header}"
                );
            }
            let body = reply.0["body"].as_str().unwrap();
            let body = match name {
                "image" => {
                    assert_eq!(reply.0["isBase64Encoded"], true);
                    STANDARD.decode(body).unwrap()
                }
                _ => reply.text().as_bytes().to_vec(),
            };
            assert_eq!(body, direct.body, "{integration} {name}");
        }
    }
}

#[tokio::test]
async fn a_program_reads_what_the_function_returned() {
    let app = serving().await.app;
    let of = async |name: &str| app.invoke(name, "{}").await.unwrap();
    let text = of("text").await;
    assert_eq!(
        (text.json().get(), &*text.text()),
        (r#""say \"hi\"\n""#, "say \"hi\"\n")
    );
    let made = of("made").await;
    assert_eq!(
        (made.status(), made.location()),
        (201, Some("/api/notes/7%20%C3%BC"))
    );
    assert_eq!(&*made.text(), r#"{"id":7}"#);
    let nothing = of("nothing").await;
    assert!(nothing.is_nothing() && nothing.status() == 204);
    let image = of("image").await;
    let bytes = image.bytes().unwrap();
    assert_eq!(
        (&**bytes.content(), bytes.media_type(), bytes.name()),
        (IMAGE, "image/png", Some("x.png"))
    );
    assert!(image.is_content() && text.bytes().is_none());
}
