//! The server over both protocols, without a socket.

use bifold::prelude::*;
use bifold::testing::Client;
use {{crate_name}}::server;

#[tokio::test]
async fn people_are_greeted_over_rest_and_mcp() {
    let client = Client::start(server()).await.expect("the registrations are right");
    let response = client.rest().get("/api/greet/Ada").await;
    assert_eq!(response.json(), "Hello, Ada!");
    let result = client.mcp().call("greet", json!({"name": "Ada"})).await.unwrap();
    assert_eq!(result.text(), "Hello, Ada!");
}

#[tokio::test]
async fn an_empty_name_is_refused() {
    let client = Client::start(server()).await.unwrap();
    let error = client.call("greet", json!({"name": ""})).await.unwrap_err();
    assert_eq!(error.field(), Some("name"));
}
