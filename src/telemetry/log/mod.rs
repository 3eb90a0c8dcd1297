//! The log: one line for each event, with the fields of the spans around it.
//!
//! The registry of `tracing-subscriber`, which stores spans for its own formats, takes 32 KB and a tenth of what this library
//! adds to a cold start, and its text format takes a third of a local request. This log stores only the written fields of
//! each open span.

mod fields;
mod open_spans;
mod style;

use std::cell::{Cell, RefCell};
use std::io::{IsTerminal, Write};

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_core::span::Current;

use fields::Fields;
use open_spans::OpenSpans;
use style::Style;

/// Writes lines.
pub(super) struct Log<W> {
    spans: OpenSpans,
    style: Style,
    /// Where each line goes.
    write: W,
}

thread_local! {
    /// The spans that this thread is in, the innermost last.
    static ENTERED: RefCell<Vec<Id>> = const { RefCell::new(Vec::new()) };
    /// The buffer of this thread for a line; `None` while it is in use.
    static LINE: Cell<Option<Fields>> = const { Cell::new(None) };
}

/// The fields of a JSON line that no span may replace.
const OWN_FIELDS: [&str; 3] = ["timestamp", "level", "target"];

/// The maximum size of the buffer that a thread keeps for its next line.
const KEPT: usize = 16 << 10;

impl<W: Fn(&[u8]) + Send + Sync + 'static> Log<W> {
    fn new(style: Style, write: W) -> Log<W> {
        Log {
            spans: OpenSpans::default(),
            style,
            write,
        }
    }

    /// The span that an event or a new span belongs to.
    fn parent(explicit: Option<&Id>, is_contextual: bool) -> Option<Id> {
        match explicit {
            Some(parent) => Some(parent.clone()),
            None if is_contextual => current(),
            None => None,
        }
    }

    fn write_line(&self, line: &mut Fields, event: &Event<'_>) {
        let (style, metadata) = (self.style, event.metadata());
        let parent = Self::parent(event.parent(), event.is_contextual());
        style.start(&mut line.text, *metadata.level());
        if let (Some(parent), Style::Text { .. }) = (&parent, style) {
            line.text.push(b' ');
            self.spans.write_names(parent, style, &mut line.text);
        }
        event.record(line);
        if let Some(parent) = parent {
            let mut seen: Vec<&str> = line.names().collect();
            if style == Style::Json {
                seen.extend(OWN_FIELDS);
            }
            self.spans.write(&parent, &mut seen, &mut line.text);
        }
        style.end(&mut line.text, metadata.target());
    }
}

/// JSON lines on standard output, where platforms collect the log of a container.
pub(super) fn json() -> impl Subscriber + Send + Sync {
    Log::new(Style::Json, unlocked(std::io::stdout()))
}

/// Text lines on standard error, separate from the output of a command.
pub(super) fn text() -> impl Subscriber + Send + Sync {
    let stream = std::io::stderr();
    let colored = stream.is_terminal();
    Log::new(Style::Text { colored }, unlocked(stream))
}

impl<W: Fn(&[u8]) + Send + Sync + 'static> Subscriber for Log<W> {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut fields = Fields::with_room(self.style, 128, 4);
        attributes.record(&mut fields);
        let parent = Self::parent(attributes.parent(), attributes.is_contextual());
        self.spans.open(attributes.metadata(), parent, fields)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        let mut fields = Fields::with_room(self.style, 64, 1);
        values.record(&mut fields);
        self.spans.record(id, &fields);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        // A value may log while it is written; that line gets a new buffer.
        let line = LINE.take();
        let mut line = line.unwrap_or_else(|| Fields::with_room(self.style, 1024, 24));
        line.clear(self.style);
        self.write_line(&mut line, event);
        (self.write)(&line.text);
        if line.text.capacity() <= KEPT {
            LINE.set(Some(line));
        }
    }

    fn enter(&self, id: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(id.clone()));
    }

    fn exit(&self, id: &Id) {
        ENTERED.with_borrow_mut(|entered| {
            if let Some(index) = entered.iter().rposition(|it| it == id) {
                entered.remove(index);
            }
        });
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.spans.hold(id);
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        self.spans.release(id)
    }

    fn current_span(&self) -> Current {
        let current = current();
        let known = current.and_then(|id| Some((self.spans.metadata(&id)?, id)));
        known.map_or_else(Current::none, |(metadata, id)| Current::new(id, metadata))
    }
}

/// Writes to a stream without the lock of the standard library, for which calls on several threads would wait. Each line is
/// one write, which the system does not mix with others.
#[cfg(unix)]
fn unlocked(stream: impl std::os::fd::AsFd) -> impl Fn(&[u8]) + Send + Sync + 'static {
    let file = stream.as_fd().try_clone_to_owned().ok();
    let file = file.map(std::fs::File::from);
    move |line| {
        if let Some(mut file) = file.as_ref() {
            // A closed stream must not fail the request.
            let _ = file.write_all(line);
        }
    }
}

/// Writes to a stream.
#[cfg(not(unix))]
fn unlocked<S>(stream: S) -> impl Fn(&[u8]) + Send + Sync + 'static
where
    S: Send + Sync + 'static,
    for<'s> &'s S: Write,
{
    move |line| {
        // A closed stream must not fail the request.
        let _ = (&stream).write_all(line);
    }
}

fn current() -> Option<Id> {
    ENTERED.with_borrow(|entered| entered.last().cloned())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};
    use tracing::{Instrument, Span, debug_span, error_span, info, info_span, warn};
    use tracing_subscriber::filter::Targets;
    use tracing_subscriber::layer::SubscriberExt;

    use super::{Log, Style};

    const TIME: &str = "2026-11-28T21:43:07.123456Z";

    /// The lines that `doing` logs.
    fn lines(style: Style, doing: impl FnOnce()) -> Vec<String> {
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = lines.clone();
        let log = Log::new(style, move |line: &[u8]| {
            let line = String::from_utf8(line.to_vec()).unwrap();
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

    /// The JSON lines that `doing` logs, without their times.
    fn logged(doing: impl FnOnce()) -> Vec<Value> {
        let lines = lines(Style::Json, doing);
        let read = |line: String| {
            let mut line: Value = serde_json::from_str(&line).unwrap();
            let time = line.as_object_mut().unwrap().remove("timestamp").unwrap();
            assert_eq!(time.as_str().unwrap().len(), TIME.len());
            line
        };
        lines.into_iter().map(read).collect()
    }

    #[test]
    fn a_text_line_has_the_names_of_its_spans_before_its_message_and_their_fields_after_it() {
        let logging = || {
            let outer = info_span!("outer", request_id = "r1", function = "batch");
            outer.in_scope(|| {
                info_span!("inner", function = "greet")
                    .in_scope(|| warn!(n = 1.5, ok = true, said = "a \"b\"", "hello \"you\""));
            });
            info!(host = %"a\nb", "outside\n");
        };
        let plain = lines(Style::Text { colored: false }, logging);
        let plain: Vec<&str> = plain.iter().map(|it| &it[TIME.len()..]).collect();
        assert_eq!(
            plain,
            [
                "  WARN outer:inner: hello \"you\" n=1.5 ok=true said=\"a \\\"b\\\"\" function=\"greet\" request_id=\"r1\"\n",
                "  INFO outside\\n host=a\\nb\n",
            ]
        );
        let colored = lines(Style::Text { colored: true }, logging);
        let line = colored[1].strip_prefix("\x1b[2m").unwrap();
        assert_eq!(
            &line[TIME.len()..],
            "\x1b[0m \x1b[32m INFO\x1b[0m outside\\n \x1b[3mhost\x1b[0m=a\\nb\n"
        );
    }

    #[test]
    fn a_thread_writes_a_line_while_another_holds_the_lock_of_the_stream() {
        let (out, err) = (std::io::stdout().lock(), std::io::stderr().lock());
        // It would not return if it waited for a lock.
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| {
                super::unlocked(std::io::stdout())(b"");
                super::unlocked(std::io::stderr())(b"");
            });
            writing.join().unwrap();
        });
        drop((out, err));
    }

    #[test]
    fn a_value_may_log_while_it_is_written() {
        struct Logging;
        impl std::fmt::Display for Logging {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                info!("inside");
                f.write_str("value")
            }
        }
        let lines = lines(Style::Text { colored: false }, || {
            info!(a = 1, b = %Logging, "outside");
            info!("after");
        });
        let lines: Vec<&str> = lines.iter().map(|it| &it[TIME.len()..]).collect();
        // `tracing` itself drops events that occur while another one is dispatched.
        assert_eq!(lines, ["  INFO outside a=1 b=value\n", "  INFO after\n"]);
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
    fn a_span_is_kept_while_it_has_a_handle_or_a_child_and_its_slot_is_reused() {
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
            // A span that is filtered out is not written.
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
