//! The page to which a browser returns after a login: a port of this machine, open for one code.

use std::collections::BTreeMap;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::super::report::clean;
use super::discovery::Issuer;
use crate::cli::Failure;
use crate::clock::Deadline;

/// How long a person has to sign in.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long one browser has to send its request.
const REQUEST_TIME: Duration = Duration::from_secs(5);
/// The most bytes of a request that are read.
const MAX_REQUEST: usize = 16 << 10;

/// A listener on this machine.
pub(super) struct Redirect {
    listener: TcpListener,
    url: String,
}

impl Redirect {
    pub(super) async fn listen() -> Result<Redirect, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let url = format!("http://127.0.0.1:{port}/callback");
        Ok(Redirect { listener, url })
    }

    /// Its URL.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Waits for the code of the login that began with `state`. A request with another state changes nothing.
    ///
    /// # Errors
    /// The authorization server refuses, another one answers, or nothing comes in time.
    pub(super) async fn code(&self, state: &str, issuer: &Issuer) -> Result<String, Failure> {
        let end = Deadline::after(PATIENCE);
        loop {
            let accepted = end.timeout(self.listener.accept()).await;
            let (mut socket, _) = accepted.ok_or("no login came back within 5 minutes")??;
            let target = Deadline::after(REQUEST_TIME)
                .timeout(target(&mut socket))
                .await;
            let Some(Some(target)) = target else {
                continue;
            };
            let fields = fields(&target);
            let field = |name: &str| fields.get(name).map(String::as_str);
            if !target.starts_with("/callback?") || field("state") != Some(state) {
                say(
                    &mut socket,
                    "404 Not Found",
                    "This page belongs to another login.",
                )
                .await;
                continue;
            }
            let found = code(field, issuer);
            let text = match &found {
                Ok(_) => "You are signed in. You can close this page.",
                Err(_) => "The login failed. The terminal says why.",
            };
            say(&mut socket, "200 OK", text).await;
            return found;
        }
    }
}

fn code<'a>(field: impl Fn(&str) -> Option<&'a str>, issuer: &Issuer) -> Result<String, Failure> {
    let named = field("iss");
    if named.is_some_and(|it| it != issuer.id) || (issuer.names_itself && named.is_none()) {
        return Err(format!("the answer to the login does not come from `{}`", issuer.id).into());
    }
    if let Some(error) = field("error") {
        let about = field("error_description").unwrap_or("");
        return Err(clean(&format!(
            "the authorization server refused: {error} {about}"
        ))
        .into());
    }
    let code = field("code").filter(|it| !it.is_empty());
    Ok(code
        .ok_or("the authorization server answered without a code")?
        .to_owned())
}

/// The target of a request, once its head is complete.
async fn target(socket: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.windows(4).any(|it| it == b"\r\n\r\n") {
        if head.len() > MAX_REQUEST || socket.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let head = String::from_utf8(head).ok()?;
    let line = head.lines().next()?;
    Some(line.strip_prefix("GET ")?.split(' ').next()?.to_owned())
}

fn fields(target: &str) -> BTreeMap<String, String> {
    let query = target.split_once('?').map_or("", |it| it.1);
    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    let pairs = query.split('&').filter_map(|it| it.split_once('='));
    pairs
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

async fn say(socket: &mut TcpStream, status: &str, text: &str) {
    let response = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{text}",
        text.len()
    );
    // A browser that has gone needs no page.
    let _ = socket.write_all(response.as_bytes()).await;
    let _ = socket.shutdown().await;
}
