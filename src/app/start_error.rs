//! Why an application cannot start.

use std::fmt;

/// An application that cannot start, with a line for every reason. `Debug` prints the same as `Display`.
pub struct StartError(pub(super) Vec<String>);

impl StartError {
    /// The only reason.
    pub(crate) fn because(reason: impl ToString) -> StartError {
        StartError(vec![reason.to_string()])
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for StartError {}
