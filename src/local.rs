//! The same application on a socket of this machine.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::serve::ListenerExt;
use http::StatusCode;
use http::header::HOST;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tracing::info;

use crate::app::{App, Arrival};

/// Serves until `shutdown` is ready, then ends what is running, for at most the call timeout and a second.
///
/// On a loopback address only requests to this machine's own names are taken: a page of another name that was bound
/// again to this address (DNS rebinding) gets 403.
///
/// # Errors
/// The socket's.
pub async fn serve(
    app: App,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    info!(%address, mcp = format!("http://{address}/mcp"), docs = format!("http://{address}/docs"), "listening");
    let patience = app.config().call_timeout + Duration::from_secs(1);
    let (stopping, stopped) = oneshot::channel();
    let (closing, sockets) = (app.clone(), app.clone());
    let shutdown = async move {
        shutdown.await;
        info!("stopping: running requests are finished first");
        closing.close();
        // The receiver is gone only if serving has ended by itself.
        let _ = stopping.send(());
    };
    let listener = listener.tap_io(|socket| {
        // Answers and events are written whole, so waiting for more of them would only delay them.
        let _ = socket.set_nodelay(true);
    });
    let router =
        Router::new().fallback(move |request: Request| answer(app.clone(), address, request));
    let serving = axum::serve(listener, router).with_graceful_shutdown(shutdown);
    let serving = async {
        serving.await?;
        sockets.closed().await;
        Ok(())
    };
    tokio::select! {
        result = serving => result,
        () = give_up(stopped, patience) => Ok(()),
    }
}

/// Ready on the first interrupt or termination signal. Signals are caught from the call on, not from the first
/// poll: one that comes between the two must not kill the process.
///
/// # Panics
/// Outside a runtime, or where the system allows no handler.
#[cfg(unix)]
pub fn signal() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let catch = |kind| signal(kind).expect("a handler for a signal can be set at start");
    let (mut interrupt, mut terminate) = (
        catch(SignalKind::interrupt()),
        catch(SignalKind::terminate()),
    );
    async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

/// Ready on the first interrupt.
#[cfg(not(unix))]
pub async fn signal() {
    let _ = tokio::signal::ctrl_c().await;
}

async fn answer(app: App, address: SocketAddr, request: Request) -> axum::response::Response {
    if address.ip().is_loopback() && !is_own(&request) {
        let detail =
            "this server listens for its own machine only: call it as 127.0.0.1 or localhost";
        return app.refuse(
            StatusCode::FORBIDDEN,
            "foreign_host",
            detail,
            Arrival::default(),
        );
    }
    app.serve(request, Arrival::default()).await
}

/// Whether the request is for a name of this machine. HTTP/2 has the name in the target and not in a header.
fn is_own(request: &Request) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (None, _) => request.uri().host().map(str::to_owned),
        (Some(host), None) => {
            let uri: Option<http::Uri> = host.to_str().ok().and_then(|host| host.parse().ok());
            uri.and_then(|uri| uri.host().map(str::to_owned))
        }
        (Some(_), Some(_)) => None,
    };
    let own = ["localhost", "127.0.0.1", "[::1]"];
    host.is_some_and(|host| own.iter().any(|it| host.eq_ignore_ascii_case(it)))
}

/// Ends serving that does not end by itself: when its time is up, or at once on a second signal.
async fn give_up(stopped: oneshot::Receiver<()>, patience: Duration) {
    match stopped.await {
        Ok(()) => tokio::select! {
            () = tokio::time::sleep(patience) => {}
            () = signal() => {}
        },
        Err(_) => std::future::pending().await,
    }
}
