//! Planned faults: which share of an upstream's responses is faulty, and how.

use std::time::Duration;

use crate::testing::{Canned, Fault};

/// A list such as `explorer=500@20,lcd=delay:3000,exchange=429:2@50`. Each entry names an upstream, a fault, and the
/// percentage of requests that get it (100 if absent), evenly distributed.
///
/// | fault | what the upstream does |
/// |---|---|
/// | `delay:MS` | answers late |
/// | `slow:MS` | sends the second half of the body late |
/// | `hang` | never answers |
/// | `reset` | closes the connection without an answer |
/// | `truncate` | closes it after half of the body |
/// | `garbage` | sends bytes that are not HTTP |
/// | `type` | answers with an HTML page |
/// | `shape` | answers with JSON of another shape |
/// | `429`, `429:SECONDS` | limits the request rate, with the wait in `Retry-After` |
/// | a status from 400 to 599 | answers with it |
#[derive(Debug, Default)]
pub struct FaultPlan(Vec<PlannedFault>);

#[derive(Debug)]
struct PlannedFault {
    upstream: String,
    kind: FaultKind,
    percent: u64,
    requests: u64,
}

#[derive(Clone, Copy, Debug)]
enum FaultKind {
    Fault(Fault),
    Status(u16),
    TooMany(u64),
    Type,
    Shape,
}

impl FaultPlan {
    /// Parses a list of faults of `upstreams`; an empty list plans none.
    ///
    /// # Errors
    /// The invalid entry.
    pub fn parse(text: &str, upstreams: &[&str]) -> Result<FaultPlan, String> {
        let entries = text.split(',').map(str::trim).filter(|it| !it.is_empty());
        let read = |text: &str| {
            let (upstream, rest) = text.split_once('=')?;
            upstreams.iter().find(|it| **it == upstream)?;
            let (fault, percent) = rest.split_once('@').unwrap_or((rest, "100"));
            let percent = percent.parse().ok().filter(|it| (0..=100).contains(it))?;
            Some(PlannedFault {
                upstream: format!("/{upstream}/"),
                kind: FaultKind::parse(fault)?,
                percent,
                requests: 0,
            })
        };
        let entries = entries.map(|it| {
            read(it).ok_or_else(|| format!("`{it}` is not a fault such as `explorer=500@20`"))
        });
        entries.collect::<Result<_, _>>().map(FaultPlan)
    }

    /// The response to `target`, after the fault that is due.
    pub(super) fn apply(&mut self, target: &str, canned: Canned) -> Canned {
        for entry in self
            .0
            .iter_mut()
            .filter(|it| target.starts_with(&it.upstream))
        {
            entry.requests += 1;
            // Evenly distributed, not random: the same requests fail in every run.
            let due = |requests: u64| requests * entry.percent / 100;
            if due(entry.requests) > due(entry.requests - 1) {
                return entry.kind.of(canned);
            }
        }
        canned
    }
}

impl FaultKind {
    fn parse(text: &str) -> Option<FaultKind> {
        let (name, number) = text.split_once(':').unwrap_or((text, ""));
        let number: Option<u64> = number.parse().ok();
        let time = number.map(Duration::from_millis);
        Some(match name {
            "delay" => FaultKind::Fault(Fault::Delay(time?)),
            "slow" => FaultKind::Fault(Fault::Slow(time?)),
            "hang" => FaultKind::Fault(Fault::Hang),
            "reset" => FaultKind::Fault(Fault::Reset),
            "truncate" => FaultKind::Fault(Fault::Truncate),
            "garbage" => FaultKind::Fault(Fault::Garbage),
            "type" => FaultKind::Type,
            "shape" => FaultKind::Shape,
            "429" if number.is_some() => FaultKind::TooMany(number?),
            status => FaultKind::Status(status.parse().ok().filter(|it| (400..600).contains(it))?),
        })
    }

    fn of(self, canned: Canned) -> Canned {
        match self {
            FaultKind::Fault(fault) => canned.fault(fault),
            FaultKind::Status(status) => Canned::status(status, "text/plain", "a planned fault"),
            FaultKind::TooMany(seconds) => {
                Canned::status(429, "", "").header("retry-after", seconds.to_string())
            }
            FaultKind::Type => Canned::status(
                200,
                "text/html",
                "<!doctype html><title>maintenance</title>",
            ),
            FaultKind::Shape => Canned::json("[\"another shape\"]"),
        }
    }
}
