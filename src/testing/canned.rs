//! A canned response, correct or faulty.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// A response of the upstream.
#[derive(Clone, Debug)]
pub struct Canned {
    pub(super) status: u16,
    headers: Vec<(Cow<'static, str>, String)>,
    body: Bytes,
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
        let body = match body.into() {
            Cow::Borrowed(text) => Bytes::from_static(text.as_bytes()),
            Cow::Owned(text) => Bytes::from(text),
        };
        Canned::bytes(content_type, body).with_status(status)
    }

    /// A response with status 200 and any body; an empty type adds no header.
    pub fn bytes(content_type: &'static str, body: impl Into<Bytes>) -> Canned {
        let canned = Canned {
            status: 200,
            headers: Vec::new(),
            body: body.into(),
            fault: None,
        };
        match content_type {
            "" => canned,
            content_type => canned.header("content-type", content_type),
        }
    }

    /// Changes the status.
    pub fn with_status(mut self, status: u16) -> Canned {
        self.status = status;
        self
    }

    /// The same response with another body of that type.
    pub(super) fn with_body(mut self, content_type: &'static str, body: Bytes) -> Canned {
        self.body = body;
        self.headers.retain(|it| it.0 != "content-type");
        self.header("content-type", content_type)
    }

    /// Adds a header.
    pub fn header(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
    ) -> Canned {
        self.headers.push((name.into(), value.into()));
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
        let body = &*self.body;
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
        // These have no body, and the `content-length` of a 304 would be that of the omitted body.
        if !matches!(self.status, 204 | 304) {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head + "\r\n"
    }
}
