//! Why a mounted server gave no result, and whether the request may be sent again.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::client::RpcError;
use crate::error::{Capabilities, Capability, Error, Kind, UpstreamStatus};

/// The code for a capability that the client does not have.
const MISSING_CAPABILITY: i64 = -32021;

/// The code for parameters that are wrong.
const INVALID_PARAMS: i64 = -32602;

/// The most characters of a server's error message that are repeated.
const MAX_MESSAGE: usize = 1_000;

/// Why there is no result.
pub(super) enum Failure {
    /// The server does not know the session of the request, and has not looked at the rest of it.
    SessionGone,
    /// The server has not seen the request.
    Unseen(Error),
    /// The server may have done what was asked.
    Broken(Error),
    /// The server answered with a JSON-RPC error, over HTTP with this status.
    Refused(RpcError, Option<u16>),
}

impl Failure {
    /// A failure after which nothing is known.
    pub(super) fn broken(mount: &str, kind: Kind, problem: &str) -> Failure {
        Failure::Broken(error(mount, kind, None, problem))
    }

    /// Whether the server runs what was asked only as a task.
    pub(super) fn needs_task(&self) -> bool {
        matches!(self, Failure::Refused(failure, _) if missing(failure) == Some(Capability::Tasks))
    }

    /// The error for the caller.
    pub(super) fn into_error(self, mount: &str) -> Error {
        match self {
            Failure::SessionGone => error(
                mount,
                Kind::UpstreamError,
                None,
                "ends every session at once; call again",
            ),
            Failure::Unseen(error) | Failure::Broken(error) => error,
            Failure::Refused(failure, status) => {
                let said: String = failure.message.chars().take(MAX_MESSAGE).collect();
                if let Some(capability) = missing(&failure) {
                    return Error::missing_capability(capability);
                }
                match failure.code {
                    INVALID_PARAMS => {
                        Error::invalid_argument("$", format!("server `{mount}` refuses it: {said}"))
                    }
                    code => {
                        let problem = format!("answered with the error {code}: {said}");
                        let refused = error(mount, Kind::UpstreamError, status, &problem);
                        match failure.data {
                            Some(data) => refused.with_data(&data),
                            None => refused,
                        }
                    }
                }
            }
        }
    }
}

/// The capability for whose absence the server refuses the call.
fn missing(failure: &RpcError) -> Option<Capability> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Data<'a> {
        #[serde(borrow)]
        required_capabilities: &'a RawValue,
    }
    let data = failure
        .data
        .as_ref()
        .filter(|_| failure.code == MISSING_CAPABILITY)?;
    let data: Data<'_> = serde_json::from_str(data.get()).ok()?;
    let wanted = Capabilities::declared(data.required_capabilities.get());
    let known = [
        Capability::Elicitation,
        Capability::UrlElicitation,
        Capability::Sampling,
        Capability::Roots,
        Capability::Tasks,
    ];
    known.into_iter().find(|it| wanted.has(*it))
}

/// An error of the server `mount`.
pub(super) fn error(mount: &str, kind: Kind, status: Option<u16>, problem: &str) -> Error {
    let origin = UpstreamStatus {
        name: mount.to_owned().into(),
        status,
    };
    Error::upstream(kind, origin, problem)
}
