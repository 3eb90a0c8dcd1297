//! MCP over Streamable HTTP and WebSocket, without sessions, for clients of both protocol eras.
//!
//! Four layers, each of which imports only those before it: `messages/`, what goes over the wire; `methods/`, the
//! parameters and the result of each method; `call/`, a function while it runs for its client; `http/`, the endpoint,
//! which reads messages, dispatches them by era and method, and answers.

mod call;
pub(crate) mod http;
mod messages;
mod methods;

pub(crate) use call::shutdown::Shutdown;
pub use http::endpoint::Endpoint;
pub(crate) use http::endpoint::{CurrentEndpoint, Dependencies};
pub(crate) use http::frame::{Frame, refusal, unreadable};
pub use http::response::{Body, McpResponse};
pub(crate) use messages::envelope::without_mark;
pub use messages::events::Event;
pub(crate) use messages::id::same;
pub use messages::outgoing::{Outgoing, Part};
