//! A canned upstream with a response for each method and path.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use super::{Canned, CannedUpstream, Fault, Received};

/// Begins a canned upstream that stands for the declared upstream `name`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use std::time::Duration;
///
/// use bifold::testing::upstream;
/// use serde_json::json;
///
/// let weather = upstream("weather")
///     .on_get("/stations/{id}").json(json!({"celsius": 21.5}))
///     .on_get("/search").query("q", "berlin").json(json!(["main"]))
///     .on_post("/stations").times(1).status(503).header("retry-after", "1")
///     .on_post("/stations").status(201).json(json!({"id": 7})).delay(Duration::from_millis(5))
///     .start()
///     .await?;
/// let mut config = bifold::Config::default();
/// weather.configure(&mut config);
/// # Ok(())
/// # }
/// ```
pub fn upstream(name: impl Into<String>) -> UpstreamBuilder {
    UpstreamBuilder {
        name: name.into(),
        routes: Vec::new(),
    }
}

/// A canned upstream that is not started yet. The first response that fits a request answers it; a request that none
/// fits gets the status 501, which is an upstream failure.
pub struct UpstreamBuilder {
    name: String,
    routes: Vec<Route>,
}

/// The response to one method and path; without any other step it is an empty one with status 200.
pub struct RouteBuilder {
    upstream: UpstreamBuilder,
    route: Route,
}

struct Route {
    method: String,
    /// The path, in which `{name}` stands for any segment.
    path: String,
    query: Vec<(String, String)>,
    canned: Canned,
    /// How often it is still given.
    left: AtomicUsize,
}

impl UpstreamBuilder {
    /// Begins the response to `GET path`. `{name}` in the path stands for any one segment.
    pub fn on_get(self, path: impl Into<String>) -> RouteBuilder {
        self.on("GET", path)
    }

    /// Begins the response to `POST path`, as [`UpstreamBuilder::on_get`].
    pub fn on_post(self, path: impl Into<String>) -> RouteBuilder {
        self.on("POST", path)
    }

    /// Begins the response to `PUT path`, as [`UpstreamBuilder::on_get`].
    pub fn on_put(self, path: impl Into<String>) -> RouteBuilder {
        self.on("PUT", path)
    }

    /// Begins the response to `PATCH path`, as [`UpstreamBuilder::on_get`].
    pub fn on_patch(self, path: impl Into<String>) -> RouteBuilder {
        self.on("PATCH", path)
    }

    /// Begins the response to `DELETE path`, as [`UpstreamBuilder::on_get`].
    pub fn on_delete(self, path: impl Into<String>) -> RouteBuilder {
        self.on("DELETE", path)
    }

    /// Begins the response to any method, as [`UpstreamBuilder::on_get`].
    pub fn on(self, method: impl Into<String>, path: impl Into<String>) -> RouteBuilder {
        let route = Route {
            method: method.into(),
            path: path.into(),
            query: Vec::new(),
            canned: Canned::status(200, "", ""),
            left: AtomicUsize::new(usize::MAX),
        };
        RouteBuilder {
            upstream: self,
            route,
        }
    }

    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// The error of the socket.
    pub async fn start(self) -> io::Result<CannedUpstream> {
        let routes = self.routes;
        let answer = move |received: &Received| {
            let found = routes.iter().find(|it| it.takes(received));
            found.map_or_else(|| unknown(received), |it| it.canned.clone())
        };
        CannedUpstream::serve(Some(self.name), Box::new(answer)).await
    }
}

impl RouteBuilder {
    /// Answers only requests with this parameter in their query.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> RouteBuilder {
        self.route.query.push((name.into(), value.into()));
        self
    }

    /// Answers only this many requests; the next declaration for the same path answers the requests after them.
    pub fn times(mut self, times: usize) -> RouteBuilder {
        self.route.left = AtomicUsize::new(times);
        self
    }

    /// Sets the status.
    pub fn status(self, status: u16) -> RouteBuilder {
        self.with(|canned| canned.with_status(status))
    }

    /// Adds a header.
    pub fn header(self, name: impl Into<String>, value: impl Into<String>) -> RouteBuilder {
        self.with(|canned| canned.header(name.into(), value))
    }

    /// Sets a JSON body.
    ///
    /// # Panics
    /// The value cannot be written as JSON.
    pub fn json(self, value: impl Serialize) -> RouteBuilder {
        let body = serde_json::to_vec(&value).expect("the body of a canned response is JSON");
        self.body("application/json", body)
    }

    /// Sets a body of text.
    pub fn text(self, text: impl Into<String>) -> RouteBuilder {
        self.body("text/plain; charset=utf-8", text.into())
    }

    /// Sets any body.
    pub fn body(self, content_type: &'static str, body: impl Into<Bytes>) -> RouteBuilder {
        self.with(|canned| canned.with_body(content_type, body.into()))
    }

    /// Answers after this time.
    pub fn delay(self, time: Duration) -> RouteBuilder {
        self.fault(Fault::Delay(time))
    }

    /// Lets the response go wrong.
    pub fn fault(self, fault: Fault) -> RouteBuilder {
        self.with(|canned| canned.fault(fault))
    }

    /// Begins the next response: [`UpstreamBuilder::on_get`].
    pub fn on_get(self, path: impl Into<String>) -> RouteBuilder {
        self.done().on_get(path)
    }

    /// Begins the next response: [`UpstreamBuilder::on_post`].
    pub fn on_post(self, path: impl Into<String>) -> RouteBuilder {
        self.done().on_post(path)
    }

    /// Begins the next response: [`UpstreamBuilder::on_put`].
    pub fn on_put(self, path: impl Into<String>) -> RouteBuilder {
        self.done().on_put(path)
    }

    /// Begins the next response: [`UpstreamBuilder::on_patch`].
    pub fn on_patch(self, path: impl Into<String>) -> RouteBuilder {
        self.done().on_patch(path)
    }

    /// Begins the next response: [`UpstreamBuilder::on_delete`].
    pub fn on_delete(self, path: impl Into<String>) -> RouteBuilder {
        self.done().on_delete(path)
    }

    /// Begins the next response: [`UpstreamBuilder::on`].
    pub fn on(self, method: impl Into<String>, path: impl Into<String>) -> RouteBuilder {
        self.done().on(method, path)
    }

    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// The error of the socket.
    pub async fn start(self) -> io::Result<CannedUpstream> {
        self.done().start().await
    }

    fn done(mut self) -> UpstreamBuilder {
        self.upstream.routes.push(self.route);
        self.upstream
    }

    fn with(mut self, change: impl FnOnce(Canned) -> Canned) -> RouteBuilder {
        self.route.canned = change(self.route.canned);
        self
    }
}

impl Route {
    /// Whether it answers the request, which then counts.
    fn takes(&self, received: &Received) -> bool {
        let fits = self.method == received.method
            && self.fits(&received.path)
            && self.query.iter().all(|it| received.query.contains(it));
        let less = |left: usize| left.checked_sub(1);
        fits && self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .is_ok()
    }

    fn fits(&self, path: &str) -> bool {
        let is_any = |it: &str| it.starts_with('{') && it.ends_with('}');
        let (mut own, mut asked) = (self.path.split('/'), path.split('/'));
        loop {
            match (own.next(), asked.next()) {
                (None, None) => return true,
                (Some(own), Some(asked)) if own == asked || (is_any(own) && !asked.is_empty()) => {}
                _ => return false,
            }
        }
    }
}

fn unknown(received: &Received) -> Canned {
    let problem = format!(
        "no canned response to {} {}",
        received.method, received.path
    );
    Canned::status(501, "text/plain", problem)
}
