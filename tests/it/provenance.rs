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
mod balances;
mod chain;
mod commitments;
mod conversion;
mod delegations;
mod faults;
mod fees;
mod governance;
mod holdings;
mod lenient;
mod lists;
mod market;
mod overview;
mod proposals;
mod protocols;
mod rounds;
mod system;
mod token;
mod trading;
mod transactions;
mod validator_list;
mod validators;
mod vesting;
mod wallet;
