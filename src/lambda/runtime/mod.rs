//! The function on the platform: `lambda_runtime` takes the invocations, and what it does not do as it must is ours.

pub(crate) mod api;
pub(crate) mod driver;
pub(crate) mod extension;
pub(crate) mod failure;
pub(crate) mod health;
pub(crate) mod place;
pub(crate) mod shutdown;
pub(crate) mod timeout;
pub(crate) mod worker;
