//! Well-behaved clients, which must get correct answers in time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use crate::Failure;
use crate::cases::{Case, result};
use crate::scene::{Connection, Scene};

/// The pause between two calls of one client.
const PAUSE: Duration = Duration::from_millis(50);

/// The maximum time of an answer without an upstream request, with one, and with several.
const AT_ONCE: Duration = Duration::from_secs(2);
const ASKING: Duration = Duration::from_secs(12);
const AGGREGATE: Duration = Duration::from_secs(15);

/// How often a call may be refused with `Retry-After`; the time limits include all attempts.
const REFUSALS: usize = 3;

/// The results of the honest clients; clones share them.
#[derive(Clone, Default)]
pub struct Results(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    good: u64,
    again: u64,
    slowest: [(Duration, String); 3],
    bad: Vec<String>,
}

impl Results {
    fn add(&self, name: &str, limit: Duration, took: Duration, problem: Option<String>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let class = [AT_ONCE, ASKING, AGGREGATE]
            .iter()
            .position(|it| *it == limit);
        let slowest = &mut seen.slowest[class.unwrap_or(0)];
        if took > slowest.0 {
            *slowest = (took, name.to_owned());
        }
        let late = || (took > limit).then(|| format!("{took:?}, the limit is {limit:?}"));
        match problem.or_else(late) {
            None => seen.good += 1,
            Some(problem) => seen.bad.push(format!("{name}: {problem}")),
        }
    }

    fn again(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).again += 1;
    }

    /// Prints the results, and returns the first wrong or late answers.
    pub fn report(&self) -> Vec<String> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        println!(
            "honest: {} good, {} refused with Retry-After, {} wrong or late; slowest without upstream {:?}, with one request {:?}, \
             with several {:?}",
            seen.good,
            seen.again,
            seen.bad.len(),
            seen.slowest[0],
            seen.slowest[1],
            seen.slowest[2],
        );
        seen.bad.iter().take(5).cloned().collect()
    }
}

fn limit(case: &Case) -> Duration {
    match case.targets.len() {
        0 => AT_ONCE,
        1 => ASKING,
        _ => AGGREGATE,
    }
}

/// Calls one function after the other over REST and MCP, on a reused or a new connection.
pub async fn call(scene: Scene, cases: Arc<Vec<Case>>, results: Results, caller: usize) {
    let mut kept = None;
    let mut turn = caller;
    while scene.is_running() {
        turn += 7;
        let case = &cases[turn % cases.len()];
        let (since, limit) = (Instant::now(), limit(case));
        let line = kept.take().filter(|_| turn.is_multiple_of(3));
        let asked = ask(&scene, line, case, turn, &results);
        let asked = tokio::time::timeout(limit + AT_ONCE, asked).await;
        let problem = match asked {
            Ok(Ok(line)) => {
                kept = Some(line);
                None
            }
            Ok(Err(problem)) => Some(problem.to_string()),
            Err(_) => Some("no answer".to_owned()),
        };
        results.add(&case.path, limit, since.elapsed(), problem);
        tokio::time::sleep(PAUSE).await;
    }
}

/// # Errors
/// The answer is wrong.
async fn ask(
    scene: &Scene,
    line: Option<Connection>,
    case: &Case,
    turn: usize,
    results: &Results,
) -> Result<Connection, Failure> {
    let mut line = match line {
        Some(line) => line,
        None => scene.connection().await?,
    };
    let is_mcp = turn.is_multiple_of(2) && case.on_mcp;
    for _ in 0..REFUSALS {
        let answer = match is_mcp {
            true => line.post(&case.message(turn as u64)).await?,
            false => line.get(&case.path).await?,
        };
        if let (503, Some(seconds)) = (answer.status, answer.retry_after) {
            results.again();
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            line = scene.connection().await?;
            continue;
        }
        let body: Value = serde_json::from_slice(&answer.body)?;
        let (status, body) = match is_mcp {
            true => result(body),
            false => (answer.status, body),
        };
        return match status == 200 && body == case.expected {
            true => Ok(line),
            false => Err(format!("{status} {}", shown(&body)).into()),
        };
    }
    Err("refused too often".into())
}

/// Calls one function after the other over one WebSocket.
pub async fn call_on_websocket(scene: Scene, cases: Arc<Vec<Case>>, results: Results) {
    let mut turn = 0;
    while scene.is_running() {
        if let Err(problem) = frames(&scene, &cases, &results, &mut turn).await {
            results.add(
                "websocket",
                AT_ONCE,
                Duration::ZERO,
                Some(problem.to_string()),
            );
            tokio::time::sleep(AT_ONCE).await;
        }
    }
}

async fn frames(
    scene: &Scene,
    cases: &[Case],
    results: &Results,
    turn: &mut usize,
) -> Result<(), Failure> {
    let connecting = tokio_tungstenite::client_async("ws://localhost/ws", scene.connect().await?);
    let (mut socket, _) = connecting.await?;
    while scene.is_running() {
        *turn += 5;
        let case = &cases[*turn % cases.len()];
        if !case.on_mcp {
            continue;
        }
        let (since, limit) = (Instant::now(), limit(case));
        let message = case.message(*turn as u64).to_string();
        socket.send(Message::text(message)).await?;
        let text = loop {
            let next = tokio::time::timeout(limit + AT_ONCE, socket.next()).await?;
            match next.ok_or("closed")?? {
                Message::Text(text) => break text,
                Message::Close(frame) => return Err(format!("closed: {frame:?}").into()),
                _ => {}
            }
        };
        let (status, body) = result(serde_json::from_str(&text)?);
        let is_good = status == 200 && body == case.expected;
        let problem = (!is_good).then(|| format!("over WebSocket: {status} {}", shown(&body)));
        results.add(&case.name, limit, since.elapsed(), problem);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// Requests `/health` on a new connection, as a load balancer does.
pub async fn check_health(scene: Scene, results: Results) {
    while scene.is_running() {
        let since = Instant::now();
        let asked = async { scene.connection().await?.get("/health").await };
        let problem = match tokio::time::timeout(AT_ONCE * 2, asked).await {
            Ok(Ok(answer)) if answer.status == 200 => None,
            Ok(Ok(answer)) => Some(format!("status {}", answer.status)),
            Ok(Err(problem)) => Some(problem.to_string()),
            Err(_) => Some("no answer".to_owned()),
        };
        results.add("/health", AT_ONCE, since.elapsed(), problem);
        tokio::time::sleep(PAUSE).await;
    }
}

fn shown(body: &Value) -> String {
    body.to_string().chars().take(300).collect()
}
