//! CloudWatch metrics in the access line, in the [embedded metric format].
//!
//! The format allows further members, so the access line and its metrics are one JSON document.
//!
//! [embedded metric format]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::Level;

/// The metrics of one line.
pub(super) struct Metrics<'a> {
    namespace: &'a str,
    directives: Vec<Directive<'a>>,
}

/// Metrics with the same dimensions; all names are members of the line.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Directive<'a> {
    namespace: &'a str,
    dimensions: [Vec<&'static str>; 1],
    metrics: Vec<Metric>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    name: &'static str,
    unit: Unit,
    /// Whether the metric counts lines; then its member has the value 1.
    #[serde(skip)]
    counts_lines: bool,
}

#[derive(Serialize)]
pub(super) enum Unit {
    Count,
    Milliseconds,
}

#[derive(Serialize)]
struct Document<'a, F> {
    timestamp: String,
    level: &'static str,
    #[serde(flatten)]
    fields: &'a F,
    #[serde(flatten)]
    ones: BTreeMap<&'static str, u8>,
    #[serde(rename = "_aws")]
    aws: Aws<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Aws<'a> {
    /// Milliseconds since 1970-01-01.
    timestamp: u128,
    cloud_watch_metrics: &'a [Directive<'a>],
}

impl<'a> Metrics<'a> {
    pub(super) fn new(namespace: &'a str) -> Metrics<'a> {
        let directives = Vec::new();
        Metrics {
            namespace,
            directives,
        }
    }

    /// Adds metrics with these dimensions.
    pub(super) fn with_dimensions(&mut self, dimensions: Vec<&'static str>) -> &mut Directive<'a> {
        self.directives.push(Directive {
            namespace: self.namespace,
            dimensions: [dimensions],
            metrics: Vec::new(),
        });
        self.directives.last_mut().expect("one was just added")
    }

    /// Writes `fields` and the metrics to standard output as one line.
    pub(super) fn write(&self, level: Level, fields: &impl Serialize) {
        let metrics = self.directives.iter().flat_map(|it| &it.metrics);
        let ones = metrics.filter(|it| it.counts_lines).map(|it| (it.name, 1));
        let now = SystemTime::now();
        let document = Document {
            timestamp: OffsetDateTime::from(now)
                .format(&Rfc3339)
                .unwrap_or_default(),
            level: level.as_str(),
            fields,
            ones: ones.collect(),
            aws: Aws {
                timestamp: now
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default()
                    .as_millis(),
                cloud_watch_metrics: &self.directives,
            },
        };
        let mut line = serde_json::to_vec(&document).expect("texts and numbers are JSON");
        line.push(b'\n');
        // A closed standard output must not fail the request.
        let _ = std::io::stdout().write_all(&line);
    }
}

impl Directive<'_> {
    /// Counts the line under this name.
    pub(super) fn count_line(&mut self, name: &'static str) -> &mut Self {
        self.add(name, Unit::Count, true)
    }

    /// Adds the value of a member of the line.
    pub(super) fn field(&mut self, name: &'static str, unit: Unit) -> &mut Self {
        self.add(name, unit, false)
    }

    fn add(&mut self, name: &'static str, unit: Unit, counts_lines: bool) -> &mut Self {
        self.metrics.push(Metric {
            name,
            unit,
            counts_lines,
        });
        self
    }
}
