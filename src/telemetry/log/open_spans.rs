//! The spans that are open, each with its fields and its parent.
//!
//! Each thread opens spans in its own part, so that calls on several threads do not wait for each other: a thread locks the
//! part of another one only for a span that was opened there.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::Metadata;
use tracing::span::Id;

use super::fields::Fields;
use super::style::Style;

/// The number of parts; more threads than this share them.
const PARTS: usize = 32;

/// The open spans. The id of a span encodes its part and its index there.
#[derive(Default)]
pub(super) struct OpenSpans {
    parts: [Mutex<Part>; PARTS],
    /// The number of threads that have opened a span.
    threads: AtomicUsize,
}

#[derive(Default)]
struct Part {
    spans: Vec<Option<OpenSpan>>,
    /// The indexes that are free.
    free: Vec<usize>,
}

struct OpenSpan {
    metadata: &'static Metadata<'static>,
    parent: Option<Id>,
    fields: Fields,
    /// How many handles and children it has.
    holders: usize,
}

thread_local! {
    /// The number of this thread; a process has one log.
    static THREAD: Cell<Option<usize>> = const { Cell::new(None) };
}

impl OpenSpans {
    /// Opens a span with one holder.
    pub(super) fn open(
        &self,
        metadata: &'static Metadata<'static>,
        parent: Option<Id>,
        fields: Fields,
    ) -> Id {
        if let Some(parent) = &parent {
            self.hold(parent);
        }
        let span = OpenSpan {
            metadata,
            parent,
            fields,
            holders: 1,
        };
        let part = self.own_part();
        let index = self.lock(part).put(span);
        // An id is not 0.
        Id::from_u64((index * PARTS + part) as u64 + 1)
    }

    /// Adds values to a span.
    pub(super) fn record(&self, id: &Id, fields: &Fields) {
        self.with(id, |span| span.fields.append(fields));
    }

    /// Adds a holder.
    pub(super) fn hold(&self, id: &Id) {
        self.with(id, |span| span.holders += 1);
    }

    /// Removes a holder; true if it was the last one, with which the span is closed.
    pub(super) fn release(&self, id: Id) -> bool {
        let mut next = Some(id);
        let mut is_closed = None;
        while let Some(id) = next.take() {
            let (part, index) = at(&id);
            let span = self.lock(part).release(index);
            is_closed.get_or_insert(span.is_some());
            next = span.and_then(|it| it.parent);
        }
        is_closed.unwrap_or(false)
    }

    /// What the span was declared with.
    pub(super) fn metadata(&self, id: &Id) -> Option<&'static Metadata<'static>> {
        self.with(id, |span| span.metadata)
    }

    /// Writes the names of a span and of those around it, the outermost first.
    pub(super) fn write_names(&self, id: &Id, style: Style, line: &mut Vec<u8>) {
        let found = self.with(id, |span| (span.parent.clone(), span.metadata.name()));
        if let Some((parent, name)) = found {
            if let Some(parent) = parent {
                self.write_names(&parent, style, line);
            }
            style.span(line, name);
        }
    }

    /// Writes the fields of a span and of those around it, the innermost first, except those that are `seen`.
    pub(super) fn write(&self, id: &Id, seen: &mut Vec<&'static str>, line: &mut Vec<u8>) {
        let mut next = Some(id.clone());
        while let Some(id) = next {
            let written = self.with(&id, |span| {
                for (name, text) in span.fields.latest_first() {
                    if !seen.contains(&name) {
                        seen.push(name);
                        line.extend_from_slice(text);
                    }
                }
                span.parent.clone()
            });
            next = written.flatten();
        }
    }

    fn with<T>(&self, id: &Id, use_span: impl FnOnce(&mut OpenSpan) -> T) -> Option<T> {
        let (part, index) = at(id);
        let mut part = self.lock(part);
        part.spans.get_mut(index)?.as_mut().map(use_span)
    }

    fn own_part(&self) -> usize {
        let next = || self.threads.fetch_add(1, Ordering::Relaxed);
        let thread = THREAD.get().unwrap_or_else(next);
        THREAD.set(Some(thread));
        thread % PARTS
    }

    fn lock(&self, part: usize) -> MutexGuard<'_, Part> {
        let part = &self.parts[part];
        part.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Part {
    fn put(&mut self, span: OpenSpan) -> usize {
        match self.free.pop() {
            Some(index) => {
                self.spans[index] = Some(span);
                index
            }
            None => {
                self.spans.push(Some(span));
                self.spans.len() - 1
            }
        }
    }

    /// Removes a holder, and with the last one the span.
    fn release(&mut self, index: usize) -> Option<OpenSpan> {
        let kept = self.spans.get_mut(index)?;
        let span = kept.as_mut()?;
        span.holders -= 1;
        if span.holders > 0 {
            return None;
        }
        self.free.push(index);
        kept.take()
    }
}

/// The part of a span, and its index there.
fn at(id: &Id) -> (usize, usize) {
    let number = (id.into_u64() - 1) as usize;
    (number % PARTS, number / PARTS)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use tracing_core::callsite::{DefaultCallsite, Identifier};
    use tracing_core::field::FieldSet;
    use tracing_core::{Level, metadata::Kind};

    use super::*;

    static CALLSITE: DefaultCallsite = DefaultCallsite::new(&METADATA);
    static METADATA: Metadata<'static> = Metadata::new(
        "call",
        "test",
        Level::INFO,
        None,
        None,
        None,
        FieldSet::new(&[], Identifier(&CALLSITE)),
        Kind::SPAN,
    );

    #[test]
    fn a_thread_opens_and_closes_spans_while_another_holds_its_own_part() {
        let spans = OpenSpans::default();
        let id = spans.open(&METADATA, None, Fields::default());
        let held = spans.lock(at(&id).0);
        // It would not return if it waited for the part that is held.
        thread::scope(|scope| {
            let other = scope.spawn(|| {
                let outer = spans.open(&METADATA, None, Fields::default());
                let inner = spans.open(&METADATA, Some(outer.clone()), Fields::default());
                spans.record(&inner, &Fields::default());
                assert!(!spans.release(outer));
                assert!(spans.release(inner));
            });
            other.join().unwrap();
        });
        drop(held);
        assert!(spans.release(id));
    }
}
