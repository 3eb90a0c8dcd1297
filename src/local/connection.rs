//! One connection: its requests, one after the other, until either side closes.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http::header::CONNECTION;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::watch;

use super::socket::{Socket, State};
use crate::app::{App, RequestInfo};
use crate::http::path;

/// How long the head of a request may take, and a connection may be kept without one.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);

/// What is read of the connections that are told to come back.
const EXTRA_BUFFER: usize = 16 << 10;

/// A body that is so small is read after its answer without closing the connection.
const SMALL_BODY: u64 = 8 << 10;

/// What the requests of one connection are answered with.
#[derive(Clone)]
pub(super) struct Connection {
    pub(super) app: App,
    pub(super) address: SocketAddr,
    pub(super) peer: IpAddr,
    /// Whether it is one of those for which there is no room.
    pub(super) is_extra: bool,
    pub(super) state: Arc<State>,
}

/// The body of a request, which notes when it was read to its end.
struct Tracked {
    body: Incoming,
    state: Arc<State>,
}

impl Connection {
    /// Serves the requests, and no further one once the server is to stop.
    pub(super) async fn serve(self, socket: Socket, mut stopped: watch::Receiver<bool>) {
        let mut builder = Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_PATIENCE);
        if self.is_extra {
            builder.keep_alive(false).max_buf_size(EXTRA_BUFFER);
        }
        let connection = Arc::new(self);
        let service = service_fn(move |request| {
            let connection = connection.clone();
            async move { Ok::<_, Infallible>(connection.answer(request).await) }
        });
        let connection = builder.serve_connection(TokioIo::new(socket), service);
        let mut connection = pin!(connection.with_upgrades());
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

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let state = &self.state;
        state.intake.pause();
        let is_small = request.body().size_hint().upper();
        let is_small = is_small.is_some_and(|bytes| bytes <= SMALL_BODY);
        let mut response = self.respond(self.track(request)).await;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            state.is_upgraded.store(true, Ordering::Relaxed);
            state.intake.resume();
        } else if !state.is_unread.load(Ordering::Relaxed) {
            state.intake.resume();
        } else if !is_small {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        response
    }

    async fn respond(&self, mut request: Request<Body>) -> Response<Body> {
        let request_info = RequestInfo {
            peer: Some(self.peer),
            listener: Some(self.address.ip()),
            ..RequestInfo::default()
        };
        if self.is_extra && !is_health(&request) {
            let detail = "too many connections are open: connect again in a moment";
            return self.app.refuse_busy(&request, detail, request_info);
        }
        let intake = self.state.intake.clone();
        request.extensions_mut().insert(intake);
        self.app.serve(request, request_info).await
    }

    fn track(&self, request: Request<Incoming>) -> Request<Body> {
        let has_body = !request.body().is_end_stream();
        let unread: &AtomicBool = &self.state.is_unread;
        unread.store(has_body, Ordering::Relaxed);
        request.map(|body| match has_body {
            true => Body::new(Tracked {
                body,
                state: self.state.clone(),
            }),
            false => Body::empty(),
        })
    }
}

impl hyper::body::Body for Tracked {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(frame, Poll::Ready(None)) || self.body.is_end_stream() {
            self.state.is_unread.store(false, Ordering::Relaxed);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Whether it asks how the server is, which is answered whatever happens.
fn is_health(request: &Request<Body>) -> bool {
    let is_read = [Method::GET, Method::HEAD].contains(request.method());
    is_read && path::normal(request.uri().path()) == "/health"
}
