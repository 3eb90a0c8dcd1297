//! The functions of the server, and where they answer.

mod greet;

use bifold::prelude::*;

/// Everything that is served.
pub fn server() -> Server {
    Server::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
        .description("Greets people.")
        .tool(Tool::new("greet", greet::greet).get("/greet/{name}").read_only())
}
