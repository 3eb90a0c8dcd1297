//! Selected fields of a result.

use serde_json::json;

use super::{both, refused, says, serving};

#[tokio::test]
async fn a_result_has_the_selected_fields_and_those_that_always_stay() {
    let app = serving().await;
    for (name, fields, expected) in [
        (
            "planets",
            "sun.name",
            json!({"sun": {"name": "Sun"}, "incomplete": []}),
        ),
        ("planets", "incomplete", json!({"incomplete": []})),
        (
            "planets",
            " planets.name , sun.age",
            json!({
                "planets": [{"name": "Earth"}, {"name": "Mars"}, {"name": "Nine"}],
                "sun": {"age": 4_600_000_000_u64},
                "incomplete": [],
            }),
        ),
        (
            "planets",
            "planets.orbit.days,planets.moons.name",
            json!({
                "planets": [
                    {"orbit": {"days": 365}, "moons": [{"name": "Moon"}]},
                    {"orbit": {"days": 687}, "moons": [{"name": "Phobos"}, {"name": "Deimos"}]},
                    {"orbit": null, "moons": []},
                ],
                "incomplete": [],
            }),
        ),
        (
            "planets",
            "sun,sun.name",
            json!({"sun": {"name": "Sun", "age": 4_600_000_000_u64}, "incomplete": []}),
        ),
        // Any name is a key of a map.
        (
            "planets",
            "notes.Mars.text",
            json!({"notes": {"Mars": {"text": "red"}}, "incomplete": []}),
        ),
        (
            "planets",
            "notes.Venus",
            json!({"notes": {}, "incomplete": []}),
        ),
        (
            "moons",
            "name",
            json!([{"name": "Phobos"}, {"name": "Deimos"}]),
        ),
        (
            "whole",
            "numbers.value",
            json!({
                "numbers": (0..23).map(|it| json!({"value": it})).collect::<Vec<_>>(), "total": 23, "next_cursor": null,
            }),
        ),
        ("whole", "total", json!({"total": 23, "next_cursor": null})),
    ] {
        assert_eq!(
            both(&app, name, json!({"fields": fields})).await,
            expected,
            "{name} {fields}"
        );
    }
    let page = app
        .get("/api/numbers?limit=2&fields=numbers.value")
        .await
        .json();
    assert_eq!(page["numbers"], json!([{"value": 0}, {"value": 1}]));
    assert!(
        page["next_cursor"].is_string() && page["total"] == 23,
        "{page}"
    );
}

#[tokio::test]
async fn an_unknown_field_is_refused_with_the_nearest() {
    let app = serving().await;
    for (name, fields, hint) in [
        (
            "planets",
            "planet.name",
            "no field `planet`; did you mean `planets`?",
        ),
        (
            "planets",
            "sun,planets.nam",
            "no field `planets.nam`; did you mean `planets.name`?",
        ),
        (
            "planets",
            "planets.moons.raduis",
            "did you mean `planets.moons.radius`?",
        ),
        (
            "planets",
            "sun.planets",
            "no field `sun.planets`; known: `sun.age`, `sun.name`",
        ),
        ("planets", "sun.name.first", "no field `sun.name.first`"),
        (
            "planets",
            "notes.Mars.txt",
            "did you mean `notes.Mars.text`?",
        ),
        ("moons", "nmae", "did you mean `name`?"),
        ("whole", "numbers.val", "did you mean `numbers.value`?"),
        (
            "planets",
            "sun,,planets",
            "expected paths with commas between them",
        ),
        ("planets", ",", "expected paths"),
        ("planets", "sun.", "expected paths"),
        ("planets", ".sun", "expected paths"),
        ("planets", " ", "expected paths"),
        ("planets", "planets[0].name", "no field `planets[0]`"),
        ("planets", "*", "no field `*`"),
    ] {
        let error = refused(&app, name, json!({"fields": fields})).await;
        let said = says(&error, "fields");
        assert!(said.contains(hint), "{name} {fields}: {said}");
    }
    for fields in [
        json!(""),
        json!(7),
        json!(["sun"]),
        json!("sun,".repeat(300)),
    ] {
        says(
            &refused(&app, "planets", json!({"fields": fields})).await,
            "fields",
        );
    }
    let deep = vec!["sun"; 300].join(".");
    says(
        &refused(&app, "planets", json!({"fields": &deep[..999]})).await,
        "fields",
    );
}

#[tokio::test]
async fn what_is_not_selected_is_left_out_before_the_bytes_are_counted() {
    let app = serving().await;
    let page = both(
        &app,
        "whole",
        json!({"fields": "numbers.value", "max_bytes": 450}),
    )
    .await;
    assert_eq!(page["numbers"].as_array().unwrap().len(), 23, "{page}");
    let page = both(&app, "whole", json!({"max_bytes": 450})).await;
    assert!(page["truncated"]["shown"].as_u64().unwrap() < 23, "{page}");
}
