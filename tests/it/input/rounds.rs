//! 2026 clients are asked in rounds: the question is the result of their call, and they call again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bifold::{App, Config, Content, JsonSchema, Prompt, Resource, Server, Tool};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Client, accept, answered, ask, function, greet, named, questions, serving, text};

/// Takes a text.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Said {
    /// Any text.
    #[serde(default)]
    #[expect(dead_code, reason = "what matters is that it is there")]
    about: String,
}

fn greet_of(name: &'static str) -> Tool {
    Tool::new(name, |cx, Said { .. }| greet(cx))
}

#[tokio::test]
async fn a_question_is_the_result_of_the_call_and_its_answer_continues_it() {
    let client = Client::of(&serving(vec![function("greet", greet)]));
    let first = client.call("greet", json!({})).await;
    let question = json!({
        "message": "What is your name?",
        "requestedSchema":
            {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
    });
    let requests = json!({"name": {"method": "elicitation/create", "params": question}});
    assert_eq!(first["inputRequests"], requests);
    let mut fields: Vec<&String> = first.as_object().unwrap().keys().collect();
    fields.sort();
    let expected = ["_meta", "inputRequests", "requestState", "resultType"];
    assert_eq!(fields, expected, "no cache hint, no content");
    let server = &first["_meta"]["io.modelcontextprotocol/serverInfo"];
    assert_eq!(server["name"], "asking");
    let last = client
        .call("greet", answered(&first, json!({"name": named("Ada")})))
        .await;
    assert_eq!(text(&last), "Hello, Ada!");
    for (action, said) in [("decline", "declined"), ("cancel", "cancelled")] {
        let responses = json!({"name": {"action": action}});
        let last = client.call("greet", answered(&first, responses)).await;
        assert_eq!(text(&last), format!("Hello, {said}!"));
    }
}

#[tokio::test]
async fn code_before_a_question_runs_again_with_the_earlier_answers() {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let client = Client::of(&serving(vec![function("four", move |cx| {
        counted.fetch_add(1, Ordering::Relaxed);
        async move {
            let mut all = String::new();
            for key in ["a", "b", "c", "d"] {
                all += &ask(&cx, key, &format!("{key} after {all}?")).await?;
            }
            Ok(Content::text(all))
        }
    })]));
    let mut result = client.call("four", json!({})).await;
    for (key, before) in [("a", ""), ("b", "A"), ("c", "AB"), ("d", "ABC")] {
        assert_eq!(
            questions(&result),
            json!({key: format!("{key} after {before}?")})
        );
        let responses = json!({key: named(&key.to_uppercase())});
        result = client.call("four", answered(&result, responses)).await;
    }
    assert_eq!(text(&result), "ABCD");
    assert_eq!(runs.load(Ordering::Relaxed), 5);
}

#[tokio::test]
async fn concurrent_questions_are_one_round_and_unanswered_ones_are_asked_again() {
    let client = Client::of(&serving(vec![function("both", async |cx| {
        let (first, last) = tokio::try_join!(
            ask(&cx, "first", "First name?"),
            ask(&cx, "last", "Last name?")
        )?;
        Ok(Content::text(format!("{first} {last}")))
    })]));
    let both = client.call("both", json!({})).await;
    assert_eq!(
        questions(&both),
        json!({"first": "First name?", "last": "Last name?"})
    );
    let all = json!({"last": named("Lovelace"), "first": named("Ada"), "middle": named("King")});
    let result = client.call("both", answered(&both, all)).await;
    assert_eq!(text(&result), "Ada Lovelace");
    for (given, missing) in [("first", "last"), ("last", "first")] {
        let one = client
            .call("both", answered(&both, json!({given: named("One")})))
            .await;
        assert_eq!(
            questions(&one).as_object().unwrap().keys().next(),
            Some(&missing.to_owned())
        );
        let result = client
            .call("both", answered(&one, json!({missing: named("Two")})))
            .await;
        assert_eq!(text(&result).len(), "One Two".len(), "{result}");
    }
}

#[tokio::test]
async fn an_answer_with_a_wrong_key_or_type_does_not_count() {
    let client = Client::of(&serving(vec![function("greet", greet)]));
    let first = client.call("greet", json!({})).await;
    for responses in [
        json!({}),
        json!({"nam": named("Ada")}),
        json!({"name": "Ada"}),
        json!({"name": null}),
        json!({"name": {"action": "accept"}}),
        json!({"name": {"action": "accept", "content": null}}),
        json!({"name": accept(json!({"name": 5}))}),
        json!({"name": accept(json!({"nickname": "Ada"}))}),
        json!({"name": {"action": "accepted", "content": {"name": "Ada"}}}),
        json!({"name": {"content": {"name": "Ada"}}}),
    ] {
        let again = client
            .call("greet", answered(&first, responses.clone()))
            .await;
        assert_eq!(
            questions(&again),
            json!({"name": "What is your name?"}),
            "{responses}"
        );
        let last = client
            .call("greet", answered(&again, json!({"name": named("Ada")})))
            .await;
        assert_eq!(text(&last), "Hello, Ada!");
    }
}

#[tokio::test]
async fn parameters_that_cannot_be_read_are_refused() {
    let client = Client::of(&serving(vec![function("greet", greet)]));
    for params in [
        json!({"inputResponses": []}),
        json!({"inputResponses": "name"}),
        json!({"inputResponses": 1}),
        json!({"requestState": 5}),
        json!({"requestState": {}}),
        json!({"requestState": ""}),
    ] {
        let refusal = client.refusal("greet", params.clone()).await;
        assert_eq!(refusal, (200, -32602), "{params}");
    }
}

#[tokio::test]
async fn a_parameter_of_a_later_round_that_is_null_is_left_out() {
    let client = Client::of(&serving(vec![function("greet", greet)]));
    for params in [
        json!({"inputResponses": null}),
        json!({"requestState": null}),
        json!({"inputResponses": null, "requestState": null}),
    ] {
        let result = client.call("greet", params).await;
        assert_eq!(questions(&result), json!({"name": "What is your name?"}));
    }
}

#[tokio::test]
async fn answers_to_questions_that_were_never_asked_are_ignored_and_the_function_asks() {
    let client = Client::of(&serving(vec![function("greet", greet)]));
    let responses = json!({"inputResponses": {"name": named("Ada")}});
    let first = client.call("greet", responses).await;
    assert_eq!(questions(&first), json!({"name": "What is your name?"}));
    // Ignored answers are not kept for later either.
    let again = client.call("greet", answered(&first, json!({}))).await;
    assert_eq!(questions(&again), json!({"name": "What is your name?"}));
    let last = client
        .call("greet", answered(&again, json!({"name": named("Grace")})))
        .await;
    assert_eq!(text(&last), "Hello, Grace!");
}

#[tokio::test]
async fn arguments_that_look_like_a_later_round_are_arguments() {
    let client = Client::of(&serving(vec![greet_of("greet")]));
    let arguments =
        json!({"arguments": {"about": "inputResponses requestState progressToken logLevel"}});
    let result = client.call("greet", arguments).await;
    assert_eq!(questions(&result), json!({"name": "What is your name?"}));
}

#[tokio::test]
async fn prompts_and_resources_can_ask_and_their_results_are_then_private() {
    let server = Server::new("asking", "1.0.0")
        .prompts(vec![Prompt::new(function("greeting", greet))])
        .resources(vec![Resource::new(
            "test://greeting",
            "text/plain",
            function("document", greet),
        )]);
    let client = Client::of(&App::new(Config::default(), server).unwrap());
    for (method, about) in [
        ("prompts/get", json!({"name": "greeting"})),
        ("resources/read", json!({"uri": "test://greeting"})),
    ] {
        let mut params = about.clone();
        let first = client.ask(method, params.clone()).await.json()["result"].take();
        assert_eq!(
            questions(&first),
            json!({"name": "What is your name?"}),
            "{method}"
        );
        assert!(first.get("ttlMs").is_none() && first.get("cacheScope").is_none());
        params["inputResponses"] = json!({"name": named("Ada")});
        params["requestState"] = first["requestState"].clone();
        let answer = client.ask(method, params).await;
        assert!(answer.text().contains("Hello, Ada!"), "{}", answer.text());
        let result = &answer.json()["result"];
        assert_eq!(result["resultType"], "complete");
        if method == "resources/read" {
            assert_eq!(
                (&result["ttlMs"], &result["cacheScope"]),
                (&json!(0), &json!("private"))
            );
        }
    }
}

#[tokio::test]
async fn completions_of_a_prompt_ask_nothing() {
    let prompt = Prompt::new(greet_of("greeting")).complete("about", async |cx, _| {
        ask(&cx, "name", "What is your name?")
            .await
            .map(|it| vec![it])
    });
    let server = Server::new("asking", "1.0.0").prompts(vec![prompt]);
    let client = Client::of(&App::new(Config::default(), server).unwrap());
    let params = json!({"ref": {"type": "ref/prompt", "name": "greeting"}, "argument": {"name": "about", "value": ""}});
    let answer = client.ask("completion/complete", params).await.json();
    assert_eq!(answer["error"]["code"], -32603, "{answer}");
    assert_eq!(answer["error"]["data"]["kind"], "missing_capability");
}

#[tokio::test]
async fn the_model_the_folders_and_a_page_are_asked_for_in_rounds_too() {
    let client = Client::of(&serving(vec![function("all", async |cx| {
        let question = bifold::Sampling::new("Capital of France?", 10).system("One word.");
        let page = "https://example.com/sign-in";
        let (answer, roots, visited) = tokio::try_join!(
            cx.sample("capital", question),
            cx.roots("roots"),
            cx.visit("page", "Sign in", page)
        )?;
        let uris: Vec<String> = roots.into_iter().map(|root| root.uri).collect();
        Ok(Content::text(format!(
            "{} {uris:?} {visited:?}",
            answer.text()
        )))
    })]));
    let first = client.call("all", json!({})).await;
    let requests = &first["inputRequests"];
    let page = json!({"mode": "url", "message": "Sign in", "url": "https://example.com/sign-in"});
    assert_eq!(
        requests["page"],
        json!({"method": "elicitation/create", "params": page})
    );
    assert_eq!(
        requests["roots"],
        json!({"method": "roots/list", "params": {}})
    );
    let messages =
        json!([{"role": "user", "content": {"type": "text", "text": "Capital of France?"}}]);
    let sampling = json!({"messages": messages, "systemPrompt": "One word.", "maxTokens": 10});
    assert_eq!(
        requests["capital"],
        json!({"method": "sampling/createMessage", "params": sampling})
    );
    let content = json!({"type": "text", "text": "Paris"});
    let said = |content: Value| {
        json!({
            "capital": {"role": "assistant", "content": content, "model": "m", "stopReason": "endTurn"},
            "roots": {"roots": [{"uri": "file:///a", "name": "A"}, {"uri": "file:///b"}]},
            "page": {"action": "accept"},
        })
    };
    for content in [content.clone(), json!([content])] {
        let last = client.call("all", answered(&first, said(content))).await;
        assert_eq!(
            text(&last),
            "Paris [\"file:///a\", \"file:///b\"] Accepted(())"
        );
    }
}

#[tokio::test]
async fn only_an_object_counts_as_consent() {
    let client = Client::of(&serving(vec![function("greet", greet)]));
    let first = client.call("greet", json!({})).await;
    for wrong in [
        json!(["accept", ["Ada"]]),
        json!(["accept", {"name": "Ada"}]),
        json!({"action": "accept", "content": ["Ada"]}),
        json!({"action": "accept", "content": "Ada"}),
        json!("accept"),
    ] {
        let again = answered(&first, json!({ "name": wrong }));
        let asked = client.call("greet", again).await;
        assert_eq!(asked["resultType"], "input_required", "{wrong}: {asked}");
    }
}
