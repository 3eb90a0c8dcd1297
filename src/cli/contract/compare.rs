//! What has changed between two contracts, and whether it breaks callers.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

use super::schema::{Compared, Gap};

/// What a change means for callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effect {
    /// Callers that worked may fail.
    Breaks,
    /// Callers may do more.
    Extends,
    /// Only people see it.
    Describes,
}

/// One change.
#[derive(Debug, PartialEq)]
pub(super) struct Change {
    pub(super) effect: Effect,
    pub(super) place: String,
    pub(super) what: String,
}

/// Which way values go.
#[derive(Clone, Copy)]
enum Way {
    /// From the caller: what was taken must still be taken.
    In,
    /// To the caller: nothing may come that could not come before.
    Out,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let effect = match self.effect {
            Effect::Breaks => "breaks callers",
            Effect::Extends => "compatible",
            Effect::Describes => "description",
        };
        write!(f, "{effect}: {}: {}", self.place, self.what)
    }
}

/// What a contract lists, and the word for an entry.
const KINDS: [(&str, &str); 3] = [
    ("tools", "tool"),
    ("resources", "resource"),
    ("prompts", "prompt"),
];

/// Whether a contract lists everything, as one in a file must: of what is not listed no removal would be found.
pub(super) fn is_whole(contract: &Value) -> bool {
    let are_objects = |it: &Value| {
        let entries = it.as_object();
        entries.is_some_and(|it| it.values().all(Value::is_object))
    };
    KINDS.iter().all(|(kind, _)| are_objects(&contract[kind]))
}

/// Every change from one contract to the other. Of what only one of both says nothing is told: a running server does not
/// say everything.
pub(super) fn changes(before: &Value, now: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    for (kind, one) in KINDS {
        let Some((mut old, mut new)) = both(before, now, kind) else {
            continue;
        };
        for protocol in [before, now].map(|it| &it["seen_over"]) {
            old.retain(|_, it| may_be_on(it, protocol));
            new.retain(|_, it| may_be_on(it, protocol));
        }
        for name in names(&old, &new) {
            let place = format!("{one} `{name}`");
            match (old.get(name), new.get(name)) {
                (Some(_), None) => found.push(breaks(&place, "was removed")),
                (None, Some(_)) => found.push(extends(&place, "is new")),
                (Some(old), Some(new)) => found.extend(of_entry(&place, old, new)),
                (None, None) => {}
            }
        }
    }
    found
}

/// The entries of both contracts, if both have them.
fn both(old: &Value, new: &Value, key: &str) -> Option<(Map<String, Value>, Map<String, Value>)> {
    Some((
        old.get(key)?.as_object()?.clone(),
        new.get(key)?.as_object()?.clone(),
    ))
}

/// Whether the entry can be seen over the protocol, if there is only one.
fn may_be_on(entry: &Value, protocol: &Value) -> bool {
    let protocols = entry["protocols"].as_array();
    protocol.is_null() || protocols.is_none_or(|it| it.contains(protocol))
}

fn of_entry(place: &str, old: &Value, new: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    for (name, what, way) in [
        ("protocols", "protocol", Way::Out),
        ("scopes", "scope", Way::In),
        ("capabilities", "capability of the client", Way::In),
    ] {
        if let (Some(old), Some(new)) = (old[name].as_array(), new[name].as_array()) {
            found.extend(list(place, what, (old, new), way));
        }
    }
    if let Some((old, new)) = both(old, new, "routes") {
        found.extend(routes(place, &old, &new));
    }
    found.extend(arguments(place, &old["arguments"], &new["arguments"]));
    found.extend(result(place, &old["result"], &new["result"]));
    for (name, what) in [
        ("status", "status of success"),
        ("media_type", "media type"),
    ] {
        let values = old.get(name).zip(new.get(name));
        if let Some((was, is)) = values.filter(|it| it.0 != it.1) {
            found.push(breaks(place, format!("the {what} is {is}, was {was}")));
        }
    }
    if let Some((old, new)) = both(old, new, "errors") {
        found.extend(errors(place, &old, &new));
    }
    match (old["public"].as_bool(), new["public"].as_bool()) {
        (Some(false), Some(true)) => found.push(extends(place, "everybody may call it")),
        (Some(true), Some(false)) => {
            found.push(breaks(place, "not everybody may call it any more"));
        }
        _ => {}
    }
    found.extend(hints(place, &old["hints"], &new["hints"]));
    if old["description"] != new["description"] {
        let what = "the description has changed";
        found.push(change(Effect::Describes, place, what));
    }
    found
}

fn errors(place: &str, old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<Change> {
    let kinds = names(old, new).into_iter();
    let told = kinds.filter_map(|kind| match (old.get(kind), new.get(kind)) {
        (Some(was), Some(is)) if was != is => Some(breaks(
            place,
            format!("the error `{kind}` has the status {is}, was {was}"),
        )),
        (None, Some(status)) => Some(extends(
            place,
            format!("the error `{kind}` ({status}) is new"),
        )),
        (Some(_), None) => Some(extends(place, format!("the error `{kind}` is gone"))),
        _ => None,
    });
    told.collect()
}

/// Entries of a list: what callers rely on may only be added, what is demanded of them may only be removed.
fn list(place: &str, what: &str, (old, new): (&[Value], &[Value]), way: Way) -> Vec<Change> {
    let entries = |it: &[Value]| -> BTreeSet<String> {
        let texts = it.iter().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    };
    let (old, new) = (entries(old), entries(new));
    let removed = old.difference(&new).map(|entry| {
        let said = format!("the {what} `{entry}` was removed");
        match way {
            Way::Out => breaks(place, said),
            Way::In => extends(place, said),
        }
    });
    let added = new.difference(&old).map(|entry| match way {
        Way::Out => extends(place, format!("the {what} `{entry}` is new")),
        Way::In => breaks(place, format!("the {what} `{entry}` is needed now")),
    });
    removed.chain(added).collect()
}

fn routes(place: &str, old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<Change> {
    let mut found = Vec::new();
    for route in names(old, new) {
        match (old.get(route), new.get(route)) {
            (Some(_), None) => found.push(breaks(place, format!("the path `{route}` was removed"))),
            (None, Some(_)) => found.push(extends(place, format!("the path `{route}` is new"))),
            (Some(old), Some(new)) => {
                let (old, new) = (object(old), object(new));
                let moved = old
                    .iter()
                    .filter_map(|(name, at)| Some((name, at, new.get(name)?)));
                found.extend(moved.filter(|it| it.1 != it.2).map(|(name, at, now)| {
                    breaks(
                        place,
                        format!("`{name}` stands in {now} at `{route}`, was in {at}"),
                    )
                }));
            }
            (None, None) => {}
        }
    }
    found
}

/// A change of the arguments. A default that changes gives callers something else than before.
fn arguments(place: &str, old: &Value, new: &Value) -> Vec<Change> {
    let mut found = schemas(&format!("{place}: argument"), old, new, Way::In);
    let (olds, news) = (object(&old["properties"]), object(&new["properties"]));
    for (name, before) in &olds {
        let Some(now) = news.get(name) else {
            continue;
        };
        if before["default"] != now["default"] {
            let what = format!(
                "the default is {}, was {}",
                now["default"], before["default"]
            );
            found.push(breaks(&format!("{place}: argument `{name}`"), what));
        }
    }
    found
}

fn result(place: &str, old: &Value, new: &Value) -> Vec<Change> {
    match (old.is_null(), new.is_null()) {
        (true, true) => Vec::new(),
        (false, true) => vec![breaks(place, "the result has no schema any more")],
        (true, false) => vec![extends(place, "the result has a schema now")],
        (false, false) => schemas(&format!("{place}: result"), old, new, Way::Out),
    }
}

/// The changes of a schema: where values are not valid any more that have to be, and otherwise that there is a change.
fn schemas(place: &str, old: &Value, new: &Value, way: Way) -> Vec<Change> {
    let (inner, outer) = match way {
        Way::In => (old, new),
        Way::Out => (new, old),
    };
    let of = |gap: &Gap| match gap.place.as_str() {
        "" => place.to_owned(),
        inside => format!("{place} `{inside}`"),
    };
    let gaps = Compared::new(inner, outer).gaps();
    if !gaps.is_empty() {
        let told = gaps.iter().map(|gap| {
            let (was, is) = match way {
                Way::In => (&gap.inner, &gap.outer),
                Way::Out => (&gap.outer, &gap.inner),
            };
            breaks(&of(gap), format!("{is}; was: {was}"))
        });
        return told.collect();
    }
    let others = Compared::new(outer, inner).gaps();
    let told = others.iter().map(|gap| {
        let (was, is) = match way {
            Way::In => (&gap.outer, &gap.inner),
            Way::Out => (&gap.inner, &gap.outer),
        };
        extends(&of(gap), format!("{is}; was: {was}"))
    });
    told.collect()
}

/// Clients decide by the hints whether they ask the user before a call.
fn hints(place: &str, old: &Value, new: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    for (name, promise) in [
        ("read_only", true),
        ("idempotent", true),
        ("destructive", false),
        ("open_world", false),
    ] {
        let (was, is) = (&old[name], &new[name]);
        if was != is && !was.is_null() && !is.is_null() {
            let what = format!("the hint `{name}` is {is}, was {was}");
            found.push(match *is == promise {
                true => extends(place, what),
                false => breaks(place, what),
            });
        }
    }
    found
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn names<'m>(old: &'m Map<String, Value>, new: &'m Map<String, Value>) -> BTreeSet<&'m String> {
    old.keys().chain(new.keys()).collect()
}

fn breaks(place: &str, what: impl Into<String>) -> Change {
    change(Effect::Breaks, place, what)
}

fn extends(place: &str, what: impl Into<String>) -> Change {
    change(Effect::Extends, place, what)
}

fn change(effect: Effect, place: &str, what: impl Into<String>) -> Change {
    Change {
        effect,
        place: place.to_owned(),
        what: what.into(),
    }
}
