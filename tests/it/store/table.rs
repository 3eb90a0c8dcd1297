//! A stand-in for DynamoDB on loopback: one table, its conditions, and what can go wrong on the way to it.

use std::collections::{HashMap, VecDeque};
use std::future::pending;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::serve::ListenerExt;
use bifold::{Config, Secret, Store};
use http::{HeaderMap, Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::support::peers::Peers;
use crate::websocket::signature::TOKEN;

const NAME: &str = "bifold-test";

/// What becomes of one request.
#[derive(Clone, Copy)]
pub enum Fate {
    /// It is carried out and answered.
    Good,
    /// It is refused with that status and class.
    Refused(u16, &'static str),
    /// It is answered with that text, and not carried out.
    Said(u16, &'static str),
    /// It is carried out, and the connection breaks in the middle of the answer.
    Broken,
    /// It is never answered.
    Hung,
}

/// A running table. Clones are the same table.
#[derive(Clone)]
pub struct Table {
    state: Arc<Mutex<Held>>,
    operations: watch::Sender<Vec<String>>,
    connections: Arc<AtomicUsize>,
    pub peers: Peers,
    url: String,
}

#[derive(Default)]
struct Held {
    items: HashMap<String, Value>,
    fates: VecDeque<Fate>,
}

impl Table {
    pub async fn start() -> Table {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let table = Table {
            state: Arc::default(),
            operations: watch::Sender::default(),
            connections: Arc::default(),
            peers: Peers::default(),
            url: format!("http://{}", listener.local_addr().unwrap()),
        };
        let connections = table.connections.clone();
        let listener = listener.tap_io(move |_| {
            connections.fetch_add(1, Ordering::SeqCst);
        });
        let router = Router::new().fallback(answer).with_state(table.clone());
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(axum::serve(listener, service).into_future());
        table
    }

    /// What becomes of the next requests, one after the other; all after them are good.
    pub fn fate(&self, fates: &[Fate]) {
        self.state.lock().unwrap().fates.extend(fates);
    }

    /// The operations that were asked for; `look` is one that asks for nothing.
    pub fn operations(&self) -> Vec<String> {
        self.operations.borrow().clone()
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// How many items there are, the expired ones among them.
    pub fn len(&self) -> usize {
        self.state.lock().unwrap().items.len()
    }

    /// The keys of all items.
    pub fn keys(&self) -> Vec<String> {
        self.state.lock().unwrap().items.keys().cloned().collect()
    }

    /// Waits until the operation has been asked for so often.
    pub async fn asked(&self, operation: &str, times: usize) {
        let mut operations = self.operations.subscribe();
        let is_reached = |came: &Vec<String>| count(came, operation) >= times;
        operations.wait_for(is_reached).await.unwrap();
    }

    /// How often the operation has been asked for.
    pub fn count(&self, operation: &str) -> usize {
        count(&self.operations.borrow(), operation)
    }

    /// A process of its own that uses the table.
    pub fn store(&self) -> Store {
        store_at(&self.url)
    }

    /// The settings of such a process.
    pub fn settings(&self) -> Config {
        settings(&self.url)
    }

    fn told(&self, operation: &str) {
        let told = operation.to_owned();
        self.operations.send_modify(|came| came.push(told));
    }

    fn carry_out(&self, operation: &str, request: &Value) -> Result<Value, &'static str> {
        let mut held = self.state.lock().unwrap();
        let wanted = |value: &Value| value["pk"]["S"].as_str().unwrap().to_owned();
        match operation {
            "GetItem" => {
                assert_eq!(request["ConsistentRead"], true);
                let found = held.items.get(&wanted(&request["Key"]));
                Ok(found.map_or(json!({}), |item| json!({ "Item": item })))
            }
            "DeleteItem" => {
                held.items.remove(&wanted(&request["Key"]));
                Ok(json!({}))
            }
            "PutItem" => {
                let key = wanted(&request["Item"]);
                if !holds(request, held.items.get(&key)) {
                    return Err("ConditionalCheckFailedException");
                }
                check(&request["Item"]);
                held.items.insert(key, request["Item"].clone());
                Ok(json!({}))
            }
            _ => panic!("`{operation}` is not for this table"),
        }
    }
}

/// A store whose table is at that URL.
pub fn store_at(url: &str) -> Store {
    Store::new(&settings(url)).unwrap()
}

/// The settings of a process whose table is at that URL.
fn settings(url: &str) -> Config {
    let mut config = Config::default();
    config.table = Some(NAME.to_owned());
    config.aws.region = Some("eu-west-1".to_owned());
    config.aws.access_key_id = Some("AKIDEXAMPLE".to_owned());
    config.aws.secret_access_key = Some(Secret::new("secret"));
    config.aws.session_token = Some(Secret::new(TOKEN));
    config.aws.endpoint_url = Some(url.to_owned());
    config
}

async fn answer(
    State(table): State<Table>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    if method == Method::GET {
        table.told("look");
        table.peers.admit(peer, "look", false).await;
        return reply(200, "healthy: dynamodb.eu-west-1.amazonaws.com".to_owned());
    }
    let request: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(request["TableName"], NAME);
    assert_signed(&headers);
    let target = headers["x-amz-target"].to_str().unwrap();
    let operation = target.strip_prefix("DynamoDB_20120810.").unwrap();
    let fate = table.state.lock().unwrap().fates.pop_front();
    table.told(operation);
    table.peers.admit(peer, operation, true).await;
    match fate.unwrap_or(Fate::Good) {
        Fate::Good => match table.carry_out(operation, &request) {
            Ok(body) => reply(200, body.to_string()),
            Err(class) => refusal(400, class),
        },
        Fate::Refused(status, class) => refusal(status, class),
        Fate::Said(status, text) => reply(status, text.to_owned()),
        Fate::Broken => {
            table.carry_out(operation, &request).unwrap();
            let parts = [Ok(Bytes::from("{")), Err("the line is cut")];
            Response::new(Body::from_stream(futures_util::stream::iter(parts)))
        }
        Fate::Hung => pending().await,
    }
}

fn refusal(status: u16, class: &str) -> Response<Body> {
    let class = format!("com.amazonaws.dynamodb.v20120810#{class}");
    let body = json!({"__type": class, "message": "because"});
    reply(status, body.to_string())
}

fn reply(status: u16, body: String) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

/// Each request is signed, with all that matters in its headers, and shows no secret.
fn assert_signed(headers: &HeaderMap) {
    let authorization = headers["authorization"].to_str().unwrap();
    let names = "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target";
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"));
    assert!(authorization.contains("/eu-west-1/dynamodb/aws4_request, "));
    assert!(authorization.contains(names), "{authorization}");
    let signature = authorization.rsplit("Signature=").next().unwrap();
    assert_eq!(signature.len(), 64);
    assert_eq!(headers["x-amz-security-token"], TOKEN);
}

/// Whether the condition of a request holds for what is there: terms with OR between them, and AND inside of them.
fn holds(request: &Value, item: Option<&Value>) -> bool {
    let condition = request["ConditionExpression"].as_str().unwrap();
    let condition = condition.replace(['(', ')'], " ");
    let holds = |term: &str| {
        let words: Vec<&str> = term.split_whitespace().collect();
        if let ["attribute_not_exists", "pk"] = words[..] {
            return item.is_none();
        }
        let [name, operator, value] = words[..] else {
            panic!("`{term}` is not a term");
        };
        let values = &request["ExpressionAttributeValues"];
        let Some(found) = item.map(|item| &item[name]) else {
            return false;
        };
        match operator {
            "=" => *found == values[value],
            ">" => number(found) > number(&values[value]),
            "<=" => number(found) <= number(&values[value]),
            _ => panic!("`{operator}` is not an operator"),
        }
    };
    condition
        .split(" OR ")
        .any(|terms| terms.split(" AND ").all(holds))
}

/// An item is as the table's readers, and its own deletion of old items, expect it.
fn check(item: &Value) {
    let (expires, ttl) = (number(&item["expires"]), number(&item["ttl"]));
    assert!(
        ttl * 1000 >= expires && (ttl - 1) * 1000 < expires,
        "{item}"
    );
    assert!(number(&item["version"]) > 0 && item["value"]["S"].is_string());
}

fn number(value: &Value) -> u64 {
    value["N"].as_str().unwrap().parse().unwrap()
}

fn count(operations: &[String], operation: &str) -> usize {
    operations.iter().filter(|it| *it == operation).count()
}
