//! JSON-RPC errors: code, HTTP status, and message.

use http::StatusCode;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::error::excerpt::excerpt;
use crate::error::{Capability, Error, Kind};
use crate::http::refusal::Refusal;
use crate::mcp::messages::outgoing::Outgoing;
use crate::mcp::messages::version::{MODERN, Shape};

/// The client lacks a capability that a function needs (MCP 2026-07-28).
const MISSING_CAPABILITY: i32 = -32021;

/// The codes of refused callers: those of HTTP, which lie outside the range that JSON-RPC keeps for protocols.
const REFUSALS: [i32; 3] = [401, 403, 429];

/// A request that failed with a protocol error.
pub(crate) struct RpcError {
    pub(crate) status: StatusCode,
    code: i32,
    message: String,
    data: Option<Value>,
}

#[derive(Serialize)]
struct Body<'a> {
    code: i32,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
}

impl RpcError {
    fn new(status: StatusCode, code: i32, message: impl Into<String>) -> RpcError {
        RpcError {
            status,
            code,
            message: message.into(),
            data: None,
        }
    }

    /// The body is not JSON.
    pub(crate) fn parse_error(message: impl Into<String>) -> RpcError {
        RpcError::new(StatusCode::BAD_REQUEST, -32700, message)
    }

    /// The JSON is not a JSON-RPC message.
    pub(crate) fn invalid_request(message: impl Into<String>) -> RpcError {
        RpcError::new(StatusCode::BAD_REQUEST, -32600, message)
    }

    /// An id or a token exceeds the maximum length.
    pub(crate) fn too_long(place: &str) -> RpcError {
        RpcError::invalid_request(format!(
            "`{place}` has more than 1024 bytes: send a shorter one"
        ))
    }

    /// The method does not exist.
    pub(crate) fn method_not_found(method: &str) -> RpcError {
        RpcError::new(
            StatusCode::NOT_FOUND,
            -32601,
            format!("method `{}` is not served here", excerpt(method)),
        )
    }

    /// The parameters are invalid.
    pub(crate) fn invalid_params(message: impl Into<String>) -> RpcError {
        RpcError::new(StatusCode::OK, -32602, message)
    }

    /// No resource has this URI.
    pub(crate) fn resource_not_found(shape: Shape, uri: &str) -> RpcError {
        let code = match shape {
            Shape::Modern => -32602,
            _ => -32002,
        };
        let uri = excerpt(uri);
        let message = format!("there is no resource `{uri}`");
        let data = Some(json!({ "uri": uri }));
        RpcError {
            data,
            ..RpcError::new(StatusCode::OK, code, message)
        }
    }

    /// The function of a resource or prompt failed.
    pub(crate) fn of_error(shape: Shape, about: &str, error: &Error) -> RpcError {
        if let Some(status) = refusal(error) {
            let data = Some(json!(error.detail()));
            let code = i32::from(status.as_u16());
            return RpcError {
                data,
                ..RpcError::new(status, code, error.message())
            };
        }
        let code = match error.kind() {
            Kind::NotFound => return RpcError::resource_not_found(shape, about),
            Kind::InvalidArgument => -32602,
            _ => -32603,
        };
        let data = Some(json!(error.detail()));
        RpcError {
            data,
            ..RpcError::new(StatusCode::OK, code, error.message())
        }
    }

    /// A required key of `_meta` is missing or wrong (the specification requires HTTP 400).
    pub(crate) fn invalid_meta(message: impl Into<String>) -> RpcError {
        RpcError {
            status: StatusCode::BAD_REQUEST,
            ..RpcError::invalid_params(message)
        }
    }

    /// A header is missing, or does not match the body.
    pub(crate) fn header_mismatch(message: impl Into<String>) -> RpcError {
        RpcError::new(StatusCode::BAD_REQUEST, -32020, message)
    }

    /// The client did not declare a capability that the function needs.
    pub(crate) fn missing_capabilities(function: &str, missing: &[Capability]) -> RpcError {
        let names: Vec<&str> = missing.iter().map(|it| it.as_str()).collect();
        let message = format!(
            "`{function}` needs the client capabilities {}, which this request does not offer",
            names.join(", ")
        );
        let data = Some(json!({ "requiredCapabilities": Capability::declare(missing) }));
        RpcError {
            data,
            ..RpcError::new(StatusCode::BAD_REQUEST, MISSING_CAPABILITY, message)
        }
    }

    /// A client's answer could not be delivered; the client may send it again.
    pub(crate) fn undelivered(error: &Error) -> RpcError {
        RpcError {
            status: StatusCode::SERVICE_UNAVAILABLE,
            ..RpcError::of_error(Shape::Structured, "response", error)
        }
    }

    /// The revision is not supported.
    pub(crate) fn unsupported_version(requested: &str) -> RpcError {
        let requested = excerpt(requested);
        let message = format!("protocol version `{requested}` is not served here");
        let data = Some(json!({ "supported": [MODERN], "requested": requested }));
        RpcError {
            data,
            ..RpcError::new(StatusCode::BAD_REQUEST, -32022, message)
        }
    }

    /// The request comes from a web page of an origin that is not allowed.
    pub(crate) fn forbidden_origin() -> RpcError {
        let message = "this `Origin` may not call; list it in BIFOLD_ALLOWED_ORIGINS";
        RpcError::new(StatusCode::FORBIDDEN, -32600, message)
    }

    /// The body's `Content-Type` is not JSON.
    pub(crate) fn unsupported_media_type() -> RpcError {
        RpcError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            -32600,
            "`Content-Type` must be `application/json`",
        )
    }

    /// The client asks for a stream without accepting one.
    pub(crate) fn not_acceptable() -> RpcError {
        let message = "a GET opens a stream of events: `Accept` must admit `text/event-stream`";
        RpcError::new(StatusCode::NOT_ACCEPTABLE, -32600, message)
    }

    /// A request that reached no method. Where its caller is refused, the code is the one of HTTP, because the protocol
    /// has none for that.
    pub(crate) fn of_refusal(refusal: &Refusal) -> RpcError {
        let code = match refusal.class {
            "unauthenticated" | "invalid_token" => 401,
            _ => -32600,
        };
        RpcError::new(refusal.status, code, &*refusal.detail)
    }

    /// The status in legacy revisions, which send every error of a request with HTTP 200, unless its caller is refused.
    pub(crate) fn legacy(mut self) -> RpcError {
        if REFUSALS.contains(&self.code) {
            return self;
        }
        if self.code == MISSING_CAPABILITY {
            self.message.push_str(
                "; a client of this revision is asked on the stream of its call: send `Accept: text/event-stream`, post it outside a batch, and use a revision that knows what is asked",
            );
        }
        RpcError {
            status: StatusCode::OK,
            ..self
        }
    }

    /// The error's name in the log.
    pub(crate) fn name(&self) -> &'static str {
        match self.code {
            -32700 => "parse_error",
            -32601 => "method_not_found",
            -32002 => "not_found",
            -32603 => "internal",
            -32602 => "invalid_params",
            -32020 => "header_mismatch",
            MISSING_CAPABILITY => "missing_capability",
            -32022 => "unsupported_version",
            401 => "unauthenticated",
            403 => "insufficient_scope",
            429 => "too_many_requests",
            _ => "invalid_request",
        }
    }

    /// The error response to the request with this id.
    pub(crate) fn encode(&self, id: Option<&RawValue>) -> Outgoing {
        let error = Body {
            data: None,
            ..self.body()
        };
        Outgoing::of_error(id, &error, self.data.as_ref())
    }

    /// The error object alone, as in the record of a task.
    pub(crate) fn object(&self) -> Box<RawValue> {
        to_raw_value(&self.body()).expect("an error of strings and numbers is JSON")
    }

    fn body(&self) -> Body<'_> {
        Body {
            code: self.code,
            message: &self.message,
            data: self.data.as_ref(),
        }
    }
}

/// The HTTP status of an error that refuses the caller.
pub(crate) fn refusal(error: &Error) -> Option<StatusCode> {
    match error.kind() {
        Kind::Unauthenticated => Some(StatusCode::UNAUTHORIZED),
        Kind::InsufficientScope => Some(StatusCode::FORBIDDEN),
        Kind::TooManyRequests => Some(StatusCode::TOO_MANY_REQUESTS),
        _ => None,
    }
}
