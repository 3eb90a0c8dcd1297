//! Bounds of numbers, and of lengths.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::schema::{Gap, Pair};

/// One end of a range: its value, and whether it is outside.
type End = Option<(f64, bool)>;

/// Where the inner schema allows numbers that the outer one does not.
pub(super) fn gaps(pair: &Pair<'_>) -> Vec<Gap> {
    let Pair { inner, outer, .. } = *pair;
    let mut found = Vec::new();
    for (keyword, exclusive, narrower) in [
        ("minimum", "exclusiveMinimum", Ordering::Greater),
        ("maximum", "exclusiveMaximum", Ordering::Less),
    ] {
        let (own, other) = (
            end(inner, (keyword, exclusive), narrower),
            end(outer, (keyword, exclusive), narrower),
        );
        if !is_inside(own, other, narrower) {
            found.push(pair.gap(shown(keyword, own), shown(keyword, other)));
        }
    }
    if let Some(step) = outer.get("multipleOf").and_then(Value::as_f64) {
        let own = inner.get("multipleOf").and_then(Value::as_f64);
        let is_multiple = |it: f64| step > 0.0 && (it / step).fract() == 0.0;
        let is_whole =
            step.fract() == 0.0 && step == 1.0 && inner.get("type") == Some(&"integer".into());
        if !is_whole && !own.is_some_and(is_multiple) {
            let own = own.map_or("any number".to_owned(), |it| format!("multiples of {it}"));
            found.push(pair.gap(own, format!("multiples of {step}")));
        }
    }
    found
}

/// Where the inner schema allows lengths that the outer one does not.
pub(super) fn lengths(pair: &Pair<'_>, least: &str, most: &str) -> Vec<Gap> {
    let mut found = Vec::new();
    for (keyword, narrower) in [(least, Ordering::Greater), (most, Ordering::Less)] {
        let end = |it: &Map<String, Value>| Some((it.get(keyword)?.as_f64()?, false));
        // A length of at least 0 is any length.
        let other = end(pair.outer).filter(|it| narrower == Ordering::Less || it.0 > 0.0);
        let own = end(pair.inner);
        if !is_inside(own, other, narrower) {
            found.push(pair.gap(shown(keyword, own), shown(keyword, other)));
        }
    }
    found
}

/// The narrower of both bounds. In OpenAPI 3.0 the exclusive one is a switch.
fn end(schema: &Map<String, Value>, (keyword, exclusive): (&str, &str), narrower: Ordering) -> End {
    let is_outside = schema.get(exclusive) == Some(&Value::Bool(true));
    let inclusive = schema
        .get(keyword)
        .and_then(Value::as_f64)
        .map(|it| (it, is_outside));
    let exclusive = schema
        .get(exclusive)
        .and_then(Value::as_f64)
        .map(|it| (it, true));
    match (inclusive, exclusive) {
        (Some(one), Some(other)) => match other.0.partial_cmp(&one.0) {
            Some(order) if order == narrower || order == Ordering::Equal => Some(other),
            _ => Some(one),
        },
        (one, other) => one.or(other),
    }
}

fn is_inside(own: End, other: End, narrower: Ordering) -> bool {
    match (own, other) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some((own, is_out)), Some((other, must_be_out))) => match own.partial_cmp(&other) {
            Some(Ordering::Equal) => is_out || !must_be_out,
            Some(order) => order == narrower,
            None => false,
        },
    }
}

fn shown(keyword: &str, end: End) -> String {
    match end {
        None => format!("no {keyword}"),
        Some((value, false)) => format!("{keyword} {value}"),
        Some((value, true)) => format!("{keyword} {value}, exclusive"),
    }
}
