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
mod chain;
mod conversion;
mod faults;
mod governance;
mod holdings;
mod lenient;
mod lists;
mod market;
mod overview;
mod protocols;
mod rounds;
mod system;
mod token;
mod trading;
mod validators;
mod vesting;
mod wallet;
