//! How much memory the records take, in total and for each holder, and whether they may grow.

use std::collections::HashMap;

use crate::error::{Error, Result};

/// The limit of the whole store.
const MOST: Usage = Usage {
    records: 10_000,
    bytes: 64 << 20,
};

/// Records, and the bytes of their values.
#[derive(Clone, Copy, Default)]
pub(super) struct Usage {
    pub(super) records: usize,
    pub(super) bytes: usize,
}

#[derive(Default)]
pub(super) struct Quota {
    all: Usage,
    by_holder: HashMap<String, Usage>,
}

impl Quota {
    pub(super) fn add(&mut self, holder: Option<&str>, bytes: usize) {
        self.all.add(bytes);
        if let Some(holder) = holder {
            let own = self.by_holder.entry(holder.to_owned()).or_default();
            own.add(bytes);
        }
    }

    pub(super) fn subtract(&mut self, holder: Option<&str>, bytes: usize) {
        self.all.subtract(bytes);
        let Some((holder, own)) = holder.and_then(|it| Some((it, self.by_holder.get_mut(it)?)))
        else {
            return;
        };
        own.subtract(bytes);
        if own.records == 0 {
            self.by_holder.remove(holder);
        }
    }

    /// Refuses growth that would give one holder more than the space left for the rest, so that no single holder can fill
    /// the store.
    ///
    /// # Errors
    /// `StoreUnavailable` with the exhausted resource, and whether the holder or the store has reached its limit.
    pub(super) fn has_room(&self, holder: Option<&str>, more: Usage) -> Result<()> {
        let own = holder.map(|it| self.by_holder.get(it).copied().unwrap_or_default());
        for (what, of) in [
            ("records", (|it| it.records) as fn(Usage) -> usize),
            ("bytes", |it| it.bytes),
        ] {
            check(what, of(MOST), of(self.all), own.map(of), of(more))?;
        }
        Ok(())
    }
}

impl Usage {
    fn add(&mut self, bytes: usize) {
        self.records += 1;
        self.bytes += bytes;
    }

    fn subtract(&mut self, bytes: usize) {
        self.records -= 1;
        self.bytes -= bytes;
    }
}

fn check(what: &str, most: usize, held: usize, own: Option<usize>, more: usize) -> Result<()> {
    // A holder above its share may still change its records without making them larger.
    if more == 0 {
        return Ok(());
    }
    if held + more > most {
        return Err(Error::store_unavailable(format!(
            "the store holds {held} {what}, of {most} that it may; try again when some have expired"
        )));
    }
    let left = most - held;
    match own {
        Some(own) if own + more > left - more => Err(Error::store_unavailable(format!(
            "the store holds {own} {what} for this caller, and has {left} left for all; try again when some have expired"
        ))),
        _ => Ok(()),
    }
}
