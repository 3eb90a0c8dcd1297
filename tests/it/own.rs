//! The application's own routes, layers and work at its start and end, on every transport.

mod guarded;
mod lifetime;
mod name;
mod observed;
mod routes;
mod service;
