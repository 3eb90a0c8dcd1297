//! The socket that a local server listens on, and what to do where it cannot.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::app::StartError;

/// Listens on the address, which `options` set.
///
/// # Errors
/// A sentence that names the address, and says what to do.
pub(crate) async fn listen(address: SocketAddr, options: &str) -> Result<TcpListener, StartError> {
    let listening = TcpListener::bind(address).await;
    listening.map_err(|error| StartError::because(problem(address, options, &error)))
}

fn problem(address: SocketAddr, options: &str, error: &Error) -> String {
    let advice = match error.kind() {
        ErrorKind::AddrInUse => format!(
            "another program listens there; stop it, or set another address with {options} (port 0 takes a free one)"
        ),
        ErrorKind::PermissionDenied => format!(
            "the system does not permit it; ports below 1024 often need special rights, so set a higher one with {options}"
        ),
        ErrorKind::AddrNotAvailable => format!(
            "this machine has no such address; set one of its own with {options}, or `0.0.0.0` for all of them"
        ),
        _ => error.to_string(),
    };
    format!("cannot listen on {address}: {advice}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_names_the_address_and_the_remedy() {
        let address = SocketAddr::from(([127, 0, 0, 1], 80));
        for (kind, said) in [
            (ErrorKind::AddrInUse, "another program"),
            (ErrorKind::PermissionDenied, "below 1024"),
            (ErrorKind::AddrNotAvailable, "no such address"),
        ] {
            let problem = problem(address, "`--listen`", &kind.into());
            for part in ["127.0.0.1:80", "`--listen`", said] {
                assert!(problem.contains(part), "{problem}");
            }
        }
    }
}
