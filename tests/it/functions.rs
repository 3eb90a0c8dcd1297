//! Functions as a user of the library writes them: every shape, every result and every error, on every protocol.

mod carried;
mod errors;
mod results;
mod server;
mod shapes;
