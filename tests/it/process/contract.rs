//! `contract`: what callers rely on, written to a file and compared with it.

use std::io;

use axum::Router;
use bifold::{App, Config, Content, Context, JsonSchema, Result, Server, Tool};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::binary;
use crate::support::on_socket;

/// Runs the command in a folder of its own.
async fn run(arguments: &[&str]) -> (i32, String) {
    let output = binary().args(arguments).output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8(said).unwrap(),
    )
}

pub fn file(name: &str) -> String {
    let folder = std::env::temp_dir().join(format!(
        "bifold-{}-{:x}",
        std::process::id(),
        fastrand::u64(..)
    ));
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(name).to_str().unwrap().to_owned()
}

/// Where the contract of the bundled server is kept.
fn kept() -> String {
    format!(
        "{}/tests/it/snapshots/contract.lock",
        env!("CARGO_MANIFEST_DIR")
    )
}

#[tokio::test]
async fn the_contract_of_the_bundled_server_is_the_committed_one() {
    let path = file("contract.lock");
    let (status, said) = run(&["contract", "write", "--file", &path]).await;
    assert_eq!(status, 0, "{said}");
    let now = std::fs::read_to_string(&path).unwrap();
    if std::env::var_os("BIFOLD_RENEW").is_some_and(|it| it == "1") {
        return std::fs::write(kept(), now).unwrap();
    }
    assert!(
        std::fs::read_to_string(kept()).unwrap() == now,
        "renew it with `BIFOLD_RENEW=1 cargo test --test it process::contract`"
    );
    assert_eq!(
        run(&["contract", "check", "--file", &kept()]).await,
        (0, "callers see no difference\n".to_owned())
    );
}

/// A change of the contract that was kept, what is said of it, and whether it breaks callers.
type Case = (fn(&mut Value), &'static str, bool);

#[tokio::test]
async fn each_change_is_told_with_its_effect_and_the_version_that_it_asks_for() {
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(kept()).unwrap()).unwrap();
    const PRICE: &str = "fetch_last_crypto_token_price";
    // The kept contract is changed, so that the program's own is the newer one.
    let cases: [Case; 14] = [
        (
            |it| drop(it["tools"].as_object_mut().unwrap().remove(PRICE)),
            "compatible: tool `fetch_last_crypto_token_price`: is new",
            false,
        ),
        (
            |it| it["tools"]["gone"] = json!({}),
            "breaks callers: tool `gone`: was removed",
            true,
        ),
        (
            |it| it["resources"]["bifold://gone"] = json!({}),
            "breaks callers: resource `bifold://gone`: was removed",
            true,
        ),
        (
            |it| it["prompts"]["gone"] = json!({}),
            "breaks callers: prompt `gone`: was removed",
            true,
        ),
        (
            |it| {
                it["tools"][PRICE]["arguments"]["properties"]["last_number_of_trades"]["maximum"] =
                    300.into()
            },
            "argument `last_number_of_trades`: maximum 200; was: maximum 300",
            true,
        ),
        (
            |it| {
                it["tools"][PRICE]["arguments"]["properties"]["last_number_of_trades"]["maximum"] =
                    100.into()
            },
            "compatible: tool `fetch_last_crypto_token_price`: argument `last_number_of_trades`: maximum 200; was: maximum 100",
            false,
        ),
        (
            |it| {
                it["tools"][PRICE]["arguments"]["properties"]["last_number_of_trades"]["default"] =
                    5.into()
            },
            "argument `last_number_of_trades`: the default is 1, was 5",
            true,
        ),
        (
            |it| {
                let arguments = &mut it["tools"]["fetch_account_info"]["arguments"];
                arguments["properties"] = json!({});
                arguments["required"] = json!([]);
            },
            "argument `wallet_address`: required; was: optional or absent",
            true,
        ),
        (
            |it| it["tools"][PRICE]["result"]["properties"]["volume"] = json!({"type": "string"}),
            "result `volume`: not described; was: string",
            true,
        ),
        (
            |it| it["tools"][PRICE]["status"] = 201.into(),
            "the status of success is 200, was 201",
            true,
        ),
        (
            |it| it["tools"][PRICE]["scopes"] = json!(["a"]),
            "compatible: tool `fetch_last_crypto_token_price`: the scope `a` was removed",
            false,
        ),
        (
            |it| it["tools"][PRICE]["protocols"] = json!(["mcp", "rest", "grpc"]),
            "the protocol `grpc` was removed",
            true,
        ),
        (
            |it| it["tools"][PRICE]["routes"]["GET /api/old"] = json!({}),
            "the path `GET /api/old` was removed",
            true,
        ),
        (
            |it| it["tools"][PRICE]["description"] = "Other.".into(),
            "description: tool `fetch_last_crypto_token_price`",
            false,
        ),
    ];
    for (change, said, breaks) in cases {
        let mut before = kept.clone();
        change(&mut before);
        let path = file("contract.lock");
        std::fs::write(&path, before.to_string()).unwrap();
        let (status, out) = run(&["contract", "check", "--file", &path]).await;
        assert!(out.contains(said), "{said}: {out}");
        assert_eq!(status == 1, breaks, "{said}: {out}");
        if breaks {
            assert!(
                out.contains("the next version is a minor one, 0.3.0 after 0.2.0"),
                "{out}"
            );
        }
    }
}

#[tokio::test]
async fn a_file_that_is_not_a_contract_is_refused() {
    let path = file("contract.lock");
    for (text, said) in [
        ("{", "EOF"),
        ("{}", "not a contract of this form"),
        ("[1]", "not a contract of this form"),
        (r#"{"contract": 1}"#, "not a contract of this form"),
        (
            r#"{"contract": 1, "tools": [], "resources": {}, "prompts": {}}"#,
            "not a contract of this form",
        ),
        (
            r#"{"contract": 1, "tools": {"a": 1}, "resources": {}, "prompts": {}}"#,
            "not a contract of this form",
        ),
    ] {
        std::fs::write(&path, text).unwrap();
        let (status, out) = run(&["contract", "check", "--file", &path]).await;
        assert!(status == 1 && out.contains(said), "{text}: {status} {out}");
    }
    let (status, out) = run(&["contract", "check", "--file", "/nowhere/contract.lock"]).await;
    assert!(
        status == 1 && out.contains("`/nowhere/contract.lock`"),
        "{out}"
    );
}

/// Greets someone.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Greet {
    /// Whom to greet.
    name: String,
}

/// Greets someone, in a language.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GreetIn {
    /// Whom to greet.
    name: String,
    /// The language.
    language: String,
}

async fn greet(_: Context, Greet { name }: Greet) -> Result<Content> {
    Ok(Content::text(name))
}

async fn greet_in(_: Context, GreetIn { name, language }: GreetIn) -> Result<Content> {
    Ok(Content::text(name + &language))
}

fn greeter(tool: Tool) -> App {
    App::new(
        Config::default(),
        Server::new("greeter", "1.0.0").tool(tool),
    )
    .unwrap()
}

async fn serve(tool: Tool) -> (String, JoinHandle<io::Result<()>>) {
    let (address, serving) = on_socket(&greeter(tool)).await;
    (format!("http://{address}"), serving)
}

/// A server without an OpenAPI document.
async fn only_mcp(tool: Tool) -> (String, JoinHandle<io::Result<()>>) {
    let router = Router::new().route_service("/mcp", greeter(tool));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (
        url,
        tokio::spawn(axum::serve(listener, router).into_future()),
    )
}

#[tokio::test]
async fn two_running_servers_are_compared_by_their_openapi_documents_or_by_mcp() {
    let (one, first) = serve(Tool::new("greet", greet).post("/greet")).await;
    let (two, second) = serve(Tool::new("greet", greet_in).post("/greet")).await;
    let (status, out) = run(&["contract", "diff", &one, &two]).await;
    assert!(
        out.contains(
            "breaks callers: tool `greet`: argument `language`: required; was: optional or absent"
        ),
        "{out}"
    );
    assert!(
        status == 1 && out.contains("major one, 2.0.0 after 1.0.0"),
        "{out}"
    );
    let (status, out) = run(&["contract", "diff", &two, &one]).await;
    assert!(
        status == 1 && out.contains("`language`: no such field; was: a field"),
        "{out}"
    );
    let same = run(&["contract", "diff", &one, &format!("{one}/openapi.json")]).await;
    assert_eq!(same, (0, "callers see no difference\n".to_owned()));
    // Servers that have MCP alone.
    let (old, third) = only_mcp(Tool::new("greet", greet)).await;
    let (new, fourth) = only_mcp(Tool::new("greet", greet_in)).await;
    let (status, out) = run(&["contract", "diff", &format!("{old}/mcp"), &new]).await;
    assert!(
        status == 1 && out.contains("argument `language`: required"),
        "{out}"
    );
    let (status, out) = run(&["contract", "diff", &old, "http://127.0.0.1:1"]).await;
    assert!(status == 1 && out.contains("http://127.0.0.1:1"), "{out}");
    // Of a server with a document and one without, only what MCP says of both is compared.
    let (status, out) = run(&["contract", "diff", &one, &old]).await;
    assert_eq!((status, out.as_str()), (0, "callers see no difference\n"));
    let (status, out) = run(&["contract", "diff", &one, &new]).await;
    assert!(
        status == 1 && out.contains("argument `language`: required") && out.contains("1 break"),
        "{out}"
    );
    for task in [third, fourth] {
        task.abort();
    }
    first.abort();
    second.abort();
}

#[tokio::test]
async fn a_running_server_is_compared_with_a_file_by_what_it_says() {
    let kept = kept();
    let (address, serving) = on_socket(&crate::support::TestApp::start().await.app).await;
    let url = format!("http://{address}");
    // Tools without a path, errors, resources and prompts are not in a document.
    for (before, now) in [(&kept, &url), (&url, &kept)] {
        let same = run(&["contract", "diff", before, now]).await;
        assert_eq!(same, (0, "callers see no difference\n".to_owned()));
    }
    serving.abort();
}

/// A document of a few kilobytes, whose references make 30 to the power of 8 schemas.
#[tokio::test]
async fn a_document_that_repeats_itself_does_not_fill_the_memory() {
    let level = |below: usize| {
        let fields = (0..30).map(|it| {
            let reference = format!("#/components/schemas/S{below}");
            (format!("f{it}"), json!({ "$ref": reference }))
        });
        json!({ "type": "object", "properties": fields.collect::<serde_json::Map<_, _>>() })
    };
    let mut schemas: serde_json::Map<_, _> =
        (0..8).map(|it| (format!("S{it}"), level(it + 1))).collect();
    schemas.insert("S8".to_owned(), json!({ "type": "string" }));
    let content =
        json!({ "application/json": { "schema": { "$ref": "#/components/schemas/S0" } } });
    let document = json!({
        "openapi": "3.1.0",
        "info": { "title": "laughs", "version": "1.0.0" },
        "paths": { "/a": { "get": { "responses": { "200": { "description": "it", "content": content } } } } },
        "components": { "schemas": schemas },
    });
    let answer = axum::routing::get(async move || {
        ([("content-type", "application/json")], document.to_string())
    });
    let router = Router::new().route("/openapi.json", answer);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(axum::serve(listener, router).into_future());
    let same = run(&["contract", "diff", &url, &url]).await;
    assert_eq!(same, (0, "callers see no difference\n".to_owned()));
    serving.abort();
}
