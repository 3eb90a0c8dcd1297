//! Finds the function for a method and a path: each method has a router of its own, so that a path which one method does
//! not take can still be another function's for it.

use std::sync::{Arc, OnceLock};

use http::Method;
use matchit::{Params, Router};
use tracing::debug;

use super::binding::Binding;
use crate::registry::{Registry, Route, Tool};

/// The methods in the order in which `Allow` lists them.
const METHODS: [Method; 5] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

/// The routes of all functions.
pub(super) struct Table(Vec<(Method, Router<Endpoint>)>);

/// One function at one of its paths.
pub(super) struct Endpoint {
    pub(super) tool: Arc<Tool>,
    /// The declared route; none for `POST /api/{name}`.
    pub(super) route: Option<Route>,
    binding: OnceLock<Binding>,
}

/// What stands at a path.
pub(super) enum Found<'t, 'p> {
    /// A function, and the parameters in the path.
    Endpoint(&'t Endpoint, Params<'t, 'p>),
    /// Functions for other methods, in the form of the header `Allow`.
    Methods(String),
    /// Nothing.
    Nothing,
}

impl Table {
    /// The routes of a registry. Of two that are the same, which every start but one on Lambda refuses, the first counts.
    pub(super) fn new(registry: &Registry) -> Table {
        let routers = METHODS.map(|method| (method, Router::new()));
        let mut table = Table(routers.into());
        for tool in registry.tools().iter().filter(|tool| tool.on_rest()) {
            for route in tool.routes() {
                table.insert(route.method(), route.path(), tool, Some(route));
            }
            if tool.has_name_path() {
                table.insert(&Method::POST, &format!("/{}", tool.name()), tool, None);
            }
        }
        table
    }

    fn insert(&mut self, method: &Method, path: &str, tool: &Arc<Tool>, route: Option<&Route>) {
        let endpoint = Endpoint {
            tool: tool.clone(),
            route: route.cloned(),
            binding: OnceLock::new(),
        };
        let router = self.0.iter_mut().find(|it| it.0 == *method);
        let inserted = router.map(|(_, router)| router.insert(path, endpoint));
        if let Some(Err(problem)) = inserted {
            debug!(path, %problem, "a route was left out");
        }
    }

    /// What answers this method at this path, below `/api`. `HEAD` is `GET` without its body.
    pub(super) fn find<'t, 'p>(&'t self, method: &Method, path: &'p str) -> Found<'t, 'p> {
        let method = match *method {
            Method::HEAD => &Method::GET,
            _ => method,
        };
        let router = self.0.iter().find(|it| it.0 == *method);
        if let Some(found) = router.and_then(|(_, router)| router.at(path).ok()) {
            return Found::Endpoint(found.value, found.params);
        }
        let others = self.0.iter().filter(|(_, router)| router.at(path).is_ok());
        let others: Vec<&str> = others.map(|(method, _)| listed(method)).collect();
        match others.is_empty() {
            true => Found::Nothing,
            false => Found::Methods(others.join(",")),
        }
    }
}

impl Endpoint {
    /// Where its parameters stand; the schema of the function is made for it.
    pub(super) fn binding(&self) -> &Binding {
        let binding = || Binding::new(&self.tool, self.route.as_ref());
        self.binding.get_or_init(binding)
    }

    /// Whether its arguments stand in a body.
    pub(super) fn takes_body(&self) -> bool {
        self.route.as_ref().is_none_or(Route::takes_body)
    }
}

fn listed(method: &Method) -> &str {
    match *method {
        Method::GET => "GET,HEAD",
        _ => method.as_str(),
    }
}
