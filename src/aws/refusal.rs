//! Requests that an AWS service refuses: the log entry for the operator, and the error for the caller.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Deserialize;

use crate::error::{Error, Kind, UpstreamStatus};

/// The header in which a service names its reason; DynamoDB does so in the body alone.
const CODE: &str = "x-amzn-errortype";

/// The longest name of a reason that goes into the log.
const LONGEST: usize = 64;

#[derive(Deserialize)]
struct AwsError {
    #[serde(alias = "__type", alias = "Code")]
    code: String,
}

/// The error of a request that the service refused; `what` names the request. The service's error code goes into the log,
/// the rest of its response only into the source of the error.
pub fn refused(service: &'static str, answer: &Response<Bytes>, what: &str) -> Error {
    let status = answer.status();
    let problem = format!("answers HTTP {} to {what}", status.as_u16());
    let origin = UpstreamStatus {
        name: service.into(),
        status: Some(status.as_u16()),
    };
    let error = match status {
        StatusCode::TOO_MANY_REQUESTS => Error::upstream(Kind::RateLimited, origin, problem),
        _ if status.is_server_error() => Error::upstream(Kind::UpstreamError, origin, problem),
        _ => Error::internal(format!("`{service}` {problem}")),
    };
    warn(service, Some((status, &code(answer))), &error);
    let said = String::from_utf8_lossy(answer.body());
    error.with_source(format!("`{service}`: HTTP {}: {said}", status.as_u16()))
}

/// Logs at the default level why a request to AWS failed: the status and AWS's error code, if there was a response. The log
/// entry contains neither a body nor an id.
pub fn warn(service: &'static str, answer: Option<(StatusCode, &str)>, error: &Error) {
    let status = answer.map(|it| it.0.as_u16());
    let code = answer.map(|it| it.1).filter(|it| is_code(it));
    let error = error.kind().as_str();
    tracing::warn!(service, status, code, error, "a request to AWS failed");
}

/// The error code of a response, without the schema before it and the link to documentation after it.
fn code(answer: &Response<Bytes>) -> String {
    let header = answer.headers().get(CODE).and_then(|it| it.to_str().ok());
    let code = header.map(str::to_owned).or_else(|| {
        let error: Option<AwsError> = serde_json::from_slice(answer.body()).ok();
        error.map(|it| it.code)
    });
    let code = code.unwrap_or_default();
    let code = code.split(':').next().unwrap_or_default();
    code.rsplit('#').next().unwrap_or_default().to_owned()
}

fn is_code(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, header: Option<&str>, body: &'static str) -> Response<Bytes> {
        let response = Response::builder().status(status);
        let response = match header {
            Some(code) => response.header(CODE, code),
            None => response,
        };
        response.body(Bytes::from_static(body.as_bytes())).unwrap()
    }

    #[test]
    fn what_passes_may_be_asked_again_and_nobody_hears_what_was_said() {
        for (status, kind, retryable) in [
            (429, Kind::RateLimited, true),
            (500, Kind::UpstreamError, true),
            (503, Kind::UpstreamError, true),
            (400, Kind::Internal, false),
            (403, Kind::Internal, false),
        ] {
            let error = refused("lambda", &answer(status, None, "secret"), "an invocation");
            assert_eq!((error.kind(), error.retryable()), (kind, retryable));
            let said = error.message();
            assert!(said.contains(&status.to_string()), "{said}");
            assert!(!said.contains("secret"), "{said}");
        }
    }

    #[test]
    fn the_reason_is_the_name_alone() {
        let body = r##"{"__type": "com.amazon#Body", "message": "alice"}"##;
        for (header, body, expected) in [
            (Some("Plain"), body, "Plain"),
            (Some("Linked:http://internal.amazon.com/#a"), body, "Linked"),
            (None, body, "Body"),
            (None, r#"{"Code": "Code"}"#, "Code"),
            (None, "<html>", ""),
        ] {
            assert_eq!(code(&answer(400, header, body)), expected);
        }
        assert!(is_code("ThrottlingException"));
        for other in ["", "user alice", "arn/alice", &"x".repeat(65)] {
            assert!(!is_code(other), "{other}");
        }
    }
}
