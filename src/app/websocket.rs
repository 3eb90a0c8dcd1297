//! The path of WebSockets on this machine.

use std::sync::Arc;

use axum::RequestExt;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Request, WebSocketUpgrade};
use axum::routing::{MethodRouter, get};
use http::{HeaderValue, StatusCode};

use super::App;
use crate::context::Context;
use crate::context::answered::Answered;
use crate::http::buffers::Intake;
use crate::rest;
use crate::telemetry::Outcome;
use crate::websocket::Sockets;

impl App {
    /// The WebSocket protocol.
    pub(crate) fn sockets(&self) -> &Sockets {
        &self.sockets
    }

    /// Ready when no WebSocket of this machine is open and no task of this process runs.
    pub(crate) async fn closed(&self) {
        self.sockets.closed().await;
        self.shutdown.is_over().await;
    }
}

/// `GET /ws`.
pub(super) fn route(sockets: Arc<Sockets>) -> MethodRouter {
    get(move |request: Request| async move { connect(&sockets, request).await })
}

async fn connect(sockets: &Sockets, mut request: Request) -> Answered {
    let cx = Context::of(&request);
    if !sockets.admits(request.headers()) {
        let detail = "this `Origin` may not connect; list it in BIFOLD_ALLOWED_ORIGINS";
        let status = StatusCode::FORBIDDEN;
        return rest::problem(status, "forbidden_origin", detail, cx.request_id());
    }
    let upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection> =
        request.extract_parts().await;
    match upgrade {
        Ok(upgrade) => {
            let intake = request.extensions().get::<Intake>().cloned();
            let intake = intake.unwrap_or_else(|| Intake::new(cx.buffers()));
            Answered::new(sockets.upgrade(upgrade, cx, intake), Outcome::default())
        }
        Err(refused) => {
            let detail = format!("this path takes WebSocket connections, version 13: {refused}");
            let status = StatusCode::UPGRADE_REQUIRED;
            let mut response = rest::problem(status, "upgrade_required", &detail, cx.request_id());
            let upgrade = HeaderValue::from_static("websocket");
            response
                .headers_mut()
                .insert(http::header::UPGRADE, upgrade);
            response
        }
    }
}
