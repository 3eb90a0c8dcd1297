//! Bodies that are compressed.

use http::{Request, StatusCode};
use serde_json::json;

use crate::lambda::{answer, changed};
use crate::support::{TestApp, modern};

/// Content codings that are refused, each a list of header lines.
const REFUSED: [&[&str]; 6] = [
    &["gzip"],
    &["GZip"],
    &["identity, br"],
    &["identity", "deflate"],
    &["gzip", "gzip"],
    &["no-such-coding"],
];

#[tokio::test]
async fn a_compressed_body_is_refused_with_the_accepted_encodings() {
    let app = TestApp::start().await;
    for lines in REFUSED {
        for path in ["/mcp", "/api/get_registry_summary"] {
            let mut request = Request::post(path).header("content-type", "application/json");
            for line in lines {
                request = request.header("content-encoding", *line);
            }
            let answer = app.send(request.body("{}".into()).unwrap()).await;
            assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path}");
            assert_eq!(answer.header("accept-encoding"), "identity");
            let body = answer.json();
            match path {
                "/mcp" => assert_eq!(body["error"]["code"], -32600, "{body}"),
                _ => assert_eq!(
                    body["type"],
                    "urn:bifold:problem:unsupported_content_encoding"
                ),
            }
        }
    }
}

#[tokio::test]
async fn a_body_with_the_identity_encoding_is_accepted() {
    let app = TestApp::start().await;
    for line in ["identity", "Identity", " , identity ,", ""] {
        let mut request = modern("tools/list", json!({}));
        let line = line.parse().unwrap();
        request.headers_mut().insert("content-encoding", line);
        assert_eq!(app.send(request).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn every_integration_refuses_a_compressed_body() {
    let app = TestApp::start().await;
    for (name, place) in [
        ("function_url_mcp", "/headers/content-encoding"),
        ("rest_api_mcp", "/multiValueHeaders/Content-Encoding"),
    ] {
        let value = match name {
            "rest_api_mcp" => json!(["gzip"]),
            _ => json!("gzip"),
        };
        let reply = answer(&app, &changed(name, &[(place, value)])).await;
        assert_eq!(reply.status(), 415, "{name}: {}", reply.0);
        assert_eq!(reply.header("accept-encoding"), "identity", "{name}");
        assert_eq!(reply.json()["error"]["code"], -32600, "{name}");
    }
}
