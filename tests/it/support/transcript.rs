//! Records the exchanges at `/mcp` for an external validator: one line of JSON each, in the file `BIFOLD_TRANSCRIPT`.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use serde_json::json;

/// One exchange, written when both of its bodies have been read or dropped.
pub struct Exchange {
    file: OsString,
    version: String,
    content_type: String,
    request: Vec<u8>,
    response: Vec<u8>,
}

pub type Shared = Arc<Mutex<Exchange>>;

/// The request, with its exchange if it is recorded.
pub fn heard(request: Request<Body>) -> (Request<Body>, Option<Shared>) {
    let file = std::env::var_os("BIFOLD_TRANSCRIPT");
    let Some(file) = file.filter(|_| request.uri().path() == "/mcp") else {
        return (request, None);
    };
    let exchange = Arc::new(Mutex::new(Exchange {
        file,
        version: header(request.headers(), "mcp-protocol-version"),
        content_type: String::new(),
        request: Vec::new(),
        response: Vec::new(),
    }));
    let request = request.map(|body| tapped(body, &exchange, |it| &mut it.request));
    (request, Some(exchange))
}

/// The response to a request of that exchange.
pub fn said(response: Response<Body>, exchange: Option<Shared>) -> Response<Body> {
    let Some(exchange) = exchange else {
        return response;
    };
    exchange.lock().unwrap().content_type = header(response.headers(), "content-type");
    response.map(|body| tapped(body, &exchange, |it| &mut it.response))
}

/// Records the bytes of a body as they are read.
fn tapped(body: Body, exchange: &Shared, place: fn(&mut Exchange) -> &mut Vec<u8>) -> Body {
    let exchange = exchange.clone();
    Body::new(body.map_frame(move |frame| {
        if let Some(bytes) = frame.data_ref() {
            place(&mut exchange.lock().unwrap()).extend_from_slice(bytes);
        }
        frame
    }))
}

fn header(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).map(|value| value.as_bytes());
    String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let line = json!({
            "version": self.version,
            "type": self.content_type,
            "request": String::from_utf8_lossy(&self.request),
            "response": String::from_utf8_lossy(&self.response),
        });
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.file);
        // The tests run in threads, and each single write appends at the current end of the file.
        file.unwrap()
            .write_all(format!("{line}\n").as_bytes())
            .unwrap();
    }
}
