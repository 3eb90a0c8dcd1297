//! A fake Lambda platform, and the function that it drives.

mod api;

use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::binary;
use api::{Api, Event};

/// Longer than any step of these tests.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running function and the platform that drives it.
pub struct Platform {
    api: Arc<Api>,
    events: UnboundedSender<Event>,
    posted: UnboundedReceiver<Post>,
    serving: JoinHandle<()>,
    function: Child,
    pub(super) log: Lines<BufReader<ChildStdout>>,
    invocations: usize,
}

/// A post of the function, available as soon as it begins.
#[derive(Debug)]
pub struct Post {
    pub id: String,
    /// `response`, `error`, or `init` for the failure of a start.
    pub kind: String,
    pub headers: HeaderMap,
    pieces: UnboundedReceiver<Piece>,
}

/// A chunk of a post.
#[derive(Debug)]
enum Piece {
    Data(String),
    Trailers(HeaderMap),
}

/// A complete post of the function.
#[derive(Debug)]
pub struct Outcome {
    pub id: String,
    pub kind: String,
    pub body: Value,
}

impl Platform {
    /// Starts the binary as a function over recorded data, with these settings.
    pub async fn start(settings: &[(&str, &str)]) -> Platform {
        let settings = [&[("BIFOLD_REPLAY", "true")], settings].concat();
        Platform::bare(&settings, true).await
    }

    /// Starts it with only these settings, on a platform with or without extensions.
    pub async fn bare(settings: &[(&str, &str)], has_extensions: bool) -> Platform {
        Platform::refusing(settings, has_extensions, 0).await
    }

    /// Starts it likewise, on a platform that refuses the first requests for an event.
    pub async fn refusing(
        settings: &[(&str, &str)],
        has_extensions: bool,
        refusals: usize,
    ) -> Platform {
        let (events, waiting) = unbounded_channel();
        let (sender, posted) = unbounded_channel();
        let is_alone = !settings
            .iter()
            .any(|it| it.0 == "AWS_LAMBDA_MAX_CONCURRENCY");
        let api = Arc::new(Api::new(waiting, sender, is_alone, has_extensions));
        api.refusals.store(refusals, Ordering::SeqCst);
        let router = api.clone().router();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let mut function = binary()
            .env("AWS_LAMBDA_RUNTIME_API", address)
            .env("AWS_LAMBDA_FUNCTION_NAME", "bifold")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .envs(settings.iter().copied())
            .spawn()
            .unwrap();
        let log = BufReader::new(function.stdout.take().unwrap()).lines();
        Platform {
            api,
            events,
            posted,
            serving,
            function,
            log,
            invocations: 0,
        }
    }

    /// Invokes the function with ten seconds left.
    pub async fn invoke(&mut self, event: &Value) -> Outcome {
        self.invoke_until(after(10_000), &event.to_string()).await
    }

    /// Invokes the function with a deadline in milliseconds since 1970.
    pub async fn invoke_until(&mut self, deadline: u128, payload: &str) -> Outcome {
        let id = self.hand_out(deadline, payload);
        let outcome = self.begun().await.whole().await;
        assert_eq!(outcome.id, id);
        outcome
    }

    /// Delivers an event, and returns its id at once.
    pub fn hand_out(&mut self, deadline: u128, payload: &str) -> String {
        self.hand_out_with(Some(deadline), None, payload)
    }

    /// Delivers an event with these headers of the platform, and returns its id at once.
    pub fn hand_out_with(
        &mut self,
        deadline: Option<u128>,
        client_context: Option<&'static str>,
        payload: &str,
    ) -> String {
        self.invocations += 1;
        let id = format!("00000000-0000-4000-8000-{:012}", self.invocations);
        let event = Event {
            id: id.clone(),
            deadline,
            client_context,
            payload: payload.to_owned(),
        };
        self.events.send(event).ok().unwrap();
        id
    }

    /// The next response, as soon as it has begun.
    pub async fn begun(&mut self) -> Post {
        let post = timeout(PATIENCE, self.posted.recv()).await;
        post.expect("the function posts nothing").unwrap()
    }

    /// Disconnects the caller of the running invocation.
    pub fn hang_up(&self) {
        self.api.gone.notify_waiters();
    }

    /// Refuses the next event this many times before it is delivered.
    pub fn refuse(&self, times: usize) {
        self.api.refusals.store(times, Ordering::SeqCst);
    }

    /// The most invocations that ran at once.
    pub fn most_at_once(&self) -> usize {
        self.api.most.load(Ordering::Relaxed)
    }

    /// The number of responses that were running when another event was requested: 0 where invocations run one at a time.
    pub fn overlaps(&self) -> usize {
        self.api.overlaps.load(Ordering::SeqCst)
    }

    /// Waits until the function has registered an extension, which then waits for its next event.
    pub async fn extension(&self) {
        timeout(PATIENCE, self.api.waiting.notified())
            .await
            .unwrap();
    }

    /// Waits until the function has started and its snapshot could be taken.
    pub async fn snapshot(&self) {
        timeout(PATIENCE, self.api.snapshot.notified())
            .await
            .unwrap();
    }

    /// Restores the function from its snapshot.
    pub fn restore(&self) {
        self.api.restored.notify_one();
    }

    /// How often the function has requested an event.
    pub fn requests(&self) -> usize {
        self.api.requests.load(Ordering::SeqCst)
    }

    /// Whether the process is still running.
    pub fn is_running(&mut self) -> bool {
        self.function.try_wait().unwrap().is_none()
    }

    /// Sends the shutdown signal, and returns the exit status and the time until the process ended.
    pub async fn terminate(&mut self) -> (ExitStatus, Duration) {
        let since = Instant::now();
        let kill = format!("kill -TERM {}", self.function.id().unwrap());
        let sent = Command::new("sh").args(["-c", &kill]).status().await;
        assert!(sent.unwrap().success());
        (self.ended().await, since.elapsed())
    }

    /// The exit status of the process.
    pub async fn ended(&mut self) -> ExitStatus {
        let ended = timeout(PATIENCE, self.function.wait()).await;
        ended.expect("the function does not end").unwrap()
    }

    /// Ends the process if it is still running, and returns the rest of its log.
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
        self.serving.abort();
    }
}

impl Post {
    /// The next chunk of the body, as soon as it is sent; `None` at the end.
    pub async fn piece(&mut self) -> Option<String> {
        let piece = timeout(PATIENCE, self.pieces.recv()).await;
        match piece.expect("the answer goes on, and nothing comes")? {
            Piece::Data(text) => Some(text),
            Piece::Trailers(trailers) => panic!("{trailers:?}"),
        }
    }

    /// The complete post: the body and its trailers.
    pub async fn rest(&mut self) -> (String, HeaderMap) {
        let (mut body, mut trailers) = (String::new(), HeaderMap::new());
        while let Some(piece) = timeout(PATIENCE, self.pieces.recv()).await.unwrap() {
            match piece {
                Piece::Data(text) => body += &text,
                Piece::Trailers(end) => trailers = end,
            }
        }
        (body, trailers)
    }

    /// The complete post, which must be a document.
    pub async fn whole(mut self) -> Outcome {
        let (body, trailers) = self.rest().await;
        assert!(trailers.is_empty(), "{trailers:?}");
        Outcome {
            id: self.id,
            kind: self.kind,
            body: serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body:?}")),
        }
    }
}

/// The trace of every invocation.
pub const TRACE: &str = "691c5a003f8e2d1c0b9a87654321fedc";

/// The time this many milliseconds from now, in milliseconds since 1970.
pub fn after(milliseconds: u128) -> u128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_millis() + milliseconds
}
