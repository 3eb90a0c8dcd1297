//! Pairs of schemas, each in both directions.

use serde_json::{Value, json};

use super::schema::Compared;

fn fits(inner: &Value, outer: &Value) -> bool {
    Compared::new(inner, outer).gaps().is_empty()
}

/// A narrower schema and a wider one: every value of the first is one of the second, and not the other way round.
fn narrower() -> Vec<(Value, Value)> {
    let object = |properties: Value, required: Value| json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
    let text = json!({"type": "string"});
    vec![
        // Types.
        (json!({"type": "string"}), json!({})),
        (json!({"type": "string"}), json!(true)),
        (json!(false), json!({"type": "string"})),
        (json!({"type": "integer"}), json!({"type": "number"})),
        (
            json!({"type": "string"}),
            json!({"type": ["string", "null"]}),
        ),
        (
            json!({"type": "string"}),
            json!({"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ),
        (
            json!({"type": "string"}),
            json!({"type": "string", "nullable": true}),
        ),
        (
            json!({"type": ["string", "null"]}),
            json!({"anyOf": [{"type": "string"}, {"type": "null"}, {"type": "integer"}]}),
        ),
        // Values.
        (json!({"enum": ["a"]}), json!({"enum": ["a", "b"]})),
        (json!({"const": "a"}), json!({"enum": ["a", "b"]})),
        (json!({"enum": ["a", "b"]}), json!({"type": "string"})),
        (
            json!({"enum": [1, 2]}),
            json!({"type": "integer", "minimum": 1}),
        ),
        (
            json!({"type": "string", "enum": ["a"]}),
            json!({"type": "string", "minLength": 1}),
        ),
        // Numbers.
        (
            json!({"type": "integer", "minimum": 1}),
            json!({"type": "integer", "minimum": 0}),
        ),
        (
            json!({"type": "integer", "maximum": 100}),
            json!({"type": "integer", "maximum": 200}),
        ),
        (
            json!({"type": "integer", "maximum": 100}),
            json!({"type": "integer"}),
        ),
        (
            json!({"type": "number", "exclusiveMinimum": 0}),
            json!({"type": "number", "minimum": 0}),
        ),
        (
            json!({"type": "number", "minimum": 1}),
            json!({"type": "number", "exclusiveMinimum": 0}),
        ),
        (
            json!({"type": "number", "exclusiveMinimum": 0, "minimum": -5}),
            json!({"type": "number", "minimum": 0}),
        ),
        (
            json!({"type": "integer", "multipleOf": 4}),
            json!({"type": "integer", "multipleOf": 2}),
        ),
        (
            json!({"type": "integer", "multipleOf": 4}),
            json!({"type": "integer"}),
        ),
        // Texts.
        (
            json!({"type": "string", "minLength": 2}),
            json!({"type": "string", "minLength": 1}),
        ),
        (
            json!({"type": "string", "maxLength": 2}),
            json!({"type": "string", "maxLength": 3}),
        ),
        (
            json!({"type": "string", "pattern": "^a"}),
            json!({"type": "string"}),
        ),
        (
            json!({"type": "string", "format": "uuid"}),
            json!({"type": "string"}),
        ),
        // Lists.
        (
            json!({"type": "array", "items": {"type": "integer"}}),
            json!({"type": "array", "items": {"type": "number"}}),
        ),
        (
            json!({"type": "array", "items": text}),
            json!({"type": "array"}),
        ),
        (
            json!({"type": "array", "minItems": 1}),
            json!({"type": "array"}),
        ),
        (
            json!({"type": "array", "maxItems": 1}),
            json!({"type": "array", "maxItems": 2}),
        ),
        (
            json!({"type": "array", "uniqueItems": true}),
            json!({"type": "array"}),
        ),
        (
            json!({"type": "array", "prefixItems": [{"const": 1}], "items": text}),
            json!({"type": "array", "prefixItems": [{"type": "integer"}], "items": text}),
        ),
        // Objects.
        (
            object(json!({"a": text}), json!(["a"])),
            object(json!({"a": text}), json!([])),
        ),
        (
            object(json!({"a": text}), json!([])),
            object(json!({"a": text, "b": text}), json!([])),
        ),
        (
            object(json!({"a": text}), json!([])),
            json!({"type": "object", "properties": {"a": text}}),
        ),
        (
            object(
                json!({"a": object(json!({"b": {"maximum": 1, "type": "integer"}}), json!([]))}),
                json!([]),
            ),
            object(
                json!({"a": object(json!({"b": {"maximum": 2, "type": "integer"}}), json!([]))}),
                json!([]),
            ),
        ),
        (
            json!({"type": "object", "additionalProperties": {"type": "integer"}}),
            json!({"type": "object", "additionalProperties": {"type": "number"}}),
        ),
        (
            json!({"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": {"type": "integer"}}),
            json!({"type": "object", "additionalProperties": {"type": "number"}}),
        ),
        (
            json!({"type": "object", "properties": {"a": text}}),
            json!({"type": "object"}),
        ),
        (
            json!({"type": "object", "minProperties": 1}),
            json!({"type": "object"}),
        ),
        // Combined schemas.
        (
            json!({"anyOf": [{"type": "string"}]}),
            json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        ),
        (
            json!({"oneOf": [object(json!({"kind": {"const": "a"}}), json!(["kind"]))]}),
            json!({"oneOf": [
                object(json!({"kind": {"const": "a"}}), json!(["kind"])),
                object(json!({"kind": {"const": "b"}}), json!(["kind"])),
            ]}),
        ),
        (
            json!({"allOf": [{"type": "string"}, {"maxLength": 1}]}),
            json!({"type": "string", "maxLength": 2}),
        ),
        (
            json!({"type": "string", "maxLength": 1, "minLength": 1}),
            json!({"allOf": [{"type": "string", "maxLength": 2}, {"minLength": 1}]}),
        ),
        // References.
        (
            json!({"$defs": {"n": {"type": "integer", "maximum": 1}}, "type": "array", "items": {"$ref": "#/$defs/n"}}),
            json!({"$defs": {"n": {"type": "integer"}}, "type": "array", "items": {"$ref": "#/$defs/n"}}),
        ),
        (
            json!({"type": "array", "items": {"type": "integer"}}),
            json!({"$defs": {"n": {"type": "number"}}, "type": "array", "items": {"$ref": "#/$defs/n"}}),
        ),
    ]
}

#[test]
fn a_narrower_schema_fits_a_wider_one_and_not_the_other_way_round() {
    for (narrow, wide) in narrower() {
        assert!(
            fits(&narrow, &wide),
            "{narrow} in {wide}: {:?}",
            Compared::new(&narrow, &wide).gaps()
        );
        assert!(!fits(&wide, &narrow), "{wide} in {narrow}");
        for schema in [&narrow, &wide] {
            assert!(fits(schema, schema), "{schema}");
        }
    }
}

#[test]
fn schemas_of_the_same_values_fit_both_ways() {
    for (one, other) in [
        (json!({}), json!(true)),
        (
            json!({"type": "string", "description": "A"}),
            json!({"type": "string", "title": "B", "x-own": 1}),
        ),
        (
            json!({"type": ["string", "null"]}),
            json!({"anyOf": [{"type": "null"}, {"type": "string"}]}),
        ),
        (json!({"enum": ["a", "b"]}), json!({"enum": ["b", "a"]})),
        (json!({"const": "a"}), json!({"enum": ["a"]})),
        (
            json!({"type": "object", "required": ["a", "b"], "properties": {"a": {}, "b": {}}}),
            json!({"type": "object", "required": ["b", "a"], "properties": {"b": {}, "a": {"description": "x"}}}),
        ),
        (
            json!({"type": "string", "minLength": 0}),
            json!({"type": "string"}),
        ),
        (
            json!({"$defs": {"t": {"type": "string"}}, "$ref": "#/$defs/t"}),
            json!({"type": "string"}),
        ),
        // A type that contains itself.
        (
            json!({"$defs": {"n": {"type": "object", "properties": {"next": {"$ref": "#/$defs/n"}}}}, "$ref": "#/$defs/n"}),
            json!({"$defs": {"m": {"type": "object", "properties": {"next": {"$ref": "#/$defs/m"}}}}, "$ref": "#/$defs/m"}),
        ),
    ] {
        for (inner, outer) in [(&one, &other), (&other, &one)] {
            let gaps = Compared::new(inner, outer).gaps();
            assert!(gaps.is_empty(), "{inner} in {outer}: {gaps:?}");
        }
    }
}

#[test]
fn what_cannot_be_shown_is_never_taken_for_compatible() {
    for (one, other) in [
        (json!({"type": "string"}), json!({"type": "integer"})),
        (json!({"enum": ["a"]}), json!({"enum": ["b"]})),
        (
            json!({"type": "string", "pattern": "^a"}),
            json!({"type": "string", "pattern": "^b"}),
        ),
        (
            json!({"type": "string", "format": "date"}),
            json!({"type": "string", "format": "uuid"}),
        ),
        (
            json!({"type": "integer", "multipleOf": 2}),
            json!({"type": "integer", "multipleOf": 3}),
        ),
        (
            json!({"type": "object", "properties": {"a": {"type": "string"}}}),
            json!({"type": "object", "properties": {"b": {"type": "string"}}}),
        ),
        (
            json!({"not": {"type": "string"}}),
            json!({"not": {"type": "integer"}}),
        ),
        (
            json!({"type": "object", "patternProperties": {"^a": {"type": "string"}}, "additionalProperties": false}),
            json!({"type": "object", "patternProperties": {"^b": {"type": "string"}}, "additionalProperties": false}),
        ),
        (
            json!({"$ref": "#/$defs/none"}),
            json!({"$ref": "#/nowhere"}),
        ),
    ] {
        for (inner, outer) in [(&one, &other), (&other, &one)] {
            assert!(!fits(inner, outer), "{inner} in {outer}");
        }
    }
    // A value that matches two forms does not match exactly one of them.
    let one_of = json!({"oneOf": [{"type": "number"}, {"type": "integer"}]});
    assert!(!fits(&json!({"type": "integer"}), &one_of));
    // Fields that a pattern describes may come although no others may.
    let patterns =
        json!({"type": "object", "patternProperties": {"^a": {}}, "additionalProperties": false});
    assert!(!fits(
        &patterns,
        &json!({"type": "object", "additionalProperties": false})
    ));
    // Schemas that would take forever end.
    let mut deep = json!({"type": "string"});
    for _ in 0..40 {
        deep = json!({"anyOf": [{"type": "array", "items": deep}, {"type": "array", "items": deep, "minItems": 1}]});
        if deep.to_string().len() > 200_000 {
            break;
        }
    }
    assert!(!fits(
        &deep,
        &json!({"type": "array", "items": {"type": "array", "items": {"type": "integer"}}})
    ));
}

#[test]
fn a_gap_names_its_place() {
    let row = |most: u32| json!({"type": "object", "properties": {"b": {"type": "integer", "maximum": most}}});
    let of = |most: u32| json!({"type": "object", "properties": {"a": {"type": "array", "items": row(most)}}});
    let gaps = Compared::new(&of(200), &of(100)).gaps();
    let shown: Vec<_> = gaps
        .iter()
        .map(|it| (it.place.as_str(), it.inner.as_str(), it.outer.as_str()))
        .collect();
    assert_eq!(shown, [("a[].b", "maximum 200", "maximum 100")]);
}

#[test]
fn of_several_forms_the_gaps_to_the_nearest_one_are_told() {
    let amount = |amount: Value| {
        let fields = json!({"amount": amount, "share": {"type": "string"}});
        json!({"anyOf": [{"type": "object", "properties": fields, "required": ["amount"]}, {"type": "null"}]})
    };
    let old = amount(json!({"type": "string", "pattern": "^[0-9]+$"}));
    let new = amount(json!({"type": "string"}));
    let gaps = Compared::new(&new, &old).gaps();
    let told: Vec<&str> = gaps.iter().map(|it| it.place.as_str()).collect();
    assert_eq!(told, ["amount"]);
}
