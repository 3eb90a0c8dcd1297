//! What a function declares about its own effects.

use serde::Serialize;

/// The hints by which clients decide what to ask a person about (MCP `ToolAnnotations`), none of them a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Hints {
    /// It changes nothing anywhere.
    #[serde(rename = "readOnlyHint")]
    pub read_only: bool,
    /// It may delete or overwrite something.
    #[serde(rename = "destructiveHint")]
    pub destructive: bool,
    /// Repeating the same call has no further effect.
    #[serde(rename = "idempotentHint")]
    pub idempotent: bool,
    /// It interacts with systems outside this server.
    #[serde(rename = "openWorldHint")]
    pub open_world: bool,
}

/// The defaults of the specification for a tool without annotations, which are the worst case.
impl Default for Hints {
    fn default() -> Hints {
        Hints {
            read_only: false,
            destructive: true,
            idempotent: false,
            open_world: true,
        }
    }
}
