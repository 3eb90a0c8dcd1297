//! The application's own routes and layers, which are those of axum: inside the access log, the host check and CORS.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{ConnectInfo, Request};
use axum::response::IntoResponse;
use futures_util::FutureExt;
use http::header::CONTENT_TYPE;
use http::{Method, Response, StatusCode, Uri};
use tower::{ServiceExt, service_fn};

use super::App;
use super::missing::not_found;
use super::snapshot::Snapshot;
use crate::context::Context;
use crate::context::answered::Answered;
use crate::registry::Registry;
use crate::rest;
use crate::telemetry::Outcome;

/// Adds one layer around what is in the router.
pub(crate) type AddLayer = Box<dyn FnOnce(Router) -> Router + Send>;

/// What an application adds to the paths of the library.
pub(super) struct OwnRoutes {
    routes: Option<Router>,
    /// The layers, and inside them the whole application. Made for the first request, as all routes are.
    layered: Option<LazyLock<Router, Box<dyn FnOnce() -> Router + Send>>>,
}

/// What a request takes along through the layers, so that they do not own the application that owns them.
#[derive(Clone)]
struct Inner {
    app: App,
    snapshot: Arc<Snapshot>,
    cx: Context,
}

/// The target as the client has sent it, where it is not in the one spelling that the library uses.
#[derive(Clone)]
pub(super) struct SentUri(pub(super) Uri);

impl OwnRoutes {
    /// `None` where the application adds nothing.
    pub(super) fn new(routes: Option<Router>, layers: Vec<AddLayer>) -> Option<Arc<OwnRoutes>> {
        if routes.is_none() && layers.is_empty() {
            return None;
        }
        let layered = (!layers.is_empty()).then(|| {
            let make: Box<dyn FnOnce() -> Router + Send> = Box::new(|| {
                let inner = Router::new().fallback_service(service_fn(answer_inside));
                layers.into_iter().fold(inner, |router, add| add(router))
            });
            LazyLock::new(make)
        });
        Some(Arc::new(OwnRoutes { routes, layered }))
    }

    /// The routes.
    pub(super) fn routes(&self) -> Option<&Router> {
        self.routes.as_ref()
    }

    /// Answers a request through the layers. A panic of a layer or of a route fails only its own request.
    pub(super) async fn answer(
        &self,
        app: &App,
        snapshot: Arc<Snapshot>,
        mut request: Request,
    ) -> Answered {
        let cx = Context::of(&request);
        introduce(&mut request, &cx);
        let answering = AssertUnwindSafe(self.through_layers(app, snapshot, request, &cx));
        let answered = answering.catch_unwind().await;
        answered.unwrap_or_else(|_| {
            internal(
                "a route or a layer failed in a way it was not written for; the defect was logged",
                &cx,
            )
        })
    }

    async fn through_layers(
        &self,
        app: &App,
        snapshot: Arc<Snapshot>,
        mut request: Request,
        cx: &Context,
    ) -> Answered {
        let Some(layered) = &self.layered else {
            return app.let_in(&snapshot, request).await;
        };
        request.extensions_mut().insert(Inner {
            app: app.clone(),
            snapshot,
            cx: cx.clone(),
        });
        let response = LazyLock::force(layered).clone().oneshot(request).await;
        Answered::of_route(response.unwrap_or_else(|never| match never {}))
    }
}

impl App {
    /// Whether the application has routes or layers of its own, which may ask for the address of the client.
    pub(crate) fn has_own_routes(&self) -> bool {
        self.own.is_some()
    }

    /// Whether a client with that request passes the layers, where the request only opens a connection that something
    /// else answers: the response of the layer that refuses it.
    pub(crate) async fn pass_layers(
        &self,
        request: impl FnOnce() -> Result<Request, String>,
        cx: &Context,
    ) -> Option<Response<Body>> {
        let layered = self.own.as_ref()?.layered.as_ref()?;
        let Ok(mut request) = request() else {
            return Some(StatusCode::BAD_REQUEST.into_response());
        };
        introduce(&mut request, cx);
        request.extensions_mut().insert(cx.clone());
        request.extensions_mut().insert(Connecting);
        let passing = LazyLock::force(layered).clone().oneshot(request);
        let response = match AssertUnwindSafe(passing).catch_unwind().await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        };
        (response.extensions().get::<Passed>().is_none()).then_some(response)
    }
}

/// Marks a request that only opens a connection, so that nothing is to be answered behind the layers.
#[derive(Clone)]
struct Connecting;

/// Marks the response to such a request that has passed all layers.
#[derive(Clone)]
struct Passed;

/// The innermost service: the application itself.
async fn answer_inside(mut request: Request) -> Result<Response<Body>, Infallible> {
    let extensions = request.extensions_mut();
    let Some(Inner { app, snapshot, cx }) = extensions.remove() else {
        let mut response = Response::new(Body::empty());
        match extensions.get::<Connecting>() {
            Some(_) => drop(response.extensions_mut().insert(Passed)),
            // A layer has put another request in the place of this one.
            None => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
        }
        return Ok(response);
    };
    if extensions.get::<Context>().is_none() {
        extensions.insert(cx);
    }
    Ok(app.let_in(&snapshot, request).await.into_response())
}

/// Answers at `/`: the application's own route comes before the one of the library.
pub(super) async fn index(own: &Router, snapshot: &Snapshot, request: Request) -> Answered {
    let (parts, body) = request.into_parts();
    let again = Request::from_parts(parts.clone(), Body::empty());
    let is_read = [Method::GET, Method::HEAD].contains(&parts.method);
    let answered = ask(own, Request::from_parts(parts, body)).await;
    if !is_missing(&answered) || !is_read {
        return answered;
    }
    let response = snapshot.router().clone().oneshot(again).await;
    Answered::of_route(response.unwrap_or_else(|never| match never {}))
}

/// Answers at a path that the library does not serve. A bare 404 becomes the problem document that all paths have.
pub(super) async fn elsewhere(own: &Router, registry: &Registry, request: Request) -> Answered {
    let (cx, path) = (Context::of(&request), request.uri().path().to_owned());
    let answered = ask(own, request).await;
    match is_missing(&answered) {
        true => not_found(registry, &path, &cx),
        false => answered,
    }
}

async fn ask(own: &Router, mut request: Request) -> Answered {
    if let Some(SentUri(uri)) = request.extensions_mut().remove() {
        *request.uri_mut() = uri;
    }
    let response = own.clone().oneshot(request).await;
    Answered::of_route(response.unwrap_or_else(|never| match never {}))
}

/// Whether it is the response of a router without a route for the path.
fn is_missing(answered: &Answered) -> bool {
    let response = &answered.response;
    let is_empty = response.body().size_hint().exact() == Some(0);
    response.status() == StatusCode::NOT_FOUND
        && is_empty
        && !response.headers().contains_key(CONTENT_TYPE)
}

/// Tells routes and layers the address of the client, as axum does.
fn introduce(request: &mut Request, cx: &Context) {
    let extensions = request.extensions_mut();
    if let Some(peer) = cx.peer()
        && extensions.get::<ConnectInfo<SocketAddr>>().is_none()
    {
        // Only the connection of a socket has a port.
        extensions.insert(ConnectInfo(SocketAddr::new(peer, 0)));
    }
}

fn internal(detail: &str, cx: &Context) -> Answered {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    let answered = rest::problem(status, "internal", detail, cx.request_id());
    let outcome = Outcome {
        error: Some("internal"),
        ..Outcome::default()
    };
    Answered {
        outcome,
        ..answered
    }
}
