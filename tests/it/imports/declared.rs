//! What an import declares: operations, names, servers; and where its tools answer.

use bifold::testing::Client;
use bifold::{Config, Import, Server};
use serde_json::{Value, json};

use super::{document, echoing, last, names, refusal, started, unreached};

fn many(count: usize) -> Value {
    let paths: serde_json::Map<String, Value> = (0..count)
        .map(|it| {
            (
                format!("/p{it:03}"),
                json!({"get": {"operationId": format!("getP{it}"), "tags": ["things"]}}),
            )
        })
        .collect();
    document(paths.into())
}

#[tokio::test]
async fn only_operations_that_are_allowed_are_imported() {
    let document = document(json!({
        "/pets": {"get": {"operationId": "listPets"}, "post": {"operationId": "addPet"}},
        "/pets/{id}": {"get": {"operationId": "showPet"}, "delete": {}},
    }));
    let import =
        unreached(&document).allow(["listPets", "show_pet", "DELETE /pets/{id}", "listPets"]);
    assert_eq!(
        names(&started(import).await),
        ["list_pets", "show_pet", "delete_pets_by_id"]
    );
    let problem = refusal(unreached(&document).allow(["listPet"])).await;
    assert!(
        problem.contains("it has no operation `listPet`"),
        "{problem}"
    );
    assert!(problem.contains("`listPets`"), "{problem}");
}

#[tokio::test]
async fn a_long_document_needs_a_list_of_what_is_allowed() {
    assert_eq!(names(&started(unreached(&many(40))).await).len(), 40);
    let problem = refusal(unreached(&many(41))).await;
    assert!(
        problem.contains("it has 41 operations, more than 40: name those"),
        "{problem}"
    );
    assert_eq!(
        names(&started(unreached(&many(41)).allow(["getP0"])).await),
        ["get_p0"]
    );
    let all = started(unreached(&many(41)).allow_all()).await;
    let listed = all.mcp().list_tools().await.unwrap();
    let listed: Vec<&str> = listed
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    // Clients are shown a search, and all can be called.
    assert_eq!(listed, ["search_tools", "describe_tool", "call_tool"]);
    assert_eq!(names(&all).len(), 44);
}

#[tokio::test]
async fn every_operation_is_a_route_of_ours() {
    let document = document(json!({"/pets/{id}": {
        "get": {"operationId": "showPet", "parameters": [{"name": "fields", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}}]},
        "put": {"operationId": "putPet", "requestBody": {"content": {"application/json": {"schema": {"type": "object", "properties": {"name": {"type": "string"}}}}}}},
    }}));
    let api = echoing().await;
    let client = super::importing(&document, &api).await;
    let rest = client.rest();
    assert_eq!(
        rest.get("/api/api/show_pet?id=a%2Fb&fields=x&fields=y")
            .await
            .text(),
        r#"{"ok":true}"#
    );
    assert_eq!(super::target(&api), "/pets/a%2Fb?fields=x&fields=y");
    assert_eq!(
        rest.post("/api/api/show_pet", json!({"id": "7"}))
            .await
            .status(),
        200
    );
    assert_eq!(
        rest.post("/api/api/put_pet", json!({"id": "7", "name": "Rex"}))
            .await
            .status(),
        200
    );
    assert_eq!(
        (&*last(&api).method, &*last(&api).body),
        ("PUT", &br#"{"name":"Rex"}"#[..])
    );
    assert_eq!(rest.get("/api/api/put_pet").await.status(), 405);
    let refused = rest
        .post("/api/api/put_pet", json!({"id": "7", "nam": "Rex"}))
        .await;
    assert_eq!(
        (refused.status(), refused.json()["field"].clone()),
        (400, json!("nam"))
    );
    let published = rest.get("/openapi.json").await.json();
    assert!(
        published["paths"].get("/api/api/put_pet").is_some(),
        "{}",
        published["paths"]
    );
}

#[tokio::test]
async fn the_server_of_the_document_is_asked_unless_another_one_is_named() {
    let api = echoing().await;
    let address = api.url("v1");
    let (host, _) = address
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let of = |servers: Value| {
        let mut document = document(json!({"/q": {"get": {"operationId": "it"}}}));
        if !servers.is_null() {
            document["servers"] = servers;
        }
        Import::text(document.to_string()).name("api")
    };
    let templated = json!([{"url": "http://{host}:{port}/{base}", "variables": {
        "host": {"default": "127.0.0.1"}, "port": {"default": "1"}, "base": {"default": "v1", "enum": ["v1", "v2"]},
    }}]);
    let port = host.rsplit_once(':').unwrap().1;
    let imports = [
        (of(json!([{"url": address}])), "/v1/q"),
        (of(templated.clone()).server_variable("port", port), "/v1/q"),
        (
            of(templated.clone())
                .server_variable("port", port)
                .server_variable("base", "v2"),
            "/v2/q",
        ),
        (
            of(json!([{"url": "/v1/"}])).document_url(format!("http://{host}/docs/openapi.json")),
            "/v1/q",
        ),
        (
            of(json!([{"url": "../v1"}])).document_url(format!("http://{host}/docs/openapi.json")),
            "/v1/q",
        ),
        (
            of(Value::Null).document_url(format!("http://{host}/docs/openapi.json")),
            "/q",
        ),
        (
            of(json!([{"url": "https://wrong.example"}])).base_url(format!("http://{host}/v3")),
            "/v3/q",
        ),
    ];
    for (import, expected) in imports {
        started(import).await.call("it", json!({})).await.unwrap();
        assert_eq!(last(&api).path, expected);
    }
    // A setting wins over everything.
    let mut config = Config::default();
    config
        .upstream_urls
        .insert("api".to_owned(), format!("http://{host}/set"));
    let server = Server::new("it", "1.0.0").openapi(of(json!([{"url": "/relative"}])));
    let client = Client::with(config, server).await.unwrap();
    client.call("it", json!({})).await.unwrap();
    assert_eq!(last(&api).path, "/set/q");
    for (import, expected) in [
        (of(json!([{"url": "/v1"}])), "its server `/v1` is relative"),
        (of(Value::Null), "its server `/` is relative"),
        (
            of(templated.clone()).server_variable("base", "v3"),
            "cannot be `v3`",
        ),
        (of(json!([{"url": "https://{x}"}])), "the variable `x`"),
    ] {
        let problem = refusal(import).await;
        assert!(problem.contains(expected), "{problem}");
    }
}

#[tokio::test]
async fn an_operation_may_have_a_server_of_its_own() {
    let (api, uploads) = (echoing().await, echoing().await);
    let document = document(
        json!({"/q": {"get": {"operationId": "it"}}, "/u": {"post": {"operationId": "upload", "servers": [{"url": uploads.url("up")}]}}}),
    );
    let mut own = document;
    own["servers"] = json!([{"url": api.url("api")}]);
    let client = started(Import::text(own.to_string()).name("api")).await;
    client.call("it", json!({})).await.unwrap();
    client.call("upload", json!({})).await.unwrap();
    assert_eq!(
        (last(&api).path, last(&uploads).path),
        ("/api/q".to_owned(), "/up/u".to_owned())
    );
}

#[tokio::test]
async fn two_tools_of_one_name_are_refused_and_a_prefix_helps() {
    let document = document(json!({"/q": {"get": {"operationId": "it"}}}));
    let server = |prefix: &str| {
        let import = |name: &str| unreached(&document).name(name.to_owned());
        Server::new("it", "1.0.0")
            .openapi(import("one"))
            .openapi(import("two").prefix(prefix))
    };
    let problem = Client::start(server("")).await.err().unwrap().to_string();
    assert!(problem.contains("`it`"), "{problem}");
    assert_eq!(
        names(&Client::start(server("two_")).await.unwrap()),
        ["it", "two_it"]
    );
}
