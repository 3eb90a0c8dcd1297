//! Files: as parts of a form, as a whole body, and as base64 in JSON on every protocol.

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bifold::{App, Config, Context, JsonSchema, Result, Server, Tool, Upload};
use http::Request;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{post_as, problem, wrong_argument};
use crate::lambda::answer;
use crate::support::{Answer, TestApp};

const BOUNDARY: &str = "multipart/form-data; boundary=XX";

/// Describes files.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Send {
    /// The album.
    album: u32,
    /// The first file.
    file: Upload,
    /// More files.
    #[serde(default)]
    more: Vec<Upload>,
    /// Tags.
    #[serde(default)]
    tags: Vec<String>,
}

/// Describes one file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Put {
    /// The name.
    name: String,
    /// The picture.
    #[schemars(extend("x-media-types" = ["image/*", "text/csv"]))]
    picture: Upload,
}

/// What arrived.
#[derive(Serialize, JsonSchema)]
struct Arrived {
    /// The album or the name.
    title: String,
    /// Each file as a text.
    files: Vec<String>,
    /// The tags.
    tags: Vec<String>,
}

fn shown(file: &Upload) -> String {
    let name = file.filename.as_deref().unwrap_or("-");
    let text = String::from_utf8_lossy(&file.bytes);
    format!("{name} {} {text}", file.media_type)
}

async fn send(_: Context, sent: Send) -> Result<Arrived> {
    let files = std::iter::once(&sent.file).chain(&sent.more);
    Ok(Arrived {
        title: sent.album.to_string(),
        files: files.map(shown).collect(),
        tags: sent.tags,
    })
}

async fn put(_: Context, put: Put) -> Result<Arrived> {
    Ok(Arrived {
        title: put.name,
        files: vec![shown(&put.picture)],
        tags: Vec::new(),
    })
}

fn server() -> Server {
    Server::new("files", "1.0.0").tools(vec![
        Tool::new("send", send).post("/albums/{album}"),
        Tool::new("put", put).put("/pictures/{name}"),
    ])
}

async fn app() -> TestApp {
    TestApp::serving(server()).await
}

/// A form of parts with these headers and contents.
fn form(parts: &[(&str, &str)]) -> String {
    let parts = parts.iter().map(|(headers, content)| {
        format!("--XX\r\nContent-Disposition: form-data; {headers}\r\n\r\n{content}\r\n")
    });
    format!("{}--XX--\r\n", parts.collect::<String>())
}

#[track_caller]
fn assert_json(answer: &Answer, expected: Value) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json(), expected);
}

/// A form with two files, and what must arrive of it.
fn complete() -> (String, Value) {
    let body = form(&[
        ("name=\"tags\"", "a"),
        (
            "name=\"file\"; filename=\"ü.txt\"\r\nContent-Type: text/plain",
            "line\r\n--X\r\nline",
        ),
        ("name=\"more\"; filename=\"b\"", ""),
        ("name=\"tags\"", "b"),
        ("name=\"more\"\r\nContent-Type: image/png", "p"),
    ]);
    let expected = json!({
        "title": "7",
        "files": ["ü.txt text/plain line\r\n--X\r\nline", "b application/octet-stream ", "- image/png p"],
        "tags": ["a", "b"],
    });
    (body, expected)
}

#[tokio::test]
async fn a_form_with_files_fills_the_fields_of_its_parts() {
    let app = app().await;
    let (body, expected) = complete();
    let answer = post_as(&app, "/api/albums/7", BOUNDARY, &body).await;
    assert_json(&answer, expected.clone());
    let by_name = body.replacen(
        "--XX\r\n",
        "--XX\r\nContent-Disposition: form-data; name=\"album\"\r\n\r\n7\r\n--XX\r\n",
        1,
    );
    assert_json(
        &post_as(&app, "/api/send", BOUNDARY, &by_name).await,
        expected,
    );
    let as_json = form(&[
        ("name=\"file\"; filename=\"a\"", "x"),
        (
            "name=\"tags\"\r\nContent-Type: application/json",
            r#"["a","b"]"#,
        ),
    ]);
    let answer = post_as(&app, "/api/albums/7", BOUNDARY, &as_json).await;
    assert_eq!(answer.json()["tags"], json!(["a", "b"]));
}

#[tokio::test]
async fn a_form_with_files_arrives_through_a_lambda_event() {
    let app = app().await;
    let (body, expected) = complete();
    let event = json!({
        "version": "2.0",
        "rawPath": "/api/albums/7",
        "rawQueryString": "",
        "headers": {"content-type": BOUNDARY},
        "requestContext": {"http": {"method": "POST", "path": "/api/albums/7"}},
        "body": STANDARD.encode(body),
        "isBase64Encoded": true,
    });
    let reply = answer(&app, &event).await;
    assert_eq!((reply.status(), reply.json()), (200, expected));
}

#[tokio::test]
async fn a_form_that_is_malformed_is_refused_with_the_place() {
    let app = app().await;
    let file = ("name=\"file\"; filename=\"a\"", "x");
    for (body, field, said) in [
        (String::new() + "--XX\r\n", "$", "part 1"),
        (form(&[file]).replace("--XX--\r\n", ""), "$", "part 1"),
        (
            form(&[file, ("name=\"tags\"", "a")]).replace("--XX--", "--XX"),
            "$",
            "part 3",
        ),
        (form(&[("filename=\"a\"", "x")]), "$", "part 1"),
        (
            form(&[file, ("name=\"other\"", "a")]),
            "other",
            "no such parameter",
        ),
        (
            form(&[file, ("name=\"album\"", "7")]),
            "album",
            "the path, not in the body",
        ),
        (form(&[file, file]), "file", "more than once"),
        (
            form(&[file, ("name=\"tags\"; filename=\"b\"", "a")]),
            "tags[0]",
            "part 2",
        ),
        (
            form(&[
                file,
                ("name=\"tags\"\r\nContent-Type: application/json", "["),
            ]),
            "tags",
            "part 2",
        ),
        (form(&[("name=\"tags\"", "a")]), "file", "missing"),
    ] {
        let answer = post_as(&app, "/api/albums/7", BOUNDARY, &body).await;
        let problem = wrong_argument(&answer, field);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(said), "{body}: {detail}");
    }
    let without = post_as(&app, "/api/albums/7", "multipart/form-data", "x").await;
    let problem = wrong_argument(&without, "$");
    assert!(problem["detail"].as_str().unwrap().contains("boundary"));
}

#[tokio::test]
async fn a_form_of_too_many_parts_or_bytes_is_refused() {
    let app = app().await;
    let many = form(&vec![("name=\"tags\"", "a"); 1001]);
    let answer = post_as(&app, "/api/albums/7", BOUNDARY, &many).await;
    let said = wrong_argument(&answer, "$");
    assert!(said["detail"].as_str().unwrap().contains("1000 parts"));
    let mut config = Config::default();
    config.max_request_bytes = 64;
    let small = TestApp::of(App::new(config, server()).unwrap()).await;
    let answer = post_as(&small, "/api/albums/7", BOUNDARY, &complete().0).await;
    problem(&answer, 413, "payload_too_large");
}

#[tokio::test]
async fn a_file_may_be_the_whole_body() {
    let app = app().await;
    for (kind, status) in [
        ("application/octet-stream", 200),
        ("image/png", 200),
        ("Image/PNG; charset=x", 200),
        ("text/csv", 200),
        ("text/plain", 415),
        ("", 415),
    ] {
        let request = Request::put("/api/pictures/cat").header("content-type", kind);
        let request = request.body(Body::from("bytes")).unwrap();
        let answer = app.send(request).await;
        assert_eq!(answer.status, status, "{kind}");
        if status == 200 {
            let kind = kind.split(';').next().unwrap().to_ascii_lowercase();
            let expected =
                json!({"title": "cat", "files": [format!("- {kind} bytes")], "tags": []});
            assert_json(&answer, expected);
        } else {
            let problem = problem(&answer, 415, "unsupported_media_type");
            let detail = problem["detail"].as_str().unwrap();
            for taken in ["multipart/form-data", "application/octet-stream", "image/*"] {
                assert!(detail.contains(taken), "{detail}");
            }
        }
    }
    // Beside other fields in the body, a file cannot be all of it.
    let answer = post_as(&app, "/api/albums/7", "application/octet-stream", "x").await;
    problem(&answer, 415, "unsupported_media_type");
}

#[tokio::test]
async fn in_json_a_file_is_base64_on_every_protocol() {
    let app = app().await;
    let file = json!({"filename": "a", "media_type": "text/plain", "data": STANDARD.encode("x")});
    let arguments = json!({"album": 7, "file": file, "more": [{"data": ""}]});
    let expected = json!({
        "title": "7",
        "files": ["a text/plain x", "- application/octet-stream "],
        "tags": [],
    });
    let by_name = app.post("/api/send", arguments.to_string()).await;
    assert_json(&by_name, expected.clone());
    let result = app.tool("send", arguments).await;
    assert_eq!(result["structuredContent"], expected);
    let wrong = json!({"album": 7, "file": {"data": "?"}});
    let answer = app.post("/api/send", wrong.to_string()).await;
    let said = problem(&answer, 400, "invalid_argument");
    assert!(
        said["detail"].as_str().unwrap().contains("base64"),
        "{said}"
    );
}

#[tokio::test]
async fn the_document_lists_every_type_of_a_body() {
    let app = app().await;
    let document = app.get("/openapi.json").await.json();
    let content = |path: &str, method: &str| {
        let body = &document["paths"][path][method]["requestBody"];
        body["content"].as_object().unwrap().clone()
    };
    let pictures = content("/api/pictures/{name}", "put");
    let kinds: Vec<&str> = pictures.keys().map(String::as_str).collect();
    let expected = [
        "application/json",
        "application/octet-stream",
        "image/*",
        "multipart/form-data",
        "text/csv",
    ];
    assert_eq!(kinds, expected);
    let albums = content("/api/albums/{album}", "post");
    assert!(!albums.contains_key("application/octet-stream"));
    let properties = &albums["multipart/form-data"]["schema"]["properties"];
    assert_eq!(properties["file"]["format"], "binary");
    assert_eq!(properties["more"]["items"]["format"], "binary");
    assert!(properties.get("album").is_none());
    let json = &albums["application/json"]["schema"]["properties"];
    assert_eq!(
        json["file"]["properties"]["data"]["contentEncoding"],
        "base64"
    );
    assert!(!document.to_string().contains("x-media-types"));
}
