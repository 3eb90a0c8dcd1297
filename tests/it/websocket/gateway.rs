//! A stand-in for API Gateway and Lambda on loopback: it takes messages for connections, and invocations.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use bifold::{Config, RequestInfo, Secret, lambda};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::functions::{Gate, server};
use super::signature;
use crate::lambda::{changed, document, event};
use crate::store::table::Table;
use crate::support::TestApp;

/// The connection of the recorded events.
pub const CONNECTION: &str = "UXF3zdTqDoECHgA=";

/// What API Gateway takes for one message, and Lambda for one event.
const MOST: usize = 131_072;
const MOST_OF_EVENT: usize = 1 << 20;

/// What becomes of one request.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    /// It is refused with that status.
    Refused(u16),
    /// It is carried out, and the connection breaks in the middle of the answer.
    Broken,
    /// It is never answered.
    Hung,
}

/// What answers on the other side. Clones are the same.
#[derive(Clone)]
pub struct Gateway {
    url: String,
    fates: Arc<Mutex<VecDeque<Option<Fate>>>>,
    /// Messages as the client has got them.
    messages: Arc<watch::Sender<Vec<Value>>>,
    /// Events of invocations as Lambda has taken them.
    events: Arc<watch::Sender<Vec<String>>>,
    /// All requests, the refused ones among them.
    requests: Arc<watch::Sender<usize>>,
    /// Those that nobody waits for any more.
    given_up: Arc<watch::Sender<usize>>,
}

/// A request that hangs, until whoever made it has given it up.
struct GivenUp(Gateway);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.given_up.send_modify(|it| *it += 1);
    }
}

/// A function and what answers around it.
pub struct Function {
    pub app: TestApp,
    pub gateway: Gateway,
    pub gate: Gate,
}

impl Gateway {
    pub async fn start() -> Gateway {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gateway = Gateway {
            url: format!("http://{}", listener.local_addr().unwrap()),
            fates: Arc::default(),
            messages: Arc::default(),
            events: Arc::default(),
            requests: Arc::default(),
            given_up: Arc::default(),
        };
        let router = Router::new().fallback(answer).with_state(gateway.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        gateway
    }

    /// The settings of a function that has this around it.
    pub fn configure(&self, config: &mut Config) {
        config.function = Some("bifold".to_owned());
        config.ws_endpoint = Some(format!("{}/ws", self.url));
        config.aws.region = Some(signature::REGION.to_owned());
        config.aws.access_key_id = Some(signature::KEY_ID.to_owned());
        config.aws.secret_access_key = Some(Secret::new(signature::SECRET));
        config.aws.session_token = Some(Secret::new(signature::TOKEN));
        config
            .aws
            .endpoint_urls
            .insert("lambda".to_owned(), self.url.clone());
    }

    /// The same settings as variables of the environment.
    pub fn variables(&self) -> [(&'static str, String); 6] {
        [
            ("BIFOLD_WS_ENDPOINT", format!("{}/ws/", self.url)),
            ("AWS_REGION", signature::REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", signature::KEY_ID.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", signature::SECRET.to_owned()),
            ("AWS_SESSION_TOKEN", signature::TOKEN.to_owned()),
            ("AWS_ENDPOINT_URL_LAMBDA", self.url.clone()),
        ]
    }

    /// What becomes of the next requests, one after the other; `None` and all after them are carried out.
    pub fn fate(&self, fates: impl IntoIterator<Item = Option<Fate>>) {
        self.fates.lock().unwrap().extend(fates);
    }

    /// The messages that the client has got.
    pub fn messages(&self) -> Vec<Value> {
        self.messages.borrow().clone()
    }

    /// The messages, which are forgotten then.
    pub fn take_messages(&self) -> Vec<Value> {
        self.messages.send_replace(Vec::new())
    }

    /// Waits until the client has got so many messages.
    pub async fn told(&self, count: usize) -> Vec<Value> {
        let mut messages = self.messages.subscribe();
        messages
            .wait_for(|it| it.len() >= count)
            .await
            .unwrap()
            .clone()
    }

    /// The events of the invocations so far, which are forgotten then.
    pub fn take_events(&self) -> Vec<String> {
        self.events.send_replace(Vec::new())
    }

    /// Waits until there were so many requests.
    pub async fn asked(&self, count: usize) {
        let mut requests = self.requests.subscribe();
        requests.wait_for(|it| *it >= count).await.unwrap();
    }

    /// Waits until so many requests that hang were given up.
    pub async fn given_up(&self, count: usize) {
        let mut given_up = self.given_up.subscribe();
        given_up.wait_for(|it| *it >= count).await.unwrap();
    }

    /// How many requests there were.
    pub fn requests(&self) -> usize {
        *self.requests.borrow()
    }
}

impl Function {
    pub async fn start() -> Function {
        Function::with(|_| {}).await
    }

    /// One whose records are in that table.
    pub async fn sharing(table: &Table) -> Function {
        Function::with(|config| {
            let settings = table.settings();
            config.table = settings.table;
            config.aws.endpoint_url = settings.aws.endpoint_url;
        })
        .await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Function {
        let (gateway, gate) = (Gateway::start().await, Gate::default());
        let mut config = Config::default();
        gateway.configure(&mut config);
        change(&mut config);
        let app = bifold::App::new(config, server(&gate)).unwrap();
        let app = TestApp::of(app).await;
        Function { app, gateway, gate }
    }

    /// Answers an event, which must not fail.
    pub async fn invoke(&self, event: &str) -> Value {
        self.invoke_for(event, RequestInfo::default()).await
    }

    pub async fn invoke_for(&self, event: &str, request_info: RequestInfo) -> Value {
        let reply = lambda::answer(&self.app.app, event, request_info).await;
        document(reply.unwrap()).await
    }

    /// A frame of the client.
    pub async fn frame(&self, message: &Value) {
        self.text(&message.to_string()).await;
    }

    pub async fn text(&self, text: &str) {
        let answer = self.invoke(&message(text)).await;
        assert_eq!(answer, json!({"statusCode": 200}));
    }

    /// A frame of the client that is handed on: the event of the invocation that runs it.
    pub async fn handed_on(&self, message: &Value) -> String {
        self.frame(message).await;
        let mut events = self.gateway.take_events();
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }

    /// A frame of the client and, where it is handed on, what is done then: all that the client is told.
    pub async fn ask(&self, message: &Value) -> Vec<Value> {
        let event = self.handed_on(message).await;
        assert_eq!(self.invoke(&event).await, Value::Null);
        self.gateway.take_messages()
    }
}

/// The event of a frame.
pub fn message(text: &str) -> String {
    changed("websocket_message", &[("/body", json!(text))]).to_string()
}

/// The event of a client that is gone.
pub fn disconnect() -> String {
    event("websocket_disconnect").to_string()
}

async fn answer(State(gateway): State<Gateway>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    if parts.method == "GET" && parts.uri.path() == "/" {
        // After a quiet time the function looks whether anybody is here.
        return reply(403);
    }
    let fate = gateway.fates.lock().unwrap().pop_front().flatten();
    gateway.requests.send_modify(|it| *it += 1);
    assert_eq!(parts.method, "POST");
    let is_post = parts.uri.path() == format!("/ws/@connections/{CONNECTION}");
    let (service, most) = match is_post {
        true => ("execute-api", MOST),
        false => ("lambda", MOST_OF_EVENT),
    };
    if !signature::is_good(&parts, &body, service) {
        return reply(403);
    }
    match fate {
        Some(Fate::Refused(status)) => return refusal(status),
        Some(Fate::Hung) => {
            let _given_up = GivenUp(gateway);
            return pending().await;
        }
        Some(Fate::Broken) | None => {}
    }
    if body.len() > most {
        return reply(413);
    }
    let done = if is_post {
        let message = serde_json::from_slice(&body).unwrap();
        gateway.messages.send_modify(|it| it.push(message));
        reply(200)
    } else {
        assert_eq!(parts.uri.path(), "/2015-03-31/functions/bifold/invocations");
        assert_eq!(parts.headers["x-amz-invocation-type"], "Event");
        let event = String::from_utf8(body.into()).unwrap();
        gateway.events.send_modify(|it| it.push(event));
        reply(202)
    };
    match fate {
        Some(Fate::Broken) => {
            let parts = [Ok(Bytes::from("{")), Err("the line is cut")];
            Response::new(Body::from_stream(futures_util::stream::iter(parts)))
        }
        _ => done,
    }
}

/// A refusal as AWS words it: a reason that it has a name for, and a sentence that may name people.
fn refusal(status: u16) -> Response<Body> {
    let mut response = reply(status);
    let code = HeaderValue::from_static("SomeException:http://internal.amazon.com/");
    response.headers_mut().insert("x-amzn-errortype", code);
    *response.body_mut() = Body::from(r#"{"message": "arn:aws:iam::1:user/alice may not"}"#);
    response
}

fn reply(status: u16) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}
