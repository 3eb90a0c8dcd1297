//! Changes that are refused: a sentence for each reason, and everything stays as it was.

use std::sync::Arc;

use bifold::{App, Config, Server, Tool};
use serde_json::json;

use super::{call, document, named, question, server, tools};
use crate::support::TestApp;

#[tokio::test]
async fn a_change_that_the_start_would_refuse_is_refused_and_nothing_changes() {
    let app = TestApp::serving(server()).await;
    let catalog = app.app.catalog();
    let before = catalog.current();
    let openapi = app.app.openapi();
    let refused: Vec<(Vec<Tool>, &[&str])> = vec![
        (vec![named("a b")], &["function `a b`", "1 to 128"]),
        (vec![named("one"), named("one")], &["`one`", "same name"]),
        (
            vec![named("three").get("/say/{nothing}")],
            &["function `three`", "is not a parameter"],
        ),
        (
            vec![named("three"), named("four").get("/say/three")],
            &["`three` and `four`", "same GET path"],
        ),
        (
            vec![named("three").input_schema(json!({"type": "string"}))],
            &["function `three`", "must be a struct"],
        ),
    ];
    for (list, expected) in refused {
        let names: Vec<String> = list.iter().map(|it| it.name().to_owned()).collect();
        let said = catalog.replace_tools(list).unwrap_err().to_string();
        for part in expected {
            assert!(said.contains(part), "{names:?}: {said}");
        }
        assert!(Arc::ptr_eq(&before, &catalog.current()), "{names:?}");
    }
    // What conflicts with a tool that stays is refused too.
    let conflict = named("three").get("/say/one");
    let said = catalog.change(|functions| functions.add_tool(conflict));
    let said = said.unwrap_err().to_string();
    assert!(said.contains("`one` and `three`"), "{said}");
    let said = catalog.change(|functions| {
        functions.add_resource(document("a://b"));
        functions.add_resource(document("a://b"));
        functions.add_prompt(question("ask"));
    });
    assert!(said.unwrap_err().to_string().contains("same URI: `a://b`"));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _ = catalog.change(|_| panic!("a defect of the caller"));
    }));
    assert!(panicked.is_err());

    assert!(Arc::ptr_eq(&before, &catalog.current()));
    assert_eq!(app.app.openapi(), openapi);
    assert_eq!(tools(&app).await, ["one", "two"]);
    assert_eq!(call(&app, "one").await, "one");
    catalog.replace_tools(vec![named("three")]).unwrap();
    assert_eq!(tools(&app).await, ["three"], "a later change is made");
}

#[test]
fn the_catalog_of_an_application_that_does_not_declare_it_does_not_change() {
    let server = Server::new("fixed", "1.0.0").tools(vec![named("one")]);
    let app = App::new(Config::default(), server).unwrap();
    let refused = app.catalog().replace_tools(Vec::new()).unwrap_err();
    let said = refused.to_string();
    assert!(said.contains("`Server::changing_catalog`"), "{said}");
    assert_eq!(app.catalog().current().tools().len(), 1);
}
