//! Many concurrent calls that ask and continue: each gets its own answers, and no state is left behind.

use std::time::Duration;

use axum::body::Body;
use bifold::{App, Content, Context, Error, JsonSchema, Result, Tool};
use futures_util::future::join_all;
use http::Request;
use serde::Deserialize;
use serde_json::json;
use tokio::runtime::Handle;
use tokio::task::yield_now;
use tokio::time::advance;

use super::tasks::{cancel, client, once, task, update};
use super::{Client, Events, answered, ask, named, posted, reply, serving, text};

const CALLS: usize = 200;

/// One of many.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Numbered {
    /// Its number.
    a: u32,
}

/// Asks for both names of the user.
async fn full_name(cx: Context, Numbered { a }: Numbered) -> Result<Content> {
    let question = format!("Last of {a}?");
    let (first, last) = tokio::try_join!(ask(&cx, "first", "First?"), ask(&cx, "last", &question))?;
    Ok(Content::text(format!("{a} {first} {last}")))
}

fn asking() -> App {
    serving(vec![Tool::new("full_name", full_name)])
}

/// The call with this number by a 2025 client.
fn call(a: usize) -> Request<Body> {
    let params = json!({"name": "full_name", "arguments": {"a": a}});
    let call = json!({"jsonrpc": "2.0", "id": a, "method": "tools/call", "params": params});
    posted("2025-11-25", call)
}

fn alive() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

#[tokio::test]
async fn two_hundred_calls_in_rounds() {
    let app = asking();
    let client = Client::of(&app);
    let before = alive();
    let calls = (0..CALLS).map(async |a| {
        let arguments = json!({"a": a});
        let first = client
            .call("full_name", json!({"arguments": arguments}))
            .await;
        yield_now().await;
        let responses = json!({"first": named(&format!("F{a}")), "last": named(&format!("L{a}"))});
        let mut params = answered(&first, responses);
        params["arguments"] = arguments;
        assert_eq!(
            text(&client.call("full_name", params).await),
            format!("{a} F{a} L{a}")
        );
    });
    join_all(calls).await;
    assert_eq!((app.store().held(), alive()), (0, before));
}

#[tokio::test]
async fn two_hundred_calls_on_streams() {
    let app = asking();
    let before = alive();
    let streams = join_all((0..CALLS).map(async |a| {
        let mut events = Events::open(&app, call(a)).await;
        let questions = [events.next().await, events.next().await];
        (a, events, questions)
    }));
    let mut streams = streams.await;
    assert_eq!(app.store().held(), 2 * CALLS, "all questions are open");
    // The last is answered first.
    streams.reverse();
    for (a, mut events, questions) in streams {
        for question in questions {
            let is_first = question["params"]["message"] == "First?";
            let name = format!("{}{a}", if is_first { "F" } else { "L" });
            assert_eq!(reply(&app, &question, named(&name)).await.status, 202);
        }
        let last = events.next().await;
        assert_eq!(last["id"], a);
        assert_eq!(text(&last["result"]), format!("{a} F{a} L{a}"));
    }
    assert_eq!((app.store().held(), alive()), (0, before));
}

#[tokio::test]
async fn two_hundred_clients_that_hang_up() {
    let app = asking();
    let before = alive();
    let streams = join_all((0..CALLS).map(async |a| {
        let mut events = Events::open(&app, call(a)).await;
        events.next().await;
        events
    }));
    drop(streams.await);
    assert_eq!((app.store().held(), alive()), (0, before));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_tasks() {
    let long = async |cx: Context, Numbered { a }: Numbered| {
        cx.detach().await;
        for _ in 0..a % 7 {
            yield_now().await;
        }
        match a % 10 {
            0 => Ok(Content::text(format!(
                "{a} {}",
                ask(&cx, "name", "Name?").await?
            ))),
            1 => std::future::pending().await,
            _ => Ok::<_, Error>(Content::text(format!("{a} done"))),
        }
    };
    let app = serving(vec![Tool::new("long", long).task()]);
    let client = client(&app);
    let before = alive();
    join_all((0..1_000).map(async |a| {
        let id = task(&client.call("long", json!({"arguments": {"a": a}})).await);
        match a % 10 {
            0 => {
                once(&client, &id, "input_required").await;
                update(&client, &id, json!({"name": named(&format!("N{a}"))})).await;
                let done = once(&client, &id, "completed").await;
                assert_eq!(text(&done["result"]), format!("{a} N{a}"));
            }
            1 => cancel(&client, &id).await,
            _ => {
                let done = once(&client, &id, "completed").await;
                assert_eq!(text(&done["result"]), format!("{a} done"));
            }
        }
    }))
    .await;
    while alive() > before {
        yield_now().await;
    }
    assert_eq!(app.store().held(), 1_000, "what they came to is remembered");
    advance(Duration::from_secs(3_600)).await;
    assert_eq!(app.store().held(), 0);
}
