//! HTTP requests as bytes on a socket of the local server.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Target;
use crate::mutate::Mutator;
use crate::seeds;
use crate::verdict::{self, Verdict};
use crate::world::World;

/// How long the server may be idle before the client closes its side; a truncated input waits for more.
const QUIET: Duration = Duration::from_millis(20);

pub fn target() -> Target {
    Target {
        name: "head",
        width: 64,
        seeds: seeds::heads(),
        generate: Mutator::bytes,
        run,
    }
}

fn run(world: Arc<World>, bytes: Vec<u8>) -> BoxFuture<'static, Verdict> {
    async move {
        let socket = TcpStream::connect(world.address).await;
        let socket = socket.map_err(|error| format!("no connection: {error}"))?;
        judge(&exchange(socket, &bytes).await?)
    }
    .boxed()
}

/// Sends `bytes` and reads until the server closes the connection, which it must do after its client has closed its
/// side.
pub async fn exchange(mut socket: TcpStream, bytes: &[u8]) -> Result<Vec<u8>, String> {
    // Avoids thousands of connections in TIME_WAIT.
    let _ = socket.set_zero_linger();
    let _ = socket.write_all(bytes).await;
    let mut all = Vec::new();
    loop {
        match timeout(QUIET, socket.read_buf(&mut all)).await {
            Ok(Ok(0) | Err(_)) => return Ok(all),
            Ok(Ok(_)) => {}
            Err(_) => break,
        }
    }
    let _ = socket.shutdown().await;
    // A server that refuses a request may also reset the connection.
    let _ = socket.read_to_end(&mut all).await;
    Ok(all)
}

/// Judges a sequence of responses.
fn judge(mut all: &[u8]) -> Verdict {
    while !all.is_empty() {
        let head = head(all).ok_or_else(|| format!("no answer: {}", verdict::shown(all)))?;
        let body = &all[head.length..];
        let size = head.header("content-length").parse().unwrap_or(0);
        // Stops here: chunks are not parsed, frames follow an upgrade, and a response to HEAD has the length of an
        // absent body.
        if head.status == 101 || body.len() < size || !head.header("transfer-encoding").is_empty() {
            return verdict::answer(head.status, "", &[], &[]);
        }
        verdict::answer(head.status, head.header("content-type"), &body[..size], &[])?;
        all = &body[size..];
    }
    Ok(())
}

/// The head of a response.
struct Head<'a> {
    status: u16,
    lines: &'a str,
    length: usize,
}

impl Head<'_> {
    /// The value of a header, or an empty string.
    fn header(&self, name: &str) -> &str {
        let lines = self.lines.lines().filter_map(|line| line.split_once(':'));
        let mut found = lines.filter(|it| it.0.eq_ignore_ascii_case(name));
        found.next().map_or("", |it| it.1.trim())
    }
}

fn head(all: &[u8]) -> Option<Head<'_>> {
    let length = all.windows(4).position(|it| it == b"\r\n\r\n")? + 4;
    let lines = std::str::from_utf8(&all[..length]).ok()?;
    let status = lines.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
    Some(Head {
        status,
        lines,
        length,
    })
}
