//! The same application on a socket of this machine.

mod connection;
mod connections;
mod socket;

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::info;

use crate::app::App;
use crate::http::buffers::Intake;

use connection::Connection;
use connections::Connections;
use socket::{ConnectionState, Socket};

/// Serves until `shutdown` is ready, then ends what is running, for at most the call timeout and a second, or until a
/// second signal. A client that reads nothing of its answer for 30 s is let go, and for 1 s once the server stops.
///
/// Beyond `max_connections` requests are refused with 503, except for `/health`.
///
/// On a loopback address only requests to this machine's own names are taken, unless the settings list others: a page of
/// another name that was bound again to this address (DNS rebinding) gets 403.
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
    let timeout = app.config().call_timeout + Duration::from_secs(1);
    let closing = app.clone();
    // Each connection holds a receiver.
    let (stop, stopped) = watch::channel(false);
    let mut connections = Connections::new(app.config().max_connections);
    let mut shutdown = pin!(shutdown);
    let mut flushing = pin!(closing.keep_flushing());
    loop {
        let (stream, peer) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = &mut shutdown => break,
            () = &mut flushing => continue,
        };
        // Answers and events are written whole, so waiting for more of them would only delay them.
        let _ = stream.set_nodelay(true);
        let (app, permit) = (app.clone(), connections.permit());
        let state = Arc::new(ConnectionState::new(Intake::new(app.buffers())));
        let connection = Connection {
            app,
            address,
            peer: peer.ip(),
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
    tokio::select! {
        () = async {
            // In this order: what runs on a connection may have left a task behind.
            stop.closed().await;
            closing.closed().await;
        } => {}
        () = tokio::time::sleep(timeout) => {}
        () = signal() => {}
    }
    closing.flush(Duration::MAX).await;
    Ok(())
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
