//! The scope of a call within its request: the protocol, and the nesting.

/// The protocol of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// MCP, over HTTP or a WebSocket.
    Mcp,
    /// REST.
    Rest,
}

/// The form of a result in the response, which decides how many bytes it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As JSON.
    Json,
    /// As JSON inside a string.
    Text,
    /// As both.
    Both,
}

/// The scope of a call within its request.
#[derive(Clone, Copy)]
pub(super) struct Scope {
    /// `None` where a program calls functions itself.
    pub(super) protocol: Option<Protocol>,
    pub(super) form: Form,
    /// Whether it is one of several messages in one request.
    pub(super) is_batched: bool,
    /// The number of functions around it: 0 for the request itself, 1 inside the function that the request calls.
    pub(super) depth: u8,
    /// Whether it is called by a function that calls others, at any depth.
    pub(super) is_within_caller: bool,
    /// Whether the thread was yielded since the last call.
    pub(super) has_yielded: bool,
    /// Whether a part of the result is charged later, and not the whole.
    pub(super) is_cut_later: bool,
}

impl Scope {
    /// The scope of the only call of a request.
    pub(super) const ROOT: Scope = Scope {
        protocol: None,
        form: Form::Json,
        is_batched: false,
        depth: 0,
        is_within_caller: false,
        has_yielded: false,
        is_cut_later: false,
    };
}

impl Form {
    /// How many times the result is in the response.
    pub(super) fn copies(self) -> usize {
        match self {
            Form::Json | Form::Text => 1,
            Form::Both => 2,
        }
    }

    /// The bytes that `json` takes in a response, which may itself be inside a JSON string (`is_quoted`): each level of
    /// string adds a backslash to every quote and backslash.
    pub(super) fn cost(self, json: &[u8], is_quoted: bool) -> usize {
        let for_each = match (self, is_quoted) {
            (Form::Json, false) => 0,
            (Form::Text, false) | (Form::Both, false) | (Form::Json, true) => 1,
            (Form::Text, true) => 3,
            (Form::Both, true) => 4,
        };
        let escaped = match for_each {
            0 => 0,
            _ => quotes(json),
        };
        json.len() * self.copies() + escaped * for_each
    }
}

/// The quotes and backslashes, counted in blocks so small that each count fits into a byte: that is many bytes at a time,
/// if the block is a multiple of those.
fn quotes(json: &[u8]) -> usize {
    let is_one = |byte: &u8| u8::from((*byte == b'"') | (*byte == b'\\'));
    let counts = json.chunks(240).map(|it| it.iter().map(is_one).sum::<u8>());
    counts.map(usize::from).sum()
}
