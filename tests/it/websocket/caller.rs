//! Callers behind API Gateway: the request that opens a connection has credentials, and its messages belong to it.

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::call;
use super::gateway::{Function, disconnect};
use super::legacy;
use crate::lambda::changed;
use crate::support::Log;

const SECRET: &str = "bfk_c2VjcmV0";

async fn guarded() -> Function {
    let hash = digest(&SHA256, SECRET.as_bytes());
    let hash: String = hash
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Function::with(|config| config.api_keys = Some(format!("ci {hash}"))).await
}

fn connect(key: &str) -> String {
    changed("websocket_connect", &[("/headers/X-API-Key", json!(key))]).to_string()
}

/// The code of the error that a frame is answered with.
async fn code(function: &Function, frame: &Value) -> Option<i64> {
    function.frame(frame).await;
    let told = function.gateway.take_messages();
    assert_eq!(told.len(), 1, "{told:?}");
    told[0]["error"]["code"].as_i64()
}

#[tokio::test]
async fn the_caller_of_a_connection_is_the_caller_of_its_messages() {
    let log = Log::default();
    let _guard = log.keep();
    let function = guarded().await;
    let list = legacy(1, "tools/list", json!({}));
    assert_eq!(
        code(&function, &list).await,
        Some(401),
        "nobody has opened the connection"
    );
    for key in ["", "bfk_other"] {
        let refused = function.invoke(&connect(key)).await;
        assert_eq!(refused["statusCode"], 401, "{refused}");
        let challenge = refused["headers"]["WWW-Authenticate"].as_str().unwrap();
        assert!(challenge.starts_with("Bearer"), "{challenge}");
    }
    assert_eq!(code(&function, &list).await, Some(401));
    assert_eq!(function.invoke(&connect(SECRET)).await["statusCode"], 200);
    assert_eq!(code(&function, &list).await, None);
    let told = function.ask(&call(2, "large", json!({"answer": 3}))).await;
    assert!(told.last().unwrap().get("result").is_some(), "{told:?}");
    function.invoke(&disconnect()).await;
    assert_eq!(
        code(&function, &list).await,
        Some(401),
        "the connection has ended"
    );
    let lines = log.requests();
    assert!(
        lines.iter().any(|line| line["api_key"] == "ci"),
        "{lines:?}"
    );
    assert!(!lines.iter().any(|line| line.to_string().contains(SECRET)));
}
