//! The application as a service of tower: for `axum::serve`, for a router's fallback, for layers and other transports.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{self, ConnectInfo};
use futures_util::future::BoxFuture;
use http::{Method, Request, Response};
use tower::Service;

use super::entry::protocol_of;
use super::{App, RequestInfo, framing};
use crate::context::request_log::RequestGuard;

/// Answers requests with any body. What their transport knows beside them is taken from their extensions:
/// a [`RequestInfo`], the address of the client as axum's [`ConnectInfo`], and with the feature `lambda_http` what that crate
/// puts there. Without a listener in the former, hosts are
/// checked only where the settings list them.
///
/// ```
/// use bifold::axum::{Router, routing::get};
/// use bifold::{App, Config, Server};
///
/// let app = App::new(Config::default(), Server::new("greeter", "1.0.0"))?;
/// let router: Router = Router::new().route("/about", get(async || "about")).fallback_service(app);
/// # Ok::<(), bifold::StartError>(())
/// ```
impl<B> Service<Request<B>> for App
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let app = self.clone();
        let mut request = request.map(Body::new);
        let request_info = RequestInfo::of(&mut request);
        #[cfg(feature = "lambda_http")]
        let request_info = request_info.or_of_lambda_http(&mut request, self.config());
        answer(app, request, request_info)
    }
}

/// Not generic, so that it is compiled once, in the library.
fn answer(
    app: App,
    request: Request<Body>,
    request_info: RequestInfo,
) -> BoxFuture<'static, Result<Response<Body>, Infallible>> {
    Box::pin(async move { Ok(app.respond(request, request_info).await) })
}

impl App {
    /// Answers one HTTP request, whichever protocol it is for, and writes its line in the log.
    pub async fn serve(
        &self,
        request: extract::Request,
        request_info: RequestInfo,
    ) -> Response<Body> {
        self.boxed(request, request_info).await
    }

    /// Boxed, so that it is compiled once, in the library.
    fn boxed(&self, request: Request<Body>, info: RequestInfo) -> BoxFuture<'_, Response<Body>> {
        Box::pin(self.respond(request, info))
    }

    /// Answers one HTTP request, as [`App::serve`].
    pub(crate) async fn respond(
        &self,
        mut request: Request<Body>,
        request_info: RequestInfo,
    ) -> Response<Body> {
        self.normalise(&mut request);
        let listener = request_info.listener;
        let entry = self.entry(
            protocol_of(request.uri().path()),
            request.headers(),
            request_info,
        );
        let entry = entry.with_method(request.method());
        let cx = entry.cx.clone();
        let guard = RequestGuard::new(entry);
        let is_head = request.method() == Method::HEAD;
        if let Some(mounts) = &self.mounts {
            self.begin_mounts(mounts, request.uri().path()).await;
        }
        let mut answered = self.answer(request, listener, cx).await;
        framing::settle(&mut answered.response, is_head);
        guard.finish(answered)
    }
}

impl RequestInfo {
    /// What the transport has put into the extensions of the request.
    fn of(request: &mut Request<Body>) -> RequestInfo {
        let extensions = request.extensions_mut();
        let mut request_info: RequestInfo = extensions.remove().unwrap_or_default();
        let connected = extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = connected.map(|it| it.0.ip());
        request_info.peer = request_info.peer.or(peer);
        request_info
    }
}
