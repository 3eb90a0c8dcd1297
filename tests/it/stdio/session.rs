//! One session in process: both eras, several requests at a time, questions, cancellation, and its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::{Client, call, legacy, modern, server};
use crate::support::Log;

#[tokio::test]
async fn it_answers_both_eras_with_plain_messages_of_one_line() {
    let mut client = Client::start();
    let params = json!({"protocolVersion": "2025-06-18"});
    client.say(&legacy(1, "initialize", params)).await;
    let told = client.hear().await;
    assert_eq!(told["result"]["serverInfo"]["name"], "weather");
    assert_eq!(told["result"]["protocolVersion"], "2025-06-18");
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    client.say(&initialized).await;
    client
        .say(&call("a", "greet", json!({"name": "Ada"})))
        .await;
    let told = client.hear().await;
    assert_eq!(told["id"], "a");
    assert_eq!(
        told["result"]["structuredContent"],
        json!({"text": "Hello,\nAda!"})
    );
    assert!(!told.to_string().contains("bifold/seq"), "{told}");
    client.say(&modern(2, "server/discover", json!({}))).await;
    assert_eq!(client.hear().await["result"]["resultType"], "complete");
    let params = json!({"name": "greet", "arguments": {"name": "Grace"}});
    client.say(&modern(3, "tools/call", params)).await;
    let told = client.hear().await;
    assert_eq!(
        told["result"]["structuredContent"]["text"],
        "Hello,\nGrace!"
    );
    let (rest, ended) = client.end().await;
    assert!(rest.is_empty() && ended.is_ok(), "{rest:?}");
}

#[tokio::test]
async fn what_is_no_message_is_refused_and_the_next_one_is_answered() {
    let mut client = Client::with(|config| config.max_request_bytes = 200, server());
    for (text, code, said) in [
        ("{not json\n", -32700, ""),
        (
            "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]\n",
            -32600,
            "batch",
        ),
        ("{\"id\":1}\n", -32600, ""),
    ] {
        client.write(text).await;
        let told = client.hear().await;
        assert_eq!(told["error"]["code"], code, "{text}: {told}");
        let message = told["error"]["message"].as_str().unwrap();
        assert!(message.contains(said), "{told}");
    }
    client.write(&format!("{}\n", "x".repeat(10_000))).await;
    assert_eq!(client.hear().await["error"]["code"], -32600);
    let input = client.input.as_mut().unwrap();
    input.write_all(b"\xff\xfe\n").await.unwrap();
    assert_eq!(client.hear().await["error"]["code"], -32600);
    client.write("\n  \n").await;
    client.say(&legacy(1, "ping", json!({}))).await;
    assert_eq!(
        client.hear().await,
        json!({"jsonrpc": "2.0", "id": 1, "result": {}})
    );
}

#[tokio::test]
async fn requests_run_at_once_and_a_cancelled_one_gets_no_response() {
    let mut client = Client::start();
    for id in 0..40 {
        client.say(&call(id, "wait", json!({}))).await;
    }
    client
        .say(&call("quick", "greet", json!({"name": "Ada"})))
        .await;
    assert_eq!(client.hear().await["id"], "quick");
    client.say(&call(0, "greet", json!({"name": "Ada"}))).await;
    let told = client.hear().await;
    assert!(told.to_string().contains("still runs"), "{told}");
    for id in 0..40 {
        let params = json!({"requestId": id});
        let method = "notifications/cancelled";
        client
            .say(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
            .await;
    }
    client
        .say(&call(0, "greet", json!({"name": "Grace"})))
        .await;
    assert_eq!(client.hear().await["id"], 0);
    let (rest, ended) = client.end().await;
    assert!(rest.is_empty() && ended.is_ok(), "{rest:?}");
}

#[tokio::test]
async fn progress_and_log_come_before_a_question_whose_answer_ends_the_call() {
    let mut client = Client::start();
    let mut request = call("q", "ask", json!({}));
    request["params"]["_meta"] = json!({"progressToken": "t"});
    client.say(&request).await;
    let progress = client.hear().await;
    assert_eq!(progress["method"], "notifications/progress");
    assert_eq!(progress["params"]["progressToken"], "t");
    assert_eq!(client.hear().await["method"], "notifications/message");
    let question = client.hear().await;
    assert_eq!(question["method"], "sampling/createMessage");
    let content = json!({"type": "text", "text": "Ada"});
    let result = json!({"role": "assistant", "model": "m", "content": content});
    client
        .say(&json!({"jsonrpc": "2.0", "id": question["id"], "result": result}))
        .await;
    let told = client.hear().await;
    assert_eq!(told["id"], "q");
    assert_eq!(told["result"]["structuredContent"]["text"], "Ada");
}

#[tokio::test]
async fn a_panic_is_one_failed_call() {
    let mut client = Client::start();
    client
        .say(&call(1, "greet", json!({"name": "panic"})))
        .await;
    let told = client.hear().await;
    assert_eq!(told["result"]["isError"], true, "{told}");
    client.say(&legacy(2, "ping", json!({}))).await;
    assert_eq!(client.hear().await["id"], 2);
}

#[tokio::test]
async fn at_the_end_of_the_input_running_requests_are_finished_first() {
    let mut client = Client::start();
    for id in 0..20 {
        client.say(&call(id, "greet", json!({"name": "Ada"}))).await;
    }
    // The last line needs no end.
    let last = call("last", "greet", json!({"name": "Ada"}));
    client.write(&last.to_string()).await;
    let (rest, ended) = client.end().await;
    assert!(ended.is_ok());
    let ids: Vec<&Value> = rest.iter().map(|it| &it["id"]).collect();
    assert_eq!(ids.len(), 21, "{ids:?}");
    assert!(ids.contains(&&json!("last")));
}

#[tokio::test(start_paused = true)]
async fn what_never_ends_fails_at_its_timeout_and_the_end_still_runs() {
    let stopped = Arc::new(AtomicBool::new(false));
    let seen = stopped.clone();
    let server = server().on_stop(async move |_: bifold::Context| {
        seen.store(true, Ordering::SeqCst);
        Ok::<(), std::fmt::Error>(())
    });
    let limit = Duration::from_secs(3);
    let mut client = Client::with(|config| config.call_timeout = limit, server);
    client.say(&call(1, "wait", json!({}))).await;
    let (rest, ended) = client.end().await;
    assert!(ended.is_ok());
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert!(rest[0].to_string().contains("time"), "{rest:?}");
    assert!(stopped.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_shutdown_ends_it_without_the_end_of_the_input() {
    let mut client = Client::start();
    client.say(&legacy(1, "ping", json!({}))).await;
    client.hear().await;
    client.stop.take().unwrap().send(()).unwrap();
    assert!(client.serving.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_client_that_is_gone_ends_it_without_an_error() {
    let mut client = Client::start();
    client.say(&legacy(1, "ping", json!({}))).await;
    client.hear().await;
    let Client {
        input,
        output,
        stop,
        serving,
    } = client;
    drop((input, output));
    assert!(serving.await.unwrap().is_ok());
    drop(stop);
}

#[tokio::test]
async fn each_message_has_its_line_in_the_log() {
    let log = Log::default();
    let _guard = log.keep();
    let mut client = Client::start();
    client.say(&call(1, "greet", json!({"name": "Ada"}))).await;
    client.hear().await;
    client.end().await.1.unwrap();
    let lines = log.requests();
    assert_eq!(lines.len(), 1);
    let fields = ["protocol", "function", "outcome"].map(|it| &lines[0][it]);
    assert_eq!(fields, ["stdio", "greet", "ok"]);
}
