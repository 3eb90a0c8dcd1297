//! The same application on a socket of this machine.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::serve::Listener;
use http::StatusCode;
use http::header::HOST;
use hyper::server::conn::http1::{Builder, UpgradeableConnection};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tracing::info;

use crate::app::{App, RequestInfo};

/// How long the head of a request may take, and a connection may be kept without one.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);

/// Serves until `shutdown` is ready, then ends what is running, for at most the call timeout and a second, or until a
/// second signal.
///
/// On a loopback address only requests to this machine's own names are taken: a page of another name that was bound
/// again to this address (DNS rebinding) gets 403.
///
/// # Errors
/// The socket's.
pub async fn serve(
    app: App,
    mut listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    info!(%address, mcp = format!("http://{address}/mcp"), docs = format!("http://{address}/docs"), "listening");
    let patience = app.config().call_timeout + Duration::from_secs(1);
    let closing = app.clone();
    // Each connection holds a receiver.
    let (stop, stopped) = watch::channel(false);
    let mut shutdown = pin!(shutdown);
    let mut flushing = pin!(closing.keep_flushing());
    loop {
        let (socket, peer) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = &mut shutdown => break,
            () = &mut flushing => continue,
        };
        // Answers and events are written whole, so waiting for more of them would only delay them.
        let _ = socket.set_nodelay(true);
        let app = app.clone();
        let router = Router::new()
            .fallback(move |request: Request| answer(app.clone(), address, peer.ip(), request));
        let connection = Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_PATIENCE)
            .serve_connection(TokioIo::new(socket), TowerToHyperService::new(router))
            .with_upgrades();
        tokio::spawn(drive(connection, stopped.clone()));
    }
    drop((listener, stopped));
    info!("stopping: running requests are finished first");
    closing.close();
    stop.send_replace(true);
    tokio::select! {
        () = async {
            // In this order: what runs on a connection may have left a task behind.
            stop.closed().await;
            closing.closed().await;
        } => {}
        () = tokio::time::sleep(patience) => {}
        () = signal() => {}
    }
    closing.flush(Duration::MAX).await;
    Ok(())
}

/// Serves the requests of one connection, and no further one once the server is to stop.
async fn drive(
    connection: UpgradeableConnection<TokioIo<TcpStream>, TowerToHyperService<Router>>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connection = pin!(connection);
    let is_stopped = async {
        drop(stopped.wait_for(|it| *it).await);
    };
    // A connection that breaks is the business of its client.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = is_stopped => {
            connection.as_mut().graceful_shutdown();
            drop(connection.await);
        }
    }
}

/// Ready on the first interrupt or termination signal. Signals are caught from the call on, not from the first
/// poll: one that comes between the two must not kill the process.
///
/// # Panics
/// Outside a runtime, or where the system allows no handler.
#[cfg(unix)]
pub fn signal() -> impl Future<Output = ()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::low_level::pipe::register;
    use std::os::unix::net::UnixStream;

    let (reader, writer) = UnixStream::pair().expect("a pipe can be made at start");
    for signal in [SIGINT, SIGTERM] {
        let writer = writer.try_clone().expect("a pipe can be shared at start");
        register(signal, writer).expect("a handler for a signal can be set at start");
    }
    reader.set_nonblocking(true).expect("a pipe need not block");
    let reader = tokio::net::UnixStream::from_std(reader).expect("a runtime reads pipes");
    async move {
        // Whatever becomes of the pipe, there is nothing else to wait for.
        drop(reader.readable().await);
    }
}

/// Ready on the first interrupt.
#[cfg(not(unix))]
pub async fn signal() {
    let _ = tokio::signal::ctrl_c().await;
}

async fn answer(
    app: App,
    address: SocketAddr,
    peer: IpAddr,
    request: Request,
) -> axum::response::Response {
    if address.ip().is_loopback() && !is_own(&request) {
        let detail =
            "this server listens for its own machine only: call it as 127.0.0.1 or localhost";
        return app.refuse(
            StatusCode::FORBIDDEN,
            "foreign_host",
            detail,
            RequestInfo::default(),
        );
    }
    let request_info = RequestInfo {
        peer: Some(peer),
        ..RequestInfo::default()
    };
    app.serve(request, request_info).await
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
