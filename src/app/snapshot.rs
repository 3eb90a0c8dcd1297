//! Everything that is made from one registry: requests hold it from their start to their end.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::Request;

use super::missing::{method_not_allowed, not_found};
use super::own_routes::elsewhere;
use crate::context::Context;
use crate::http::cors::{Cors, Offer};
use crate::http::origin::AllowedOrigins;
use crate::mcp::Endpoint;
use crate::registry::Registry;
use crate::rest::{self, RestApi};

/// A registry, and what each protocol makes of it. Lists, documents and schemas are made when they are first asked for.
pub(super) struct Snapshot {
    pub(super) registry: Arc<Registry>,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) rest: Arc<RestApi>,
    pub(super) cors: Cors,
    origins: AllowedOrigins,
    /// The application's own routes, for the paths that the library does not serve.
    own: Option<Router>,
    router: OnceLock<Router>,
}

impl Snapshot {
    /// The protocols of one registry.
    pub(super) fn new(
        registry: Arc<Registry>,
        endpoint: Endpoint,
        rest: RestApi,
        origins: AllowedOrigins,
        own: Option<Router>,
    ) -> Snapshot {
        let named = registry.clone();
        Snapshot {
            endpoint: Arc::new(endpoint),
            rest: Arc::new(rest),
            cors: Cors::new(origins.clone(), move || offer(&named)),
            origins,
            own,
            registry,
            router: OnceLock::new(),
        }
    }

    /// The same protocols with another registry.
    pub(super) fn with(&self, registry: Registry) -> Snapshot {
        let registry = Arc::new(registry);
        Snapshot::new(
            registry.clone(),
            self.endpoint.with(registry.clone()),
            self.rest.with(registry),
            self.origins.clone(),
            self.own.clone(),
        )
    }

    /// The pages of REST, and what answers at all other paths.
    pub(super) fn router(&self) -> &Router {
        self.router.get_or_init(|| {
            let (registry, own) = (self.registry.clone(), self.own.clone());
            rest::router(self.rest.clone())
                .fallback(move |request: Request| async move {
                    match &own {
                        Some(own) => elsewhere(own, &registry, request).await,
                        None => not_found(&registry, request.uri().path(), &Context::of(&request)),
                    }
                })
                .method_not_allowed_fallback(method_not_allowed)
        })
    }
}

fn offer(registry: &Registry) -> Offer {
    Offer {
        parameters: registry.header_names(),
        headers: registry.request_headers(),
        methods: registry.methods(),
    }
}
