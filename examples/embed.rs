//! Functions beside the routes and layers of an axum application, locally and on Lambda.
//!
//! ```sh
//! cargo run --example embed
//! curl http://127.0.0.1:8787/visits
//! curl --request POST --header 'authorization: Bearer let me in' http://127.0.0.1:8787/api/visits/add
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bifold::axum::extract::Request;
use bifold::axum::middleware::{Next, from_fn};
use bifold::axum::response::{IntoResponse, Response};
use bifold::axum::{Router, routing::get};
use bifold::http::StatusCode;
use bifold::http::header::AUTHORIZATION;
use bifold::prelude::*;

/// What the function and the page share.
#[derive(Clone, Default)]
struct Visits(Arc<AtomicU64>);

/// Counts one more visit.
async fn add_visit(cx: Context) -> Result<u64> {
    let Visits(visits) = cx.state()?;
    Ok(visits.fetch_add(1, Ordering::Relaxed) + 1)
}

/// A page of one's own, which is not a function: agents do not see it.
async fn page(cx: Context) -> Result<String, StatusCode> {
    let Visits(visits) = cx.state().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(format!("{} visits\n", visits.load(Ordering::Relaxed)))
}

/// Guards every path but the page: MCP and REST alike.
async fn guard(request: Request, next: Next) -> Response {
    let is_open = request.uri().path() == "/visits";
    let token = request.headers().get(AUTHORIZATION);
    match is_open || token.is_some_and(|it| it == "Bearer let me in") {
        true => next.run(request).await,
        false => StatusCode::UNAUTHORIZED.into_response(),
    }
}

fn server() -> Server {
    let add = Tool::new("add_visit", add_visit).describe("Counts one more visit.");
    Server::new("visits", "1.0.0")
        .state(Visits::default())
        .routes(Router::new().route("/visits", get(page)))
        .layer(from_fn(guard))
        .tool(add.post("/visits/add"))
}

fn main() -> ExitCode {
    bifold::main(server)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bifold::testing::Client;

    #[tokio::test]
    async fn the_page_shows_what_the_function_counts() {
        let client = Client::start(server())
            .await
            .expect("the registrations are right");
        let rest = client.rest().header("authorization", "Bearer let me in");
        assert_eq!(rest.post("/api/visits/add", json!({})).await.json(), 1);
        let mcp = client.mcp().header("authorization", "Bearer let me in");
        let result = mcp.call("add_visit", json!({})).await.unwrap();
        assert_eq!(result.structured(), Some(&json!({"result": 2})));
        assert_eq!(rest.get("/visits").await.text(), "2 visits\n");
    }

    #[tokio::test]
    async fn nothing_but_the_page_is_open() {
        let rest = Client::start(server()).await.unwrap().rest();
        assert_eq!(rest.get("/visits").await.status(), 200);
        for path in ["/api/visits/add", "/mcp"] {
            assert_eq!(rest.post(path, json!({})).await.status(), 401, "{path}");
        }
    }
}
