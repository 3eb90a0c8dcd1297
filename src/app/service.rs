//! The application as a service of tower: for `axum::serve`, for a router's fallback, for layers and other transports.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::ConnectInfo;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use tower::Service;

use super::{App, RequestInfo};

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
        boxed(app, request, request_info)
    }
}

/// Not generic, so that it is compiled once, in the library.
fn boxed(
    app: App,
    request: Request<Body>,
    request_info: RequestInfo,
) -> BoxFuture<'static, Result<Response<Body>, Infallible>> {
    Box::pin(async move { Ok(app.respond(request, request_info).await) })
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
