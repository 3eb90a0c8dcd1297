//! The estimate: what is needed, and what it costs.

use std::fmt::Write;

use super::assumptions::{Assumptions, TABLE};

/// A month of 30 days.
const SECONDS: f64 = 30.0 * 86_400.0;
/// What Lambda bills at least.
const LEAST_MS: f64 = 1.0;

/// Loads that are compared, as parts of the assumed one.
const LOADS: [f64; 3] = [0.01, 0.1, 1.0];

/// What a load needs.
pub struct Estimate {
    /// Requests a second that reach the edge, or the function where there is no edge cache.
    pub edge: f64,
    /// The share of GET requests that edge caches answer.
    pub edge_hits: f64,
    /// Requests a second that reach the function.
    pub function: f64,
    /// Instances that are busy at a time.
    pub instances: f64,
    /// The share of upstream data that the caches of the instances answer.
    pub instance_hits: f64,
    /// Requests a second that reach the upstream.
    pub upstream: f64,
    /// Billed milliseconds of an average invocation.
    pub billed_ms: f64,
}

impl Estimate {
    /// What a rate of calls a second needs.
    pub fn of(it: &Assumptions, rate: f64) -> Estimate {
        let (targets, ttl) = (it.get("targets"), it.get("ttl_s"));
        let gets = rate * it.get("get");
        let caches = it.get("edges");
        let edge_hits = match caches > 0.0 {
            true => hits(gets / (targets * caches), ttl),
            false => 0.0,
        };
        let function = rate - gets * edge_hits;
        let asking = function * (1.0 - it.get("local"));
        let (local_ms, fetch_ms) = (
            cpu_ms(it, "calls_instructions"),
            cpu_ms(it, "fetch_instructions"),
        );
        // More instances hold the same data more often, so they hit less, take longer, and are more.
        let (mut instances, mut instance_hits, mut billed_ms) = (1.0_f64, 0.0, LEAST_MS);
        for _ in 0..100 {
            instance_hits = hits(asking / (targets * instances.max(1.0)), ttl);
            let missing = asking * (1.0 - instance_hits) / function;
            let (hit, miss) = (local_ms.max(LEAST_MS), fetch_ms + it.get("upstream_ms"));
            billed_ms = hit * (1.0 - missing) + miss * missing;
            instances = function * billed_ms / 1000.0;
        }
        Estimate {
            edge: rate,
            edge_hits,
            function,
            instances,
            instance_hits,
            upstream: asking * (1.0 - instance_hits),
            billed_ms,
        }
    }

    /// The dollars of a month at this rate, by what they are spent on.
    fn costs(&self, it: &Assumptions) -> [(&'static str, f64); 6] {
        let month = |rate: f64| rate * SECONDS;
        let million = |rate: f64| month(rate) / 1e6;
        let gb_seconds =
            month(self.function) * self.billed_ms / 1000.0 * it.get("memory_mb") / 1024.0;
        let compute = gb_seconds * it.get("gb_second");
        let gigabytes = month(self.edge) * it.get("response_kb") / 1e6;
        let edge = match it.get("edges") > 0.0 {
            true => {
                million(self.edge) * it.get("million_edge_requests") + gigabytes * it.get("edge_gb")
            }
            false => gigabytes * it.get("out_gb"),
        };
        let records = million(self.function) * it.get("recorded") * it.get("records");
        let log = month(self.function) * it.get("log_kb") / 1e6;
        [
            ("function: GB-seconds", compute),
            (
                "function: requests",
                million(self.function) * it.get("million_requests"),
            ),
            ("CloudFront, or data out", edge),
            (
                "table",
                records * (it.get("million_writes") + it.get("million_reads")),
            ),
            ("log", log * it.get("log_gb")),
            (
                "traces",
                million(self.function) * it.get("traced") * it.get("million_traces"),
            ),
        ]
    }
}

/// The hits of a cache that is asked for one thing so often: a miss, and then hits until it is no longer fresh.
fn hits(rate: f64, ttl: f64) -> f64 {
    rate * ttl / (1.0 + rate * ttl)
}

/// The time that instructions take with the share of a CPU that belongs to the memory.
fn cpu_ms(it: &Assumptions, instructions: &str) -> f64 {
    let share = (it.get("memory_mb") / 1769.0).min(1.0);
    it.get(instructions) / (it.get("speed") * share) * 1000.0
}

/// The assumptions as a table.
pub fn assumed(it: &Assumptions) -> String {
    let mut text = "| name | value | meaning |\n|---|---:|---|\n".to_owned();
    for (name, _, unit, meaning) in TABLE {
        let value = format!("{} {unit}", grouped(it.get(name)));
        let _ = writeln!(text, "| `{name}` | {} | {meaning} |", value.trim_end());
    }
    text
}

/// What a hundredth of the load, a tenth and all of it need and cost.
pub fn report(it: &Assumptions) -> String {
    let calls = LOADS.map(|part| it.get("calls") * part);
    let average = calls.map(|calls| Estimate::of(it, calls / SECONDS));
    let peak = calls.map(|calls| Estimate::of(it, calls / SECONDS * it.get("peak")));
    let mut text = row("calls a month", calls.map(grouped));
    text += "|---|---:|---:|---:|\n";
    let both = |value: fn(&Estimate) -> f64| {
        [0, 1, 2].map(|at| {
            format!(
                "{} / {}",
                short(value(&average[at])),
                short(value(&peak[at]))
            )
        })
    };
    let quota = it.get("upstream_quota");
    let limit = [0, 1, 2].map(|at| short(quota / peak[at].instances.ceil().max(1.0)));
    text += &row("calls a second, average / peak", both(|it| it.edge));
    text += &row(
        "of GETs the edge answers, %",
        both(|it| it.edge_hits * 100.0),
    );
    text += &row("requests a second to the function", both(|it| it.function));
    text += &row("busy instances", both(|it| it.instances));
    text += &row("billed ms of a request", both(|it| it.billed_ms));
    text += &row(
        "of upstream data instances have cached, %",
        both(|it| it.instance_hits * 100.0),
    );
    text += &row("requests a second to the upstream", both(|it| it.upstream));
    text += &row(
        "limit of an instance that keeps the quota, requests/s",
        limit,
    );
    let costs = [0, 1, 2].map(|at| average[at].costs(it));
    for (at, (what, _)) in costs[0].iter().enumerate() {
        text += &row(
            &format!("{what}, $"),
            [0, 1, 2].map(|load| short(costs[load][at].1)),
        );
    }
    let sums = [0, 1, 2].map(|at| costs[at].iter().map(|it| it.1).sum::<f64>());
    text += &row("**all, $ a month**", sums.map(short));
    text += &row(
        "a million calls, $",
        [0, 1, 2].map(|at| short(sums[at] / calls[at] * 1e6)),
    );
    text
}

fn row(what: &str, values: [String; 3]) -> String {
    format!("| {what} | {} |\n", values.join(" | "))
}

/// A number with as many digits as it deserves.
fn short(value: f64) -> String {
    match value {
        _ if value >= 100.0 => grouped(value.round()),
        _ if value >= 10.0 => format!("{value:.0}"),
        _ if value >= 1.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A number with commas between thousands.
fn grouped(value: f64) -> String {
    if value < 10_000.0 {
        return format!("{value}");
    }
    let digits = format!("{value:.0}");
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups: Vec<&str> = groups
        .filter_map(|it| std::str::from_utf8(it).ok())
        .collect();
    groups.join(",")
}
