//! Runs an application as a local server on a TCP socket.

mod connection;
mod connections;
mod socket;

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, select};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tracing::{info, warn};

use crate::app::{App, OPEN};
use crate::clock::Deadline;
use crate::http::buffers::Intake;

use connection::Connection;
use connections::Connections;
use socket::{ConnectionState, Socket};

/// The least time for what [`Server::on_stop`](crate::Server::on_stop) was given.
const STOP_TIME: Duration = Duration::from_secs(5);

/// Serves until `shutdown` is ready. Then running requests have the call timeout plus one second to finish, or until a
/// second signal, and what [`Server::on_stop`](crate::Server::on_stop) was given has what is left of it, at least 5 s. A client that reads nothing of its response for 30 s (1 s during the shutdown) is disconnected.
///
/// Connections beyond `max_connections` get 503 for every request except `/health`.
///
/// On a loopback address only requests to the names of this machine are accepted, unless the settings list more hosts: a
/// web page whose host name was rebound to this address (DNS rebinding) gets 403.
///
/// # Errors
/// The socket fails.
pub async fn serve(
    app: App,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    info!(%address, mcp = format!("http://{address}/mcp"), docs = format!("http://{address}/docs"), "listening");
    // Only the wait depends on the program: the rest is compiled once, in the library.
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = serve_silently(app, listener, stopped.map(drop).boxed());
    match select(serving, pin!(shutdown)).await {
        Either::Left((served, _)) => served,
        Either::Right(((), serving)) => {
            drop(stop);
            serving.await
        }
    }
}

/// Serves without a line in the log that says where.
pub(crate) fn serve_silently(
    app: App,
    listener: TcpListener,
    shutdown: BoxFuture<'static, ()>,
) -> BoxFuture<'static, io::Result<()>> {
    Box::pin(run(app, listener, shutdown))
}

async fn run(
    app: App,
    mut listener: TcpListener,
    mut shutdown: BoxFuture<'static, ()>,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    if !app.is_guarded() {
        match address.ip().is_loopback() {
            true => info!("{OPEN}"),
            false => warn!("{OPEN}"),
        }
    }
    let timeout = app.config().call_timeout + Duration::from_secs(1);
    let closing = app.clone();
    // Each connection holds a receiver.
    let (stop, stopped) = watch::channel(false);
    let mut connections = Connections::new(app.config().max_connections);
    let mut flushing = pin!(closing.keep_flushing());
    loop {
        let (stream, peer) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = &mut shutdown => break,
            () = &mut flushing => continue,
        };
        // Responses and events are written completely, so Nagle's algorithm would only delay them.
        let _ = stream.set_nodelay(true);
        let (app, permit) = (app.clone(), connections.permit());
        let state = Arc::new(ConnectionState::new(Intake::new(app.buffers())));
        let connection = Connection {
            app,
            address,
            peer,
            is_extra: permit.is_none(),
            state: state.clone(),
        };
        let is_extra = connection.is_extra;
        let socket = Socket::new(stream, state, stopped.clone(), permit);
        let task = tokio::spawn(connection.serve(socket, stopped.clone()));
        if is_extra {
            connections.add_extra(task.abort_handle());
        }
    }
    drop((listener, stopped));
    info!("stopping: running requests are finished first");
    closing.close();
    stop.send_replace(true);
    let (end, mut second) = (Deadline::after(timeout), pin!(signal()));
    tokio::select! {
        () = async {
            // Connections first: a request that runs on one may still start a task.
            stop.closed().await;
            closing.closed().await;
        } => {}
        () = tokio::time::sleep_until(end.instant()) => {}
        () = &mut second => return Ok(()),
    }
    tokio::select! {
        () = closing.stop(end.remaining().max(STOP_TIME)) => {}
        () = &mut second => return Ok(()),
    }
    closing.flush(Duration::MAX).await;
    Ok(())
}

/// Waits for the first interrupt or termination signal. The handlers are set when this function is called, not at the
/// first poll, so a signal in between does not kill the process.
///
/// # Panics
/// Outside a runtime, or where the system allows no signal handler.
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
        // An error of the pipe also counts as a signal: nothing else can report one.
        drop(reader.readable().await);
    }
}

/// Waits for the first interrupt.
#[cfg(not(unix))]
pub async fn signal() {
    let _ = tokio::signal::ctrl_c().await;
}
