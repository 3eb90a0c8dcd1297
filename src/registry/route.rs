//! Where a tool answers on REST: its methods and paths, and the status of its success.

use std::borrow::Cow;

use http::Method;

use super::tool::Tool;

/// A method and a path, below `/api`, at which a tool answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    method: Method,
    path: Cow<'static, str>,
    /// Whether it only counts beside a first one.
    pub(super) is_second: bool,
}

/// What a tool says of REST.
pub(super) struct Routes {
    list: Vec<Route>,
    has_name_path: bool,
    pub(super) status: Option<u16>,
    reports_progress: bool,
}

impl Route {
    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The name of the method.
    fn method_name(&self) -> &'static str {
        let known = ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter();
        let mut known = known.filter(|it| *it == self.method.as_str());
        known.next().unwrap_or("")
    }

    /// The path below `/api`, with parameters in braces.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The names in braces.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        let parts = self.path.split('/');
        parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Whether its method takes a body: `POST`, `PUT` and `PATCH`.
    pub fn takes_body(&self) -> bool {
        !matches!(self.method, Method::GET | Method::DELETE)
    }
}

impl Default for Routes {
    fn default() -> Routes {
        Routes {
            list: Vec::new(),
            has_name_path: true,
            status: None,
            reports_progress: false,
        }
    }
}

impl Tool {
    /// Also answers REST: `GET /api{path}`, and `POST /api/{name}` with the arguments as a JSON object.
    /// Parameters in braces are path parameters, the others query parameters. A tool may have several paths.
    pub fn get(self, path: impl Into<Cow<'static, str>>) -> Tool {
        self.at(Method::GET, path.into())
    }

    /// A second path for the same function, with fewer parameters in it.
    pub fn also_get(mut self, path: impl Into<Cow<'static, str>>) -> Tool {
        self = self.at(Method::GET, path.into());
        if let Some(route) = self.rest.list.last_mut() {
            route.is_second = true;
        }
        self
    }

    /// Also answers REST: `POST /api{path}` and `POST /api/{name}`. Parameters in braces are path parameters, the others
    /// stand in the body.
    pub fn post(self, path: impl Into<Cow<'static, str>>) -> Tool {
        self.at(Method::POST, path.into())
    }

    /// Also answers REST: `PUT /api{path}`, with parameters as those of [`Tool::post`].
    pub fn put(self, path: impl Into<Cow<'static, str>>) -> Tool {
        self.at(Method::PUT, path.into())
    }

    /// Also answers REST: `PATCH /api{path}`, with parameters as those of [`Tool::post`].
    pub fn patch(self, path: impl Into<Cow<'static, str>>) -> Tool {
        self.at(Method::PATCH, path.into())
    }

    /// Also answers REST: `DELETE /api{path}`, with parameters as those of [`Tool::get`].
    pub fn delete(self, path: impl Into<Cow<'static, str>>) -> Tool {
        self.at(Method::DELETE, path.into())
    }

    /// The HTTP status of a success on REST, such as 201; 200 where nothing is said.
    pub fn status(mut self, status: u16) -> Tool {
        self.rest.status = Some(status);
        self
    }

    /// Takes `POST /api/{name}` away, so that only the paths that are declared remain.
    pub fn without_name_path(mut self) -> Tool {
        self.rest.has_name_path = false;
        self
    }

    /// Says that it reports progress, so that the OpenAPI document describes the stream of events that a REST client gets
    /// with `Accept: text/event-stream`.
    pub fn reports_progress(mut self) -> Tool {
        self.rest.reports_progress = true;
        self
    }

    /// The methods and paths at which it answers on REST, beside [`Tool::has_name_path`].
    pub fn routes(&self) -> &[Route] {
        &self.rest.list
    }

    /// Whether it has REST paths.
    pub fn on_rest(&self) -> bool {
        !self.rest.list.is_empty()
    }

    /// Whether `POST /api/{name}` reaches it with all arguments in the body. A declared path that is the same one takes its
    /// place.
    pub fn has_name_path(&self) -> bool {
        let mut posts = self.of_method(Method::POST);
        let is_own = posts.any(|it| it.path.strip_prefix('/') == Some(self.name()));
        self.on_rest() && self.rest.has_name_path && !is_own
    }

    /// The HTTP status of a success on REST, where one was declared.
    pub fn success_status(&self) -> Option<u16> {
        self.rest.status
    }

    /// Whether it says that it reports progress.
    pub fn has_progress(&self) -> bool {
        self.rest.reports_progress
    }

    /// The GET path, below `/api`.
    pub fn path(&self) -> Option<&str> {
        let mut gets = self.of_method(Method::GET);
        gets.find(|it| !it.is_second).map(Route::path)
    }

    /// Every GET path, below `/api`.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.of_method(Method::GET).map(Route::path)
    }

    /// The method and the path, below `/api`, under which listings show it.
    pub fn place(&self) -> Option<(&'static str, &str)> {
        let get = self.of_method(Method::GET).find(|it| !it.is_second);
        let first = get.or(self.rest.list.first());
        first.map(|route| (route.method_name(), route.path()))
    }

    fn of_method(&self, method: Method) -> impl Iterator<Item = &Route> {
        let routes = self.rest.list.iter();
        routes.filter(move |route| route.method == method)
    }

    fn at(mut self, method: Method, path: Cow<'static, str>) -> Tool {
        self.rest.list.push(Route {
            method,
            path,
            is_second: false,
        });
        self
    }
}
