//! Serves MCP on standard input and output, for clients that start the program themselves.
//!
//! Each line is one JSON-RPC message of MCP, of either era, and is answered as over a WebSocket, without sequence numbers:
//! several requests run at a time, notifications and questions come before the response, and `notifications/cancelled`
//! ends a request. Everything else belongs on standard error, the log included. REST is not available.

mod lines;
mod output;

use std::io;
use std::pin::pin;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::app::App;
use crate::clock::Deadline;
use crate::local;
use crate::websocket::Session;

use lines::{Line, Lines};
use output::Output;

/// The least time for what [`Server::on_stop`](crate::Server::on_stop) was given.
const STOP_TIME: Duration = Duration::from_secs(5);

/// Serves one client until the end of `input`, until `shutdown` is ready, or until the client reads no more. Then running
/// requests have the call timeout plus one second to finish, or until a second signal; what
/// [`Server::on_stop`](crate::Server::on_stop) was given has what is left of it, at least 5 s.
///
/// ```no_run
/// use bifold::{App, Config, Server, local, stdio};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let app = App::start(Config::from_env()?, Server::new("greeter", "1.0.0")).await?;
/// stdio::serve(app, tokio::io::stdin(), tokio::io::stdout(), local::signal()).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `input` fails. A client that reads no more is not an error.
pub async fn serve(
    app: App,
    input: impl AsyncRead + Unpin,
    output: impl AsyncWrite + Unpin,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut session = app.sockets().stdio(app.context());
    let mut lines = Lines::new(input, app.config().max_request_bytes);
    let mut output = Output::new(output);
    let ended = tokio::select! {
        ended = converse(&mut session, &mut lines, &mut output) => ended,
        () = shutdown => Ok(()),
        () = app.keep_flushing() => Ok(()),
    };
    session.close();
    app.close();
    let end = Deadline::after(app.config().call_timeout + Duration::from_secs(1));
    let mut second = pin!(local::signal());
    let finishing = async {
        if ended.is_ok() {
            // An error means that the client reads no more, which cancels what runs.
            let _ = finish(&mut session, &mut output).await;
        }
        drop(session);
        app.closed().await;
    };
    tokio::select! {
        _ = end.timeout(finishing) => {}
        () = &mut second => return Ok(()),
    }
    tokio::select! {
        () = app.stop(end.remaining().max(STOP_TIME)) => {}
        () = &mut second => return Ok(()),
    }
    app.flush(Duration::MAX).await;
    match ended {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Reads and writes until the end of the input.
async fn converse(
    session: &mut Session,
    lines: &mut Lines<impl AsyncRead + Unpin>,
    output: &mut Output<impl AsyncWrite + Unpin>,
) -> io::Result<()> {
    loop {
        output.flush().await?;
        let is_open = session.is_open();
        tokio::select! {
            Some(message) = session.next() => output.add(&message),
            line = lines.next(), if is_open => {
                let refusal = match line? {
                    None => return Ok(()),
                    Some(Line::Text(text)) => session.read(&text),
                    Some(Line::NotText) => Some(session.refusal("the line is not UTF-8 text")),
                    Some(Line::TooLong) => Some(session.refusal("the line is longer than a message may be")),
                };
                if let Some(refusal) = refusal {
                    output.add(&refusal);
                }
            }
        }
    }
}

/// Writes what running requests still say.
async fn finish(
    session: &mut Session,
    output: &mut Output<impl AsyncWrite + Unpin>,
) -> io::Result<()> {
    loop {
        output.flush().await?;
        match session.next().await {
            Some(message) => output.add(&message),
            None => return Ok(()),
        }
    }
}
