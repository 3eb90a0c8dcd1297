//! The spans that are open, each with its fields and its parent.

use tracing::Metadata;
use tracing::span::Id;

use super::fields::Fields;

/// The open spans; the place of a span is its id.
#[derive(Default)]
pub(super) struct OpenSpans {
    spans: Vec<Option<OpenSpan>>,
    /// The places that are free.
    free: Vec<usize>,
}

struct OpenSpan {
    metadata: &'static Metadata<'static>,
    parent: Option<Id>,
    fields: Fields,
    /// How many handles and children it has.
    holders: usize,
}

impl OpenSpans {
    /// Opens a span with one holder.
    pub(super) fn open(
        &mut self,
        metadata: &'static Metadata<'static>,
        parent: Option<Id>,
        fields: Fields,
    ) -> Id {
        if let Some(parent) = &parent {
            self.hold(parent);
        }
        let span = Some(OpenSpan {
            metadata,
            parent,
            fields,
            holders: 1,
        });
        let place = match self.free.pop() {
            Some(place) => {
                self.spans[place] = span;
                place
            }
            None => {
                self.spans.push(span);
                self.spans.len() - 1
            }
        };
        // An id is not 0.
        Id::from_u64(place as u64 + 1)
    }

    /// Adds values to a span.
    pub(super) fn record(&mut self, id: &Id, fields: &Fields) {
        if let Some(span) = self.get_mut(id) {
            span.fields.append(fields);
        }
    }

    /// Adds a holder.
    pub(super) fn hold(&mut self, id: &Id) {
        if let Some(span) = self.get_mut(id) {
            span.holders += 1;
        }
    }

    /// Takes a holder away. True where it was the last one, with which the span is closed.
    pub(super) fn release(&mut self, id: Id) -> bool {
        let mut next = Some(id);
        let mut is_closed = None;
        while let Some(id) = next.take() {
            let Some(span) = self.get_mut(&id) else { break };
            span.holders -= 1;
            let is_last = span.holders == 0;
            if is_last {
                next = span.parent.take();
                let place = place(&id);
                self.spans[place] = None;
                self.free.push(place);
            }
            is_closed.get_or_insert(is_last);
        }
        is_closed.unwrap_or(false)
    }

    /// What the span was declared with.
    pub(super) fn metadata(&self, id: &Id) -> Option<&'static Metadata<'static>> {
        self.get(id).map(|it| it.metadata)
    }

    /// Writes the fields of a span and of those around it, the innermost first, except those that are `seen`.
    pub(super) fn write(&self, id: &Id, seen: &mut Vec<&'static str>, json: &mut Vec<u8>) {
        let mut next = self.get(id);
        while let Some(span) = next {
            for (name, text) in span.fields.latest_first() {
                if !seen.contains(&name) {
                    seen.push(name);
                    json.extend_from_slice(text);
                }
            }
            next = span.parent.as_ref().and_then(|it| self.get(it));
        }
    }

    fn get(&self, id: &Id) -> Option<&OpenSpan> {
        self.spans.get(place(id))?.as_ref()
    }

    fn get_mut(&mut self, id: &Id) -> Option<&mut OpenSpan> {
        self.spans.get_mut(place(id))?.as_mut()
    }
}

fn place(id: &Id) -> usize {
    (id.into_u64() - 1) as usize
}
