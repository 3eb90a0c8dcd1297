//! Who calls: tokens, API keys, scopes and rate limits, on every protocol.

mod attacks;
mod discovery;
mod documents;
mod handles;
pub mod issuer;
mod keys;
mod lists;
mod matrix;
mod outage;
mod principals;
mod rates;
mod secret_keys;
mod shared_rates;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use bifold::{
    App, Config, Content, Context, JsonSchema, Principal, RequestInfo, Result, Server, Tool, batch,
};
use http::{HeaderMap, Request};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{Answer, modern, serve};

use issuer::Issuer;

/// The URL under which clients know the server.
pub const PUBLIC: &str = "https://notes.example";

/// Does something with notes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// How often any function has run.
#[derive(Clone, Default)]
pub struct Runs(Arc<AtomicUsize>);

impl Runs {
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

async fn run(cx: Context, Nothing {}: Nothing) -> Result<Content> {
    cx.state::<Runs>()?.0.fetch_add(1, Ordering::SeqCst);
    Ok(Content::text("done"))
}

async fn whoami(cx: Context, Nothing {}: Nothing) -> Result<Content> {
    let scopes: Vec<&str> = cx
        .principal()
        .into_iter()
        .flat_map(Principal::scopes)
        .collect();
    let id = cx.principal().map_or("nobody", Principal::id);
    Ok(Content::text(format!("{id} [{}]", scopes.join(" "))))
}

fn tool(name: &'static str) -> Tool {
    Tool::new(name, run).get(format!("/{name}"))
}

/// A server with guarded functions, and no public one.
pub fn closed() -> (Server, Runs) {
    let runs = Runs::default();
    let tools = vec![
        tool("read").scopes(&["notes:read"]),
        tool("write").scopes(&["notes:write"]),
        tool("any"),
        Tool::new("whoami", whoami).get("/whoami"),
        batch::tool(),
    ];
    let server = Server::new("notes", "1.0.0").tools(tools);
    (server.state(runs.clone()), runs)
}

/// The same with a public function.
pub fn open() -> (Server, Runs) {
    let (server, runs) = closed();
    (server.tools(vec![tool("open").public()]), runs)
}

/// An application with these variables.
pub fn app(server: Server, variables: &[(&str, &str)]) -> App {
    App::new(config(variables), server).unwrap()
}

pub fn config(variables: &[(&str, &str)]) -> Config {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::from_vars(variables, &[]).unwrap()
}

/// An application that takes tokens of that issuer.
pub fn trusting(server: Server, issuer: &Issuer) -> App {
    let settings = [
        ("BIFOLD_AUTH_ISSUER", issuer.url()),
        ("BIFOLD_PUBLIC_URL", PUBLIC),
    ];
    app(server, &settings)
}

/// The head of a request with that token.
pub fn bearer(token: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    headers
}

/// `POST /mcp` with a call of the function.
pub fn call(name: &str, arguments: Value) -> Request<Body> {
    modern("tools/call", json!({"name": name, "arguments": arguments}))
}

pub fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

/// The answer to a request with these headers beside its own.
pub async fn ask(app: &App, mut request: Request<Body>, headers: &HeaderMap) -> Answer {
    request.headers_mut().extend(headers.clone());
    Answer::read(serve(app, request, RequestInfo::default()).await).await
}

/// The text of a result of a function that answers with content.
pub fn text(answer: &Answer) -> String {
    let json = answer.json();
    let content = json
        .pointer("/result/content/0/text")
        .or(json.pointer("/content/0/text"));
    let content = content.or(json.pointer("/0/text"));
    content
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{json}"))
        .to_owned()
}
