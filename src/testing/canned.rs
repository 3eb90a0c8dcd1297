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
#[non_exhaustive]
pub enum Fault {
    /// Nothing is ever sent.
    Hang,
    /// The connection is closed before anything is sent.
    Reset,
    /// The connection is closed after half of the body.
    Truncate,
    /// The answer comes late.
    Delay(Duration),
    /// The second half of the body comes late.
    Slow(Duration),
    /// What comes is no HTTP.
    Garbage,
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

    /// The answer to one who knows the one with that tag: no more than that it is still good.
    pub(super) fn unless(self, known: Option<&str>) -> Canned {
        let tag = self
            .headers
            .iter()
            .find(|it| it.0 == "etag")
            .map(|it| it.1.as_str());
        match known {
            Some(known) if tag == Some(known) => Canned::status(304, "", ""),
            _ => self,
        }
    }

    /// Sends it; false where the connection has to end.
    pub(super) async fn send(&self, socket: &mut TcpStream) -> io::Result<bool> {
        match self.fault {
            Some(Fault::Hang) => std::future::pending::<()>().await,
            Some(Fault::Reset) => return Ok(false),
            Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
            Some(Fault::Garbage) => {
                socket
                    .write_all(b"\x16\x03\x01 what is this?\r\n\r\n")
                    .await?;
                return Ok(false);
            }
            Some(Fault::Truncate | Fault::Slow(_)) | None => {}
        }
        let body = self.body.as_bytes();
        let (first, second) = body.split_at(body.len() / 2);
        match self.fault {
            Some(Fault::Truncate) => {
                socket
                    .write_all(&[self.head().as_bytes(), first].concat())
                    .await?;
                return Ok(false);
            }
            Some(Fault::Slow(time)) => {
                socket
                    .write_all(&[self.head().as_bytes(), first].concat())
                    .await?;
                tokio::time::sleep(time).await;
                socket.write_all(second).await?;
            }
            _ => {
                socket
                    .write_all(&[self.head().as_bytes(), body].concat())
                    .await?
            }
        }
        Ok(true)
    }

    fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {} Recorded\r\n", self.status);
        // A 304 has no body, and its length would be that of the body it leaves out.
        if self.status != 304 {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head + "\r\n"
    }
}
