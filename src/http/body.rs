//! Reads the whole body of a request, within limits of size, time and memory.

use axum::body::{Body, Bytes, HttpBody};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::BodyExt;

use crate::clock::Deadline;
use crate::http::buffers::Held;
use crate::http::refusal::Refusal;

/// The limits of a body.
pub struct Limits {
    /// The largest size in bytes.
    pub bytes: usize,
    /// The end of the call.
    pub deadline: Deadline,
    /// The memory that it counts against.
    pub held: Held,
}

/// Reads the whole body of a request, within its limits.
///
/// # Errors
/// The body is compressed, too large, too slow or broken, or the process has no memory for it.
pub async fn read_body(headers: &HeaderMap, body: Body, limits: Limits) -> Result<Bytes, Refusal> {
    check_encoding(headers)?;
    let read = read(body, limits.bytes, limits.held);
    let read = limits.deadline.timeout(read).await;
    read.unwrap_or_else(|| {
        Err(Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            "request_timeout",
            "the body did not come within the time limit of the call",
        ))
    })
}

/// Refuses encoded bodies, because their decoded size is not known in advance.
fn check_encoding(headers: &HeaderMap) -> Result<(), Refusal> {
    let lines = headers.get_all(CONTENT_ENCODING).iter();
    let mut codings = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let is_identity = |coding: &[u8]| {
        let coding = coding.trim_ascii();
        coding.is_empty() || coding.eq_ignore_ascii_case(b"identity")
    };
    if codings.all(is_identity) {
        return Ok(());
    }
    let refusal = Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_content_encoding",
        "the body must not be compressed: send it without `Content-Encoding`",
    );
    Err(refusal.with(ACCEPT_ENCODING, HeaderValue::from_static("identity")))
}

async fn read(mut body: Body, limit: usize, mut held: Held) -> Result<Bytes, Refusal> {
    // A declared length is checked before the client is asked to send the body (`Expect: 100-continue`).
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large(limit));
    }
    let Some(first) = next(&mut body).await? else {
        return Ok(Bytes::new());
    };
    take(&mut held, 0, &first, limit)?;
    let Some(mut piece) = next(&mut body).await? else {
        return Ok(held.keep(first));
    };
    let mut whole = Vec::from(first);
    loop {
        take(&mut held, whole.len(), &piece, limit)?;
        whole.extend_from_slice(&piece);
        piece = match next(&mut body).await? {
            Some(piece) => piece,
            None => return Ok(held.keep(whole.into())),
        };
    }
}

/// The next chunk of the body; trailers are ignored.
async fn next(body: &mut Body) -> Result<Option<Bytes>, Refusal> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            Refusal::new(
                StatusCode::BAD_REQUEST,
                "bad_request",
                "the body could not be read to its end",
            )
        })?;
        if let Ok(piece) = frame.into_data() {
            return Ok(Some(piece));
        }
    }
    Ok(None)
}

fn take(held: &mut Held, before: usize, piece: &Bytes, limit: usize) -> Result<(), Refusal> {
    if before + piece.len() > limit {
        return Err(too_large(limit));
    }
    held.grow(piece.len()).map_err(|_| {
        Refusal::busy("too many requests are being read: send this one again in a moment")
    })
}

fn too_large(limit: usize) -> Refusal {
    Refusal::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "payload_too_large",
        format!("the body is larger than {limit} bytes"),
    )
}
