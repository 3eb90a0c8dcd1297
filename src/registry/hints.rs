//! What a function declares about its own effects.

use serde::Serialize;

/// The hints by which clients decide what to ask a person about (MCP `ToolAnnotations`), none of them a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Hints {
    /// It changes nothing anywhere.
    #[serde(rename = "readOnlyHint")]
    pub read_only: bool,
    /// It may take away or overwrite something.
    #[serde(rename = "destructiveHint")]
    pub destructive: bool,
    /// The same call a second time changes nothing more.
    #[serde(rename = "idempotentHint")]
    pub idempotent: bool,
    /// It deals with things outside this server.
    #[serde(rename = "openWorldHint")]
    pub open_world: bool,
}

/// What the specification assumes of a tool that says nothing: the worst.
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
