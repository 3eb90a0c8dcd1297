//! The bundled functions on every protocol: correct numbers, equal answers, and typed failures.

/// A recorded upstream body, by its name.
macro_rules! recorded {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src/provenance/replay/recorded/",
            $name,
            ".json"
        ))
    };
}

mod aggregates;
mod arguments;
pub mod ask;
mod lenient;
mod market;
mod overview;
mod protocols;
mod rounds;
mod system;
mod vesting;
mod wallet;
