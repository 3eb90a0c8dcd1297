//! Where in its request a call stands: on which protocol, and inside what.

/// The protocol by which a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// MCP, over HTTP or a WebSocket.
    Mcp,
    /// REST.
    Rest,
}

/// How an answer stands in the response, and so how many bytes it takes there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Json,
    /// As the text of a string.
    Text,
    /// As both.
    Both,
}

/// Where in its request a call stands.
#[derive(Clone, Copy)]
pub(super) struct Position {
    /// None for a program that calls functions itself.
    pub(super) protocol: Option<Protocol>,
    pub(super) form: Form,
    /// Whether it is one of several messages in one request.
    pub(super) is_member: bool,
    /// The functions that it is within: none for a call of a request, one for the function of that call.
    pub(super) depth: u8,
    /// Whether a function that calls others calls it, at whatever depth.
    pub(super) is_within_caller: bool,
    /// Whether others have had the thread since the last call.
    pub(super) has_turn: bool,
}

impl Position {
    /// The only call of its request.
    pub(super) const ALONE: Position = Position {
        protocol: None,
        form: Form::Json,
        is_member: false,
        depth: 0,
        is_within_caller: false,
        has_turn: false,
    };
}

impl Form {
    /// The bytes that an answer takes of the response at least, for each of its own.
    pub(super) fn copies(self) -> usize {
        match self {
            Form::Json | Form::Text => 1,
            Form::Both => 2,
        }
    }

    /// The bytes that `json` takes of a response, which is itself quoted or not: each time a text is put into a string
    /// of JSON its quotes and backslashes get a backslash of their own.
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

/// The quotes and backslashes, counted in blocks so small that each count fits into a byte: that is many bytes at a time.
fn quotes(json: &[u8]) -> usize {
    let is_one = |byte: &u8| u8::from((*byte == b'"') | (*byte == b'\\'));
    let counts = json.chunks(255).map(|it| it.iter().map(is_one).sum::<u8>());
    counts.map(usize::from).sum()
}
