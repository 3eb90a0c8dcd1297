//! Why a request to an MCP server failed: no answer, a refusal of HTTP, or a JSON-RPC error.

use std::fmt;

use http::StatusCode;

use super::message::RpcError;
use crate::error::Error;

/// A failed request.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server could not be reached in time, or did not answer as MCP demands.
    Transport(Error),
    /// The server refused the request without a JSON-RPC message.
    Status(Status),
    /// The server answered with a JSON-RPC error.
    Rpc(RpcError),
}

/// An HTTP response that refuses a request.
#[derive(Debug)]
pub(crate) struct Status {
    pub(crate) code: StatusCode,
    /// The challenge of `WWW-Authenticate`.
    pub(crate) challenge: Option<String>,
    /// The beginning of its body.
    pub(crate) text: String,
}

impl Failure {
    /// Whether the server is one of the era of 2026-07-28, which alone has these errors.
    pub(crate) fn is_modern(&self) -> bool {
        matches!(self, Failure::Rpc(error) if (-32022..=-32020).contains(&error.code))
    }

    /// Whether the server wants to know who calls, or does not let the caller in.
    pub(crate) fn is_denial(&self) -> bool {
        let Failure::Status(status) = self else {
            return false;
        };
        matches!(
            status.code,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        )
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Transport(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Transport(error) => write!(f, "{error}"),
            Failure::Rpc(RpcError { code, message, .. }) => write!(f, "{message} (code {code})"),
            Failure::Status(Status { code, text, .. }) => {
                write!(f, "the server answered with HTTP {}", code.as_u16())?;
                let text = text.trim();
                match text.is_empty() {
                    true => Ok(()),
                    false => write!(f, ": {text}"),
                }
            }
        }
    }
}

impl std::error::Error for Failure {}
