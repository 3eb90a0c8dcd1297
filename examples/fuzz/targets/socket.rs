//! Bytes on a WebSocket of the local server: frames of every kind, valid and invalid.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Target, head};
use crate::mutate::Mutator;
use crate::seeds;
use crate::verdict::{self, Verdict};
use crate::world::World;

const UPGRADE: &[u8] =
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// The first byte of a frame: text, binary, close, ping, pong, fragments, and reserved values.
const KINDS: [u8; 10] = [0x81, 0x82, 0x88, 0x89, 0x8a, 0x01, 0x00, 0x80, 0x83, 0xc1];

pub fn target() -> Target {
    Target {
        name: "websocket_frame",
        width: 64,
        seeds: seeds::rpc(),
        generate,
        run,
    }
}

/// Some frames, mostly texts with a message, sometimes with mutated bytes.
fn generate(mutator: &mut Mutator, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut all = Vec::new();
    for _ in 0..mutator.0.usize(1..4) {
        let kind = match mutator.once_in(3) {
            true => *mutator.pick(&KINDS),
            false => KINDS[0],
        };
        let mut message = mutator.json(seeds);
        if kind & 0x08 != 0 && !mutator.once_in(8) {
            message.truncate(125);
        }
        push(&mut all, kind, &message);
    }
    match mutator.once_in(3) {
        true => mutator.bytes(&[all]),
        false => all,
    }
}

/// Appends a frame. Its mask is zero, so that mutated bytes of the input are mutated bytes of the message.
fn push(all: &mut Vec<u8>, kind: u8, message: &[u8]) {
    let length = message.len();
    all.push(kind);
    match length {
        0..=125 => all.push(0x80 | length as u8),
        126..=0xffff => {
            all.push(0x80 | 126);
            all.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            all.push(0x80 | 127);
            all.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    all.extend_from_slice(&[0; 4]);
    all.extend_from_slice(message);
}

fn run(world: Arc<World>, frames: Vec<u8>) -> BoxFuture<'static, Verdict> {
    async move {
        let socket = TcpStream::connect(world.address).await;
        let mut socket = socket.map_err(|error| format!("no connection: {error}"))?;
        let upgraded = upgrade(&mut socket).await;
        upgraded.map_err(|error| format!("no upgrade: {error}"))?;
        judge(&head::exchange(socket, &frames).await?)
    }
    .boxed()
}

async fn upgrade(socket: &mut TcpStream) -> std::io::Result<()> {
    socket.write_all(UPGRADE).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await?);
    }
    match head.starts_with(b"HTTP/1.1 101 ") {
        true => Ok(()),
        false => Err(std::io::Error::other(verdict::shown(&head))),
    }
}

/// Judges the frames of the server; the last one may be incomplete, because its client has closed the connection.
fn judge(mut all: &[u8]) -> Verdict {
    while let Some((kind, message, rest)) = frame(all) {
        match kind {
            0x81 => verdict::document(message)?,
            0x88..=0x8a => {}
            _ => return Err(format!("a frame that begins with {kind:#x}")),
        }
        all = rest;
    }
    Ok(())
}

/// The first frame if it is complete: its first byte, its message, and the rest.
fn frame(all: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[kind, short], rest) = all.split_first_chunk()?;
    let (length, rest) = match short {
        126 => {
            let (length, rest) = rest.split_first_chunk()?;
            (u16::from_be_bytes(*length).into(), rest)
        }
        127 => {
            let (length, rest) = rest.split_first_chunk()?;
            (u64::from_be_bytes(*length), rest)
        }
        _ => (short.into(), rest),
    };
    let (message, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some((kind, message, rest))
}
