//! One connection: it serves its requests, one after the other, until either side closes.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use http::header::CONNECTION;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::watch;

use super::socket::{ConnectionState, Socket};
use crate::app::{App, RequestInfo};
use crate::http::path;

/// The time in which the head of a request must arrive; also how long an idle connection stays open.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The read buffer of a connection beyond the limit.
const EXTRA_BUFFER_BYTES: usize = 16 << 10;

/// The largest request body whose unread rest is discarded without closing the connection.
const SMALL_BODY_BYTES: u64 = 8 << 10;

/// What is needed to serve the requests of one connection.
#[derive(Clone)]
pub(super) struct Connection {
    pub(super) app: App,
    pub(super) address: SocketAddr,
    pub(super) peer: SocketAddr,
    /// Whether it is beyond the limit of connections.
    pub(super) is_extra: bool,
    pub(super) state: Arc<ConnectionState>,
}

/// The body of a request, which records when it was read to its end.
struct TrackedBody {
    body: Incoming,
    state: Arc<ConnectionState>,
}

impl Connection {
    /// Serves the requests; after the server begins to stop, only the running one is finished.
    pub(super) async fn serve(self, socket: Socket, mut stopped: watch::Receiver<bool>) {
        let mut builder = Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT);
        if self.is_extra {
            builder.keep_alive(false).max_buf_size(EXTRA_BUFFER_BYTES);
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
        // A broken connection is not an error of the server.
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
        let is_small = is_small.is_some_and(|bytes| bytes <= SMALL_BODY_BYTES);
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
            peer: Some(self.peer.ip()),
            listener: Some(self.address.ip()),
            ..RequestInfo::default()
        };
        if self.is_extra && !is_health(&request) {
            let detail = "too many connections are open; connect again in a moment";
            return self.app.refuse_busy(&request, detail, request_info);
        }
        let intake = self.state.intake.clone();
        request.extensions_mut().insert(intake);
        if self.app.has_own_routes() {
            request.extensions_mut().insert(ConnectInfo(self.peer));
        }
        self.app.respond(request, request_info).await
    }

    fn track(&self, request: Request<Incoming>) -> Request<Body> {
        let has_body = !request.body().is_end_stream();
        let unread: &AtomicBool = &self.state.is_unread;
        unread.store(has_body, Ordering::Relaxed);
        request.map(|body| match has_body {
            true => Body::new(TrackedBody {
                body,
                state: self.state.clone(),
            }),
            false => Body::empty(),
        })
    }
}

impl hyper::body::Body for TrackedBody {
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

/// Whether it is a health check, which is answered even beyond the limit of connections.
fn is_health(request: &Request<Body>) -> bool {
    let is_read = [Method::GET, Method::HEAD].contains(request.method());
    is_read && path::normal(request.uri().path()) == "/health"
}
