//! The JSON log: one line for each event, with the fields of the spans around it.
//!
//! The registry of `tracing-subscriber`, which stores spans for its own JSON format, takes 32 KB and a tenth of our share
//! of a cold start. A line needs less: the encoded fields of each open span.

mod fields;
mod open_spans;

use std::cell::RefCell;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use time::OffsetDateTime;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_core::span::Current;

use fields::Fields;
use open_spans::OpenSpans;

/// Writes lines of JSON.
pub(super) struct JsonLog<W> {
    spans: Mutex<OpenSpans>,
    /// Where each line goes.
    write: W,
}

thread_local! {
    /// The spans that this thread is in, the innermost last.
    static ENTERED: RefCell<Vec<Id>> = const { RefCell::new(Vec::new()) };
}

/// The fields of a line that no span may replace.
const OWN_FIELDS: [&str; 3] = ["timestamp", "level", "target"];

impl<W: Fn(&[u8]) + Send + Sync + 'static> JsonLog<W> {
    pub(super) fn new(write: W) -> JsonLog<W> {
        JsonLog {
            spans: Mutex::default(),
            write,
        }
    }

    fn spans(&self) -> MutexGuard<'_, OpenSpans> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The span that an event or a new span belongs to.
    fn parent(explicit: Option<&Id>, is_contextual: bool) -> Option<Id> {
        match explicit {
            Some(parent) => Some(parent.clone()),
            None if is_contextual => current(),
            None => None,
        }
    }

    fn line(&self, event: &Event<'_>) -> Vec<u8> {
        let metadata = event.metadata();
        let mut fields = Fields::with_room(512, 16);
        event.record(&mut fields);
        let mut json = Vec::with_capacity(1024);
        start(&mut json, metadata);
        json.extend_from_slice(fields.json());
        if let Some(parent) = Self::parent(event.parent(), event.is_contextual()) {
            let mut seen: Vec<&str> = fields.names().chain(OWN_FIELDS).collect();
            self.spans().write(&parent, &mut seen, &mut json);
        }
        json.extend_from_slice(b",\"target\":");
        fields::text(&mut json, metadata.target());
        json.extend_from_slice(b"}\n");
        json
    }
}

impl<W: Fn(&[u8]) + Send + Sync + 'static> Subscriber for JsonLog<W> {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut fields = Fields::with_room(128, 4);
        attributes.record(&mut fields);
        let parent = Self::parent(attributes.parent(), attributes.is_contextual());
        self.spans().open(attributes.metadata(), parent, fields)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        let mut fields = Fields::with_room(64, 1);
        values.record(&mut fields);
        self.spans().record(id, &fields);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        (self.write)(&self.line(event));
    }

    fn enter(&self, id: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(id.clone()));
    }

    fn exit(&self, id: &Id) {
        ENTERED.with_borrow_mut(|entered| {
            if let Some(place) = entered.iter().rposition(|it| it == id) {
                entered.remove(place);
            }
        });
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.spans().hold(id);
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        self.spans().release(id)
    }

    fn current_span(&self) -> Current {
        let current = current();
        let known = current.and_then(|id| Some((self.spans().metadata(&id)?, id)));
        known.map_or_else(Current::none, |(metadata, id)| Current::new(id, metadata))
    }
}

/// Writes a line to standard output, where the log of a container belongs.
pub(super) fn to_stdout(line: &[u8]) {
    // A closed standard output must not fail the request.
    let _ = std::io::stdout().write_all(line);
}

fn current() -> Option<Id> {
    ENTERED.with_borrow(|entered| entered.last().cloned())
}

/// The time and the level.
fn start(json: &mut Vec<u8>, metadata: &Metadata<'_>) {
    let now = OffsetDateTime::from(SystemTime::now());
    let (date, time) = (now.date(), now.time());
    let written = write!(
        json,
        r#"{{"timestamp":"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z","level":"{}""#,
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.microsecond(),
        metadata.level(),
    );
    // Memory takes what is written to it.
    drop(written);
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};
    use tracing::{Instrument, Span, debug_span, error_span, info, info_span};
    use tracing_subscriber::filter::Targets;
    use tracing_subscriber::layer::SubscriberExt;

    use super::JsonLog;

    /// What is logged meanwhile, without the times.
    fn logged(doing: impl FnOnce()) -> Vec<Value> {
        let lines: Arc<Mutex<Vec<Value>>> = Arc::default();
        let kept = lines.clone();
        let log = JsonLog::new(move |line: &[u8]| {
            let mut line: Value = serde_json::from_slice(line).unwrap();
            let time = line.as_object_mut().unwrap().remove("timestamp").unwrap();
            assert_eq!(
                time.as_str().unwrap().len(),
                "2026-11-28T21:43:07.123456Z".len()
            );
            kept.lock().unwrap().push(line);
        });
        let levels: Targets = "info".parse().unwrap();
        tracing::subscriber::with_default(log.with(levels), || {
            tracing::callsite::rebuild_interest_cache();
            doing();
        });
        let lines = lines.lock().unwrap();
        lines.clone()
    }

    #[test]
    fn a_line_has_the_fields_of_the_spans_around_it_and_its_own_come_first() {
        let target = module_path!();
        let lines = logged(|| {
            let outer = info_span!("outer", request_id = "r1", function = "batch", level = "no");
            outer.in_scope(|| {
                let inner = info_span!("inner", function = "greet", late = tracing::field::Empty);
                inner.record("late", 7);
                inner.in_scope(|| info!(n = 1.5, ok = true, "hello \"you\""));
                info!(request_id = "own", "between");
            });
            info!("outside");
        });
        let line = |rest: Value| {
            let mut line = json!({"level": "INFO", "target": target});
            line.as_object_mut()
                .unwrap()
                .extend(rest.as_object().unwrap().clone());
            line
        };
        assert_eq!(
            lines,
            [
                line(
                    json!({"message": "hello \"you\"", "n": 1.5, "ok": true, "function": "greet",
                    "late": 7, "request_id": "r1"})
                ),
                line(json!({"message": "between", "request_id": "own", "function": "batch"})),
                line(json!({"message": "outside"})),
            ]
        );
    }

    #[test]
    fn a_span_lives_as_long_as_a_handle_or_a_child_and_its_place_is_used_again() {
        let lines = logged(|| {
            let child = {
                let parent = info_span!("parent", a = 1);
                parent.in_scope(|| info_span!("child", b = 2))
            };
            child.in_scope(|| {
                let current = Span::current();
                drop(child.clone());
                assert_eq!(current.id(), child.id());
                info!("both");
            });
            drop(child);
            let next = error_span!("next", c = 3);
            next.in_scope(|| info!("next"));
            // A level that is filtered out leaves no trace.
            debug_span!("hidden", d = 4).in_scope(|| info!("none"));
        });
        let fields = |it: &Value| ["a", "b", "c", "d"].map(|name| it[name].as_u64());
        assert_eq!(
            lines.iter().map(fields).collect::<Vec<_>>(),
            [
                [Some(1), Some(2), None, None],
                [None, None, Some(3), None],
                [None; 4],
            ]
        );
    }

    #[test]
    fn tasks_that_take_turns_keep_their_own_spans() {
        let lines = logged(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap();
            let task = async |name: &'static str| {
                for _ in 0..2 {
                    info!("{name}");
                    tokio::task::yield_now().await;
                }
            };
            runtime.block_on(async {
                tokio::join!(
                    task("one").instrument(info_span!("call", request_id = "one")),
                    task("two").instrument(info_span!("call", request_id = "two")),
                )
            });
        });
        assert_eq!(lines.len(), 4);
        assert!(
            lines.iter().all(|it| it["message"] == it["request_id"]),
            "{lines:?}"
        );
    }
}
