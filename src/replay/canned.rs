//! An answer as it goes over the wire, good or broken.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// One answer of the upstream.
#[derive(Clone, Debug)]
pub struct Canned {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Cow<'static, str>,
    fault: Option<Fault>,
}

/// How an answer goes wrong.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Nothing is ever sent.
    Hang,
    /// The connection is closed before anything is sent.
    Reset,
    /// The connection is closed after half of the body.
    Truncate,
    /// The answer comes late.
    Delay(Duration),
}

impl Canned {
    /// A good answer of type JSON.
    pub fn json(body: impl Into<Cow<'static, str>>) -> Canned {
        Canned::status(200, "application/json", body)
    }

    /// An answer of any status and type; no type where it is empty.
    pub fn status(
        status: u16,
        content_type: &'static str,
        body: impl Into<Cow<'static, str>>,
    ) -> Canned {
        let content_type =
            Some(("content-type", content_type.to_owned())).filter(|it| !it.1.is_empty());
        Canned {
            status,
            headers: content_type.into_iter().collect(),
            body: body.into(),
            fault: None,
        }
    }

    /// Adds a header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Canned {
        self.headers.push((name, value.into()));
        self
    }

    /// Lets the answer go wrong.
    pub fn fault(mut self, fault: Fault) -> Canned {
        self.fault = Some(fault);
        self
    }

    /// Sends it; false where the connection has to end.
    pub(super) async fn send(&self, socket: &mut TcpStream) -> io::Result<bool> {
        match self.fault {
            Some(Fault::Hang) => std::future::pending::<()>().await,
            Some(Fault::Reset) => return Ok(false),
            Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
            Some(Fault::Truncate) | None => {}
        }
        let mut message = format!(
            "HTTP/1.1 {} Recorded\r\ncontent-length: {}\r\n",
            self.status,
            self.body.len()
        );
        for (name, value) in &self.headers {
            message.push_str(&format!("{name}: {value}\r\n"));
        }
        message.push_str("\r\n");
        let is_cut = matches!(self.fault, Some(Fault::Truncate));
        let body = self.body.as_bytes();
        let sent = if is_cut {
            &body[..body.len() / 2]
        } else {
            body
        };
        socket
            .write_all(&[message.as_bytes(), sent].concat())
            .await?;
        Ok(!is_cut)
    }
}
