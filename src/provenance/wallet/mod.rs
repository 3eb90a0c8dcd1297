//! Wallets in detail: what can be spent, and when the rest vests.

pub(super) mod balances;
pub(super) mod calendar;
pub(super) mod delegations;
pub(super) mod spendable;
pub(super) mod transactions;
