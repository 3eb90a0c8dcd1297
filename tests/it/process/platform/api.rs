//! The Runtime and Extensions APIs on loopback, which deliver events and accept the responses.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, Notify};

use super::{Piece, Post};

/// One invocation, as `next` delivers it.
#[derive(Clone)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) deadline: Option<u128>,
    pub(super) client_context: Option<&'static str>,
    pub(super) payload: String,
}

/// What the function is served, and what became of it.
pub(super) struct Api {
    events: Mutex<UnboundedReceiver<Event>>,
    posted: UnboundedSender<Post>,
    /// Responses that have begun and not ended.
    open: AtomicUsize,
    /// The number of them that were running when another event was requested.
    pub(super) overlaps: AtomicUsize,
    /// The most invocations that ran at once, from delivery to response.
    running: AtomicUsize,
    pub(super) most: AtomicUsize,
    /// Signals the poster that the caller has disconnected.
    pub(super) gone: Notify,
    has_extensions: bool,
    /// How often the next event is refused before it is delivered.
    pub(super) refusals: AtomicUsize,
    /// Extensions that wait for their next event.
    pub(super) waiting: Notify,
    /// The running invocation, where one runs at a time: it is delivered until it is answered.
    current: std::sync::Mutex<Option<Event>>,
    is_alone: bool,
    /// How often an event was requested.
    pub(super) requests: AtomicUsize,
    /// A function that has started and waits to be restored, and the signal that it is.
    pub(super) snapshot: Notify,
    pub(super) restored: Notify,
}

impl Api {
    /// A platform with nothing to refuse, on which one function runs at a time if `is_alone`.
    pub(super) fn new(
        events: UnboundedReceiver<Event>,
        posted: UnboundedSender<Post>,
        is_alone: bool,
        has_extensions: bool,
    ) -> Api {
        Api {
            events: Mutex::new(events),
            posted,
            open: AtomicUsize::new(0),
            overlaps: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            gone: Notify::new(),
            has_extensions,
            refusals: AtomicUsize::new(0),
            waiting: Notify::new(),
            current: std::sync::Mutex::new(None),
            is_alone,
            requests: AtomicUsize::new(0),
            snapshot: Notify::new(),
            restored: Notify::new(),
        }
    }

    pub(super) fn router(self: Arc<Api>) -> Router {
        Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{kind}", post(take))
            .route("/2018-06-01/runtime/init/error", post(init))
            .route("/2018-06-01/runtime/restore/next", get(restore))
            .route("/2020-01-01/extension/register", post(register))
            .route("/2020-01-01/extension/event/next", get(extension))
            .with_state(self)
    }
}

/// Waits for an event, as the platform does between invocations.
async fn next(State(api): State<Arc<Api>>) -> http::Response<Body> {
    let refuse = |left: usize| left.checked_sub(1);
    let left = api
        .refusals
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, refuse);
    if left.is_ok() {
        let refusal = http::Response::builder().status(StatusCode::INTERNAL_SERVER_ERROR);
        return refusal.body(Body::empty()).unwrap();
    }
    api.overlaps
        .fetch_add(api.open.load(Ordering::SeqCst), Ordering::SeqCst);
    api.requests.fetch_add(1, Ordering::SeqCst);
    let current = api.current.lock().unwrap().clone();
    if let Some(event) = current {
        return delivery(event);
    }
    let event = api.events.lock().await.recv().await;
    let Some(event) = event else {
        return std::future::pending().await;
    };
    if api.is_alone {
        *api.current.lock().unwrap() = Some(event.clone());
    }
    let running = api.running.fetch_add(1, Ordering::SeqCst) + 1;
    api.most.fetch_max(running, Ordering::SeqCst);
    delivery(event)
}

/// An event as the response to a request for it.
fn delivery(event: Event) -> http::Response<Body> {
    let mut response = http::Response::builder();
    if let Some(deadline) = event.deadline {
        response = response.header("lambda-runtime-deadline-ms", deadline.to_string());
    }
    if let Some(context) = event.client_context {
        response = response.header("lambda-runtime-client-context", context);
    }
    response
        .header(
            "lambda-runtime-invocation-id",
            format!("attempt of {}", event.id),
        )
        .header("lambda-runtime-aws-request-id", event.id)
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

/// Reads a response chunk by chunk, until its caller disconnects.
async fn take(
    State(api): State<Arc<Api>>,
    Path((id, kind)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> StatusCode {
    assert_eq!(
        headers["lambda-runtime-invocation-id"],
        format!("attempt of {id}")
    );
    *api.current.lock().unwrap() = None;
    api.open.fetch_add(1, Ordering::SeqCst);
    let status = forward(&api, id, kind, headers, body).await;
    api.open.fetch_sub(1, Ordering::SeqCst);
    api.running.fetch_sub(1, Ordering::SeqCst);
    status
}

async fn init(State(api): State<Arc<Api>>, headers: HeaderMap, body: Body) -> StatusCode {
    forward(&api, String::new(), "init".to_owned(), headers, body).await
}

async fn forward(
    api: &Api,
    id: String,
    kind: String,
    headers: HeaderMap,
    mut body: Body,
) -> StatusCode {
    let (sender, pieces) = unbounded_channel();
    let post = Post {
        id,
        kind,
        headers,
        pieces,
    };
    // The receiver is dropped only where the test has ended.
    let _ = api.posted.send(post);
    loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            () = api.gone.notified() => return StatusCode::GONE,
        };
        let piece = match frame {
            None => return StatusCode::ACCEPTED,
            Some(Err(_)) => return StatusCode::BAD_REQUEST,
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => Piece::Data(String::from_utf8(data.into()).unwrap()),
                Err(frame) => Piece::Trailers(frame.into_trailers().unwrap()),
            },
        };
        let _ = sender.send(piece);
    }
}

/// Waits until the test restores the function.
async fn restore(State(api): State<Arc<Api>>) {
    api.snapshot.notify_one();
    api.restored.notified().await;
}

async fn register(State(api): State<Arc<Api>>, headers: HeaderMap) -> http::Response<Body> {
    assert!(headers.contains_key("lambda-extension-name"));
    let response = http::Response::builder();
    let response = match api.has_extensions {
        true => response.header("lambda-extension-identifier", "the one"),
        false => response.status(StatusCode::NOT_FOUND),
    };
    response.body(Body::empty()).unwrap()
}

async fn extension(State(api): State<Arc<Api>>, headers: HeaderMap) {
    assert_eq!(headers["lambda-extension-identifier"], "the one");
    api.waiting.notify_one();
    std::future::pending().await
}
