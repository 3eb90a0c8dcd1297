//! A request that a canned upstream has received, for the assertions of a test.

use std::io;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpStream;

/// The largest body.
const MAX_BYTES: usize = 64 << 20;

/// A request that a canned upstream has received.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Received {
    /// The method.
    pub method: String,
    /// The path after the base URL, percent-encoded as it was sent.
    pub path: String,
    /// The parameters of the query in order, decoded.
    pub query: Vec<(String, String)>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The path and the query as they were sent, with the name of the upstream.
    pub(super) target: String,
}

impl Received {
    /// The value of a parameter of the query.
    pub fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|it| it.0 == name);
        found.map(|it| it.1.as_str())
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body, decoded as JSON.
    ///
    /// # Errors
    /// The body is not such JSON.
    pub fn json<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_slice(&self.body)
    }

    /// Reads the next request; `None` at the end of the connection. Its path is what follows `prefix`.
    pub(super) async fn read(
        socket: &mut BufReader<TcpStream>,
        prefix: &str,
    ) -> io::Result<Option<Received>> {
        let mut line = String::new();
        if socket.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let mut words = line.split(' ');
        let method = words.next().unwrap_or_default().to_owned();
        let target = words.next().unwrap_or("/").to_owned();
        let headers = read_headers(socket).await?;
        let body = read_body(socket, &headers).await?;
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let path = path.strip_prefix(prefix).unwrap_or(path).to_owned();
        Ok(Some(Received {
            method,
            path,
            query: pairs(query),
            headers,
            body,
            target,
        }))
    }
}

async fn read_headers(socket: &mut BufReader<TcpStream>) -> io::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    loop {
        let mut line = String::new();
        if socket.read_line(&mut line).await? <= 2 {
            return Ok(headers);
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        let name = HeaderName::from_bytes(name.trim().as_bytes());
        let value = HeaderValue::from_str(value.trim());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
}

async fn read_body(socket: &mut BufReader<TcpStream>, headers: &HeaderMap) -> io::Result<Bytes> {
    let text = |name| headers.get(name).and_then(|it| it.to_str().ok());
    let mut body = Vec::new();
    if text(TRANSFER_ENCODING).is_some_and(|it| it.eq_ignore_ascii_case("chunked")) {
        loop {
            let mut line = String::new();
            socket.read_line(&mut line).await?;
            let size = usize::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
            read_part(socket, &mut body, size).await?;
            socket.read_line(&mut line).await?;
            if size == 0 {
                return Ok(body.into());
            }
        }
    }
    let length = text(CONTENT_LENGTH).and_then(|it| it.parse().ok());
    read_part(socket, &mut body, length.unwrap_or(0)).await?;
    Ok(body.into())
}

async fn read_part(
    socket: &mut BufReader<TcpStream>,
    body: &mut Vec<u8>,
    size: usize,
) -> io::Result<()> {
    let start = body.len();
    if size > MAX_BYTES - start.min(MAX_BYTES) {
        return Err(io::Error::other("the body is too large for a test"));
    }
    body.resize(start + size, 0);
    socket.read_exact(&mut body[start..]).await?;
    Ok(())
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    let pairs = query.split('&').filter(|it| !it.is_empty());
    pairs
        .map(|it| it.split_once('=').unwrap_or((it, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}
