//! A canned response, correct or faulty.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// A response of the upstream.
#[derive(Clone, Debug)]
pub struct Canned {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Cow<'static, str>,
    fault: Option<Fault>,
}

/// A fault in sending a response.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing is sent.
    Hang,
    /// The connection is closed before the response.
    Reset,
    /// The connection is closed after half of the body.
    Truncate,
    /// The response is sent after this time.
    Delay(Duration),
    /// The second half of the body is sent after this time.
    Slow(Duration),
    /// Bytes are sent that are not HTTP.
    Garbage,
}

impl Canned {
    /// A JSON response with status 200.
    pub fn json(body: impl Into<Cow<'static, str>>) -> Canned {
        Canned::status(200, "application/json", body)
    }

    /// A response with any status and content type; an empty type adds no header.
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

    /// Adds a fault.
    pub fn fault(mut self, fault: Fault) -> Canned {
        self.fault = Some(fault);
        self
    }

    /// The answer to a conditional request: status 304 if `if_none_match` is the response's entity tag.
    pub(super) fn if_modified(self, if_none_match: Option<&str>) -> Canned {
        let tag = self
            .headers
            .iter()
            .find(|it| it.0 == "etag")
            .map(|it| it.1.as_str());
        match if_none_match {
            Some(if_none_match) if tag == Some(if_none_match) => Canned::status(304, "", ""),
            _ => self,
        }
    }

    /// Sends the response; returns false if the connection must be closed.
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
        // A 304 has no body, and its `content-length` would be that of the omitted body.
        if self.status != 304 {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head + "\r\n"
    }
}
