//! The document of the bundled server, imported into another one: function for function it answers the same bytes.

use bifold::testing::Client;
use bifold::{Config, Import, Server};
use serde_json::{Value, json};

use crate::support::TestApp;

/// Arguments that are in the recorded data.
const KNOWN: [(&str, &str); 5] = [
    ("token_pair", "HASH-USD"),
    ("height", "1"),
    (
        "operator_address",
        "pbvaloper1qyqszqgpqyqszqgpqyqszqgpqyqszqgp52xtp6",
    ),
    (
        "tx_hash",
        "E26475835422235396AC4A72AB55B4320F5D8F0F5DD88AD73F69026C7BA8DA8C",
    ),
    ("amount", "1"),
];

/// Arguments for functions that need some.
fn arguments_for(parameters: &Value, required: &Value) -> Value {
    let mut arguments = serde_json::Map::new();
    for name in required
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        let schema = &parameters[name];
        let known = KNOWN.iter().find(|it| it.0 == name);
        let value = match schema["type"].as_str() {
            _ if known.is_some() => json!(known.map(|it| it.1)),
            _ if schema["enum"].is_array() => schema["enum"][0].clone(),
            Some("string") if name.contains("address") || name.contains("wallet") => {
                json!("pb1c9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvmk8")
            }
            Some("string") => json!("nhash"),
            Some("integer" | "number") => json!(1),
            Some("array") => json!([]),
            _ => json!({}),
        };
        arguments.insert(name.to_owned(), value);
    }
    arguments.into()
}

#[tokio::test]
async fn the_own_document_imports_into_itself_and_answers_the_same_bytes() {
    let bundled = TestApp::start().await;
    let (address, serving) = crate::support::on_socket(&bundled.app).await;
    let document = String::from_utf8(bundled.app.openapi().to_vec()).unwrap();
    let import = Import::text(document)
        .name("own")
        .base_url(format!("http://{address}"))
        .allow_all();
    let client = Client::with(
        Config::default(),
        Server::new("it", "1.0.0").openapi(import),
    )
    .await
    .unwrap();
    let original = Client::of(bundled.app.clone());
    let registry = bundled.app.registry();
    let imported = client.app().registry();
    let mut failed = Vec::new();
    for tool in registry.tools().iter().filter(|it| it.on_rest()) {
        let schema = tool.arguments();
        let arguments = arguments_for(&schema["properties"], &schema["required"]);
        let theirs = original
            .rest()
            .post(&format!("/api/{}", tool.name()), &arguments)
            .await;
        // One function is imported for each of its paths: `GET` with a query, and `POST` with a body.
        let post = format!("{}_post", tool.name());
        let all = [tool.name(), &post];
        let own: Vec<_> = all.into_iter().filter_map(|it| imported.get(it)).collect();
        assert!(!own.is_empty(), "`{}` is not imported", tool.name());
        let mut same = 0;
        for own in own {
            let ours = client
                .rest()
                .post(&format!("/api/own/{}", own.name()), &arguments)
                .await;
            let required = own.arguments()["required"].take();
            let mut required = required
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            if theirs.status() != 200 {
                assert!(ours.status() >= 400, "{}", own.name());
            } else if required.all(|it| arguments.get(it).is_some()) {
                assert_eq!(
                    (ours.status(), ours.text()),
                    (200, theirs.text()),
                    "{}",
                    own.name()
                );
                same += 1;
            }
        }
        if same == 0 {
            failed.push(tool.name());
        }
    }
    assert_eq!(failed, [] as [&str; 0]);
    serving.abort();
}
