//! The request state that clients keep between two rounds: nobody can read or change it, and it is valid for its call only.

use std::time::Duration;

use bifold::{App, Clock, Config, JsonSchema, Key, Timestamp, Tool};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Client, answered, configured, greet, named, text};

const OLD: [u8; 32] = [1; 32];
const NEW: [u8; 32] = [2; 32];

fn keyed(keys: &[[u8; 32]], change: impl FnOnce(&mut Config)) -> App {
    let tools = vec![
        Tool::new("greet", |cx, Pair { .. }| greet(cx)),
        Tool::new("other", |cx, Pair { .. }| greet(cx)),
    ];
    configured(tools, |config| {
        config.state_keys = keys.iter().copied().map(Key::new).collect();
        change(config);
    })
}

fn at(moment: &str, input_timeout: Duration) -> App {
    keyed(&[OLD], |config| {
        config.clock = Clock::Fixed(Timestamp::parse(moment).unwrap());
        config.input_timeout = input_timeout;
    })
}

/// Takes two things.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "what matters is that they are compared")]
struct Pair {
    /// A number.
    #[serde(default)]
    a: u32,
    /// A text.
    #[serde(default)]
    b: String,
}

/// Accepts any value.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Deep {
    /// A tree.
    #[schemars(with = "Vec<String>")]
    #[expect(dead_code, reason = "what matters is that it can be read")]
    tree: Box<RawValue>,
}

/// The first round of a call by this client.
async fn begun(client: &Client) -> Value {
    client.call("greet", json!({})).await
}

/// The second round of the call.
fn on(first: &Value) -> Value {
    answered(first, json!({"name": named("Ada")}))
}

const REFUSED: (u16, i64) = (200, -32602);

#[tokio::test]
async fn another_process_with_the_same_key_resumes_the_call() {
    let one = Client::of(&keyed(&[OLD], |_| {}));
    let two = Client::of(&keyed(&[OLD], |_| {}));
    let last = two.call("greet", on(&begun(&one).await)).await;
    assert_eq!(text(&last), "Hello, Ada!");
}

#[tokio::test]
async fn a_new_key_encrypts_while_the_old_one_still_decrypts() {
    let old = Client::of(&keyed(&[OLD], |_| {}));
    let both = Client::of(&keyed(&[NEW, OLD], |_| {}));
    let new = Client::of(&keyed(&[NEW], |_| {}));
    let first = begun(&old).await;
    assert_eq!(text(&both.call("greet", on(&first)).await), "Hello, Ada!");
    assert_eq!(new.refusal("greet", on(&first)).await, REFUSED);
    let first = begun(&both).await;
    assert_eq!(text(&new.call("greet", on(&first)).await), "Hello, Ada!");
    assert_eq!(old.refusal("greet", on(&first)).await, REFUSED);
}

#[tokio::test]
async fn a_process_without_a_configured_key_decrypts_no_state_of_another() {
    let one = Client::of(&keyed(&[], |_| {}));
    let two = Client::of(&keyed(&[], |_| {}));
    let first = begun(&one).await;
    assert_eq!(text(&one.call("greet", on(&first)).await), "Hello, Ada!");
    assert_eq!(two.refusal("greet", on(&first)).await, REFUSED);
}

#[tokio::test]
async fn it_is_valid_as_long_as_a_client_may_take_to_answer() {
    let minute = Duration::from_secs(60);
    let first = begun(&Client::of(&at("2026-11-21T10:00:00Z", minute))).await;
    for (moment, is_good) in [
        ("2026-11-21T10:00:00Z", true),
        ("2026-11-21T10:01:00Z", true),
        ("2026-11-21T10:01:01Z", false),
        ("2027-11-21T10:00:00Z", false),
    ] {
        let client = Client::of(&at(moment, minute));
        match is_good {
            true => assert_eq!(text(&client.call("greet", on(&first)).await), "Hello, Ada!"),
            false => assert_eq!(
                client.refusal("greet", on(&first)).await,
                REFUSED,
                "{moment}"
            ),
        }
    }
}

#[tokio::test]
async fn any_change_of_it_is_refused() {
    let client = Client::of(&keyed(&[OLD], |_| {}));
    let first = begun(&client).await;
    let state = first["requestState"].as_str().unwrap();
    let with = |state: &str| {
        let mut params = on(&first);
        params["requestState"] = state.into();
        params
    };
    for place in 0..state.len() {
        let letter = if &state[place..=place] == "A" {
            "B"
        } else {
            "A"
        };
        let changed = [&state[..place], letter, &state[place + 1..]].concat();
        assert_eq!(
            client.refusal("greet", with(&changed)).await,
            REFUSED,
            "{place}"
        );
    }
    for changed in [
        format!("{state}-TAMPERED"),
        format!("{state}="),
        format!(" {state}"),
        state[1..].to_owned(),
        state[..state.len() - 1].to_owned(),
        state[..state.len() - 4].to_owned(),
        state[..8].to_owned(),
        String::new(),
        "é".to_owned(),
        "A".repeat(100_000),
    ] {
        assert_eq!(
            client.refusal("greet", with(&changed)).await,
            REFUSED,
            "{changed}"
        );
    }
    assert_eq!(
        text(&client.call("greet", with(state)).await),
        "Hello, Ada!"
    );
}

#[tokio::test]
async fn it_is_valid_for_equal_arguments_in_any_order() {
    let client = Client::of(&keyed(&[OLD], |_| {}));
    let first = client
        .call("greet", json!({"arguments": {"a": 1, "b": "x"}}))
        .await;
    // `Value` sorts its fields, so the order is written by hand.
    let body = |arguments: &str| {
        let mut params = on(&first);
        params["name"] = "greet".into();
        params["arguments"] = "ARGUMENTS".into();
        let request = client.request("tools/call", params);
        let (parts, body) = request.into_parts();
        let arguments = arguments.to_owned();
        async move {
            let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let text = std::str::from_utf8(&bytes)
                .unwrap()
                .replace("\"ARGUMENTS\"", &arguments);
            http::Request::from_parts(parts, text.into())
        }
    };
    for same in [r#"{"a":1,"b":"x"}"#, r#"{ "b" : "\u0078", "a" : 1 }"#] {
        let answer = client.send(body(same).await).await.json();
        assert_eq!(text(&answer["result"]), "Hello, Ada!", "{same}");
    }
    for other in [
        r#"{"a":2,"b":"x"}"#,
        r#"{"a":1}"#,
        r#"{"a":1,"b":"x","c":1}"#,
        "{}",
    ] {
        let answer = client.send(body(other).await).await.json();
        assert_eq!(answer["error"]["code"], -32602, "{other}");
    }
    let none = client.call("greet", json!({})).await;
    let mut params = on(&none);
    params["arguments"] = json!({});
    let last = client.call("greet", params).await;
    assert_eq!(text(&last), "Hello, Ada!", "no arguments are empty ones");
}

#[tokio::test]
async fn arguments_that_are_nested_too_deeply_to_be_compared_are_not_all_alike() {
    let deep = |seed: u32| {
        let tree = (0..200).fold(json!(seed), |inner, _| json!([inner]));
        json!({"arguments": {"tree": tree}})
    };
    let tool = Tool::new("deep", |cx, Deep { .. }| greet(cx));
    let client = Client::of(&configured(vec![tool], |_| {}));
    let first = client.call("deep", deep(1)).await;
    let again = |seed: u32| {
        let mut params = on(&first);
        params["arguments"] = deep(seed)["arguments"].take();
        params
    };
    assert_eq!(text(&client.call("deep", again(1)).await), "Hello, Ada!");
    assert_eq!(client.refusal("deep", again(2)).await, REFUSED);
}

#[tokio::test]
async fn it_is_valid_for_one_function_one_method_and_one_principal() {
    let client = Client::of(&keyed(&[OLD], |_| {}));
    let ada = client.clone().of_principal("ada");
    let eve = client.clone().of_principal("eve");
    let first = begun(&ada).await;
    assert_eq!(text(&ada.call("greet", on(&first)).await), "Hello, Ada!");
    assert_eq!(ada.refusal("other", on(&first)).await, REFUSED);
    assert_eq!(eve.refusal("greet", on(&first)).await, REFUSED);
    assert_eq!(client.refusal("greet", on(&first)).await, REFUSED);
    let first = begun(&client).await;
    assert_eq!(ada.refusal("greet", on(&first)).await, REFUSED);
}
