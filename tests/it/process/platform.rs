//! A stand-in for the Lambda platform: the Runtime API on loopback, which hands out events and takes the answers.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use http::StatusCode;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdout};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use super::binary;

/// A running function and the platform that drives it.
pub struct Platform {
    events: UnboundedSender<Event>,
    results: UnboundedReceiver<Outcome>,
    api: JoinHandle<()>,
    function: Child,
    log: Lines<BufReader<ChildStdout>>,
    invocations: usize,
}

/// One invocation, as `next` hands it out.
struct Event {
    id: String,
    deadline: u128,
    payload: String,
}

/// What the function posted: where, and the body.
#[derive(Debug)]
pub struct Outcome {
    pub id: String,
    /// `response` or `error`.
    pub kind: String,
    pub body: Value,
}

struct Api {
    events: Mutex<UnboundedReceiver<Event>>,
    results: UnboundedSender<Outcome>,
}

impl Platform {
    /// Starts the binary as a function over recorded data, with these settings.
    pub async fn start(settings: &[(&str, &str)]) -> Platform {
        let (events, waiting) = unbounded_channel();
        let (posted, results) = unbounded_channel();
        let api = Arc::new(Api {
            events: Mutex::new(waiting),
            results: posted,
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{kind}", post(take))
            .with_state(api);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let api = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let mut function = binary()
            .env("AWS_LAMBDA_RUNTIME_API", address)
            .env("AWS_LAMBDA_FUNCTION_NAME", "bifold")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("BIFOLD_REPLAY", "true")
            .envs(settings.iter().copied())
            .spawn()
            .unwrap();
        let log = BufReader::new(function.stdout.take().unwrap()).lines();
        Platform {
            events,
            results,
            api,
            function,
            log,
            invocations: 0,
        }
    }

    /// Invokes the function with ten seconds to go.
    pub async fn invoke(&mut self, event: &Value) -> Outcome {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        self.invoke_until(now.as_millis() + 10_000, &event.to_string())
            .await
    }

    /// Invokes the function with a deadline in milliseconds since 1970.
    pub async fn invoke_until(&mut self, deadline: u128, payload: &str) -> Outcome {
        self.invocations += 1;
        let id = format!("00000000-0000-4000-8000-{:012}", self.invocations);
        let event = Event {
            id: id.clone(),
            deadline,
            payload: payload.to_owned(),
        };
        self.events.send(event).ok().unwrap();
        let outcome = self.results.recv().await.unwrap();
        assert_eq!(outcome.id, id);
        outcome
    }

    /// The next line that the function wrote to its log, which must be JSON.
    pub async fn line(&mut self) -> Value {
        let line = self.log.next_line().await.unwrap().unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// Whether the process is still there.
    pub fn is_running(&mut self) -> bool {
        self.function.try_wait().unwrap().is_none()
    }

    /// Ends the process and returns the rest of its log.
    pub async fn stop(mut self) -> Vec<String> {
        self.function.kill().await.unwrap();
        let mut rest = Vec::new();
        while let Some(line) = self.log.next_line().await.unwrap() {
            rest.push(line);
        }
        rest
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.api.abort();
    }
}

/// Waits for an event, as the platform does while nobody calls.
async fn next(State(api): State<Arc<Api>>) -> http::Response<axum::body::Body> {
    let event = api.events.lock().await.recv().await;
    let Some(event) = event else {
        return std::future::pending().await;
    };
    http::Response::builder()
        .header("lambda-runtime-aws-request-id", event.id)
        .header("lambda-runtime-deadline-ms", event.deadline.to_string())
        .header(
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-west-2:123456789012:function:bifold",
        )
        .header(
            "lambda-runtime-trace-id",
            "Root=1-691c5a00-3f8e2d1c0b9a87654321fedc",
        )
        .body(event.payload.into())
        .unwrap()
}

async fn take(
    State(api): State<Arc<Api>>,
    Path((id, kind)): Path<(String, String)>,
    body: axum::body::Bytes,
) -> StatusCode {
    let body = serde_json::from_slice(&body).unwrap();
    api.results.send(Outcome { id, kind, body }).unwrap();
    StatusCode::ACCEPTED
}
