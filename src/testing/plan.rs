//! Faults on demand: which share of an upstream's answers goes wrong, and how.

use std::time::Duration;

use crate::testing::{Canned, Fault};

/// A list such as `explorer=500@20,lcd=delay:3000,exchange=429:2@50`: for each upstream a fault and the percentage of
/// its requests that get it (100 where it is left out), evenly spread.
///
/// | fault | what the upstream does |
/// |---|---|
/// | `delay:MS` | answers late |
/// | `slow:MS` | sends the second half of the body late |
/// | `hang` | never answers |
/// | `reset` | closes the connection without an answer |
/// | `truncate` | closes it after half of the body |
/// | `garbage` | sends what is no HTTP |
/// | `type` | answers with a page of HTML |
/// | `shape` | answers with JSON of another shape |
/// | `429`, `429:SECONDS` | asks for fewer requests, and says for how long |
/// | a status from 400 to 599 | answers with it |
#[derive(Debug, Default)]
pub struct FaultPlan(Vec<PlannedFault>);

#[derive(Debug)]
struct PlannedFault {
    upstream: String,
    wrong: Wrong,
    percent: u64,
    requests: u64,
}

#[derive(Clone, Copy, Debug)]
enum Wrong {
    Fault(Fault),
    Status(u16),
    TooMany(u64),
    Type,
    Shape,
}

impl FaultPlan {
    /// Reads a list of faults of those `upstreams`; an empty one lets nothing go wrong.
    ///
    /// # Errors
    /// The entry that cannot be read.
    pub fn parse(text: &str, upstreams: &[&str]) -> Result<FaultPlan, String> {
        let entries = text.split(',').map(str::trim).filter(|it| !it.is_empty());
        let read = |text: &str| {
            let (upstream, rest) = text.split_once('=')?;
            upstreams.iter().find(|it| **it == upstream)?;
            let (fault, percent) = rest.split_once('@').unwrap_or((rest, "100"));
            let percent = percent.parse().ok().filter(|it| (0..=100).contains(it))?;
            Some(PlannedFault {
                upstream: format!("/{upstream}/"),
                wrong: Wrong::parse(fault)?,
                percent,
                requests: 0,
            })
        };
        let entries = entries.map(|it| {
            read(it).ok_or_else(|| format!("`{it}` is no fault such as `explorer=500@20`"))
        });
        entries.collect::<Result<_, _>>().map(FaultPlan)
    }

    /// The answer to `target`, or what becomes of it.
    pub(super) fn apply(&mut self, target: &str, canned: Canned) -> Canned {
        for entry in self
            .0
            .iter_mut()
            .filter(|it| target.starts_with(&it.upstream))
        {
            entry.requests += 1;
            // Evenly spread and not drawn by lot: the same requests fail in every run.
            let due = |requests: u64| requests * entry.percent / 100;
            if due(entry.requests) > due(entry.requests - 1) {
                return entry.wrong.of(canned);
            }
        }
        canned
    }
}

impl Wrong {
    fn parse(text: &str) -> Option<Wrong> {
        let (name, number) = text.split_once(':').unwrap_or((text, ""));
        let number: Option<u64> = number.parse().ok();
        let time = number.map(Duration::from_millis);
        Some(match name {
            "delay" => Wrong::Fault(Fault::Delay(time?)),
            "slow" => Wrong::Fault(Fault::Slow(time?)),
            "hang" => Wrong::Fault(Fault::Hang),
            "reset" => Wrong::Fault(Fault::Reset),
            "truncate" => Wrong::Fault(Fault::Truncate),
            "garbage" => Wrong::Fault(Fault::Garbage),
            "type" => Wrong::Type,
            "shape" => Wrong::Shape,
            "429" if number.is_some() => Wrong::TooMany(number?),
            status => Wrong::Status(status.parse().ok().filter(|it| (400..600).contains(it))?),
        })
    }

    fn of(self, canned: Canned) -> Canned {
        match self {
            Wrong::Fault(fault) => canned.fault(fault),
            Wrong::Status(status) => Canned::status(status, "text/plain", "a fault on demand"),
            Wrong::TooMany(seconds) => {
                Canned::status(429, "", "").header("retry-after", seconds.to_string())
            }
            Wrong::Type => Canned::status(
                200,
                "text/html",
                "<!doctype html><title>maintenance</title>",
            ),
            Wrong::Shape => Canned::json("[\"another shape\"]"),
        }
    }
}
