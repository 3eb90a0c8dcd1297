//! Turns an HTTP response into the format that the event's integration reads: one JSON document, or a head and a stream.

use std::convert::Infallible;
use std::pin::pin;

use axum::body::{Body, Bytes};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream::{self, StreamExt};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Response};
use http_body_util::StreamBody;
use hyper::body::Frame;
use serde::Serialize;
use tracing::warn;

use crate::context::escape;
use crate::lambda::events::integration::Integration;
use crate::lambda::events::response_head::ResponseHead;
use crate::lambda::events::stream::{Cutoff, chunks};
use crate::lambda::runtime::failure::Failure;

/// Separates the head of a streamed response from its body.
const DELIMITER: &[u8] = &[0; 8];

/// The trailers that report the failure of a streamed response to the platform.
pub(crate) const ERROR_TYPE: &str = "lambda-runtime-function-error-type";
pub(crate) const ERROR_BODY: &str = "lambda-runtime-function-error-body";

/// The response to one event, as it is posted to the platform.
#[derive(Debug)]
pub struct EventResponse {
    body: Body,
    is_streamed: bool,
}

impl EventResponse {
    /// The response to an invocation whose caller needs no content.
    pub(crate) fn empty() -> EventResponse {
        EventResponse {
            body: Body::from("null"),
            is_streamed: false,
        }
    }

    /// The response as one document, once its body is complete.
    ///
    /// # Errors
    /// The body failed. The body of an event stream never fails: it reports the failure in its last event.
    pub(crate) async fn buffered(
        integration: Integration,
        response: Response<Body>,
        end: Cutoff,
    ) -> Result<EventResponse, Failure> {
        let (parts, body) = response.into_parts();
        let is_events = is_events(&parts.headers);
        let mut chunks = pin!(chunks(body, end, is_events));
        let mut body = Vec::new();
        while let Some(chunk) = chunks.next().await {
            match chunk {
                Ok(chunk) => body.extend_from_slice(&chunk),
                Err(failure) => {
                    log(&parts.headers, &failure);
                    if !is_events {
                        return Err(failure);
                    }
                }
            }
        }
        let (body, is_base64_encoded) = match String::from_utf8(body) {
            Ok(text) => (text, false),
            Err(binary) => (STANDARD.encode(binary.as_bytes()), true),
        };
        let head = json(&ResponseHead::new(integration, &parts));
        let document = document(head, &body, is_base64_encoded);
        Ok(EventResponse {
            body: Body::from(document),
            is_streamed: false,
        })
    }

    /// The response as a head and the chunks of its body, each sent as soon as it is ready. Chunks that are ready together
    /// leave in one write, so a complete body costs no more than a document. Head and delimiter are separate chunks because
    /// `cargo lambda watch` expects them so.
    pub(crate) fn streamed(
        integration: Integration,
        response: Response<Body>,
        end: Cutoff,
    ) -> EventResponse {
        let (parts, body) = response.into_parts();
        let head = [
            Bytes::from(json(&ResponseHead::new(integration, &parts))),
            Bytes::from_static(DELIMITER),
        ];
        let chunks = chunks(body, end, is_events(&parts.headers));
        let body = chunks.map(move |chunk| match chunk {
            Ok(chunk) => Frame::data(chunk),
            Err(failure) => {
                log(&parts.headers, &failure);
                Frame::trailers(trailers(&failure))
            }
        });
        let frames = stream::iter(head).map(Frame::data).chain(body);
        EventResponse {
            body: Body::new(StreamBody::new(frames.map(Ok::<_, Infallible>))),
            is_streamed: true,
        }
    }

    /// A response that is this document.
    pub(crate) fn document(value: &impl Serialize) -> EventResponse {
        EventResponse {
            body: Body::from(json(value)),
            is_streamed: false,
        }
    }

    /// Whether the response is a head and a stream.
    pub fn is_streamed(&self) -> bool {
        self.is_streamed
    }

    /// The body that is posted to the Runtime API. Reading a stream runs the call; dropping it ends the call.
    pub fn into_body(self) -> Body {
        self.body
    }
}

/// The answer as one document: what its head says, and its body.
fn document(mut head: Vec<u8>, body: &str, is_base64_encoded: bool) -> Vec<u8> {
    // The brace that ends the object.
    head.pop();
    head.reserve(body.len() + body.len() / 4 + 64);
    head.extend_from_slice(b",\"body\":");
    escape::string(&mut head, body);
    head.extend_from_slice(b",\"isBase64Encoded\":");
    head.extend_from_slice(if is_base64_encoded {
        b"true}"
    } else {
        b"false}"
    });
    head
}

fn is_events(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

fn trailers(failure: &Failure) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert(ERROR_TYPE, failure.category());
    // Base64 uses only characters that a header may have.
    if let Ok(body) = HeaderValue::try_from(STANDARD.encode(json(failure))) {
        trailers.insert(ERROR_BODY, body);
    }
    trailers
}

fn log(headers: &HeaderMap, failure: &Failure) {
    let request_id = headers.get("x-request-id").and_then(|id| id.to_str().ok());
    warn!(
        request_id,
        error = failure.kind(),
        "a response was cut short"
    );
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("strings and numbers are JSON")
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use http_body_util::BodyExt;
    use serde_json::{Value, json};

    use super::*;
    use crate::clock::Deadline;
    use crate::lambda::runtime::shutdown::Shutdown;

    fn far() -> Cutoff {
        let deadline = Deadline::after(std::time::Duration::from_secs(60));
        Cutoff::new(deadline, Shutdown::never())
    }

    fn with_body(body: Body) -> Response<Body> {
        Response::builder()
            .status(404)
            .header("content-type", "image/png")
            .header("content-length", "3")
            .header("vary", "origin")
            .header("vary", "accept")
            .header("set-cookie", "a=1, 2")
            .header("set-cookie", "b=3")
            .body(body)
            .unwrap()
    }

    async fn whole(integration: Integration, body: &[u8]) -> Value {
        let response =
            EventResponse::buffered(integration, with_body(Body::from(body.to_vec())), far()).await;
        let document = to_bytes(response.unwrap().into_body(), usize::MAX)
            .await
            .unwrap();
        serde_json::from_slice(&document).unwrap()
    }

    #[tokio::test]
    async fn each_door_has_its_own_fields() {
        let one = json!({"content-type": "image/png", "vary": "origin, accept"});
        let one_with_cookie =
            json!({"content-type": "image/png", "vary": "origin, accept", "set-cookie": "b=3"});
        let many = json!({"content-type": ["image/png"], "vary": ["origin", "accept"],
            "set-cookie": ["a=1, 2", "b=3"]});
        let cookies = json!({"cookies": ["a=1, 2", "b=3"]});
        let reason = json!({"statusDescription": "404 Not Found"});
        for (integration, headers, lists, further) in [
            (Integration::FunctionUrl, &one, &json!({}), &cookies),
            (Integration::HttpApi, &one, &json!({}), &cookies),
            (Integration::HttpApiV1, &json!({}), &many, &json!({})),
            (Integration::RestApi, &json!({}), &many, &json!({})),
            (
                Integration::LoadBalancer,
                &one_with_cookie,
                &json!({}),
                &reason,
            ),
            (Integration::LoadBalancerLists, &json!({}), &many, &reason),
        ] {
            let mut expected = json!({"statusCode": 404, "headers": headers, "multiValueHeaders": lists,
                "body": "abc", "isBase64Encoded": false});
            let further = further.as_object().unwrap().clone();
            expected.as_object_mut().unwrap().extend(further);
            assert_eq!(
                whole(integration, b"abc").await,
                expected,
                "{integration:?}"
            );
        }
    }

    #[tokio::test]
    async fn binary_bodies_are_base64_in_a_document_and_raw_in_a_stream() {
        let document = whole(Integration::FunctionUrl, b"\xff\0\xfe").await;
        assert_eq!(document["body"], "/wD+");
        assert_eq!(document["isBase64Encoded"], true);
        let response = EventResponse::streamed(
            Integration::FunctionUrl,
            with_body(b"\xff\0\xfe".to_vec().into()),
            far(),
        );
        let stream = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert!(
            stream.ends_with(b"}\0\0\0\0\0\0\0\0\xff\0\xfe"),
            "{stream:?}"
        );
    }

    #[tokio::test]
    async fn a_failed_stream_ends_with_trailers_and_gives_no_document() {
        let panics = || {
            Body::from_stream(
                stream::once(async { panic!("secret") as Result<Bytes, _> })
                    .map(|it: Result<Bytes, Infallible>| it),
            )
        };
        let response =
            EventResponse::streamed(Integration::FunctionUrl, with_body(panics()), far());
        let whole = response.into_body().collect().await.unwrap();
        let trailers = whole.trailers().unwrap();
        assert_eq!(trailers[ERROR_TYPE], "Function.Panic");
        let error = STANDARD.decode(trailers[ERROR_BODY].as_bytes()).unwrap();
        let error: Value = serde_json::from_slice(&error).unwrap();
        assert_eq!(error["errorType"], "Panic");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(!format!("{:?}", whole.to_bytes()).contains("secret"));

        let failure =
            EventResponse::buffered(Integration::FunctionUrl, with_body(panics()), far()).await;
        assert_eq!(failure.unwrap_err().kind(), "Panic");
    }
}
