//! What the estimate assumes: each with its name, its default and its meaning.

/// The assumptions, in the order of [`TABLE`].
#[derive(Clone)]
pub struct Assumptions(Vec<f64>);

/// Name, default, unit and meaning.
pub const TABLE: &[(&str, f64, &str, &str)] = &[
    (
        "calls",
        1e9,
        "a month",
        "calls of functions, over both protocols",
    ),
    (
        "peak",
        4.0,
        "",
        "the busiest second, compared with the average one",
    ),
    ("local", 0.3, "", "share of calls that ask no upstream"),
    (
        "get",
        0.5,
        "",
        "share of calls that are GET requests of REST, which an edge cache may answer",
    ),
    (
        "targets",
        500.0,
        "",
        "different upstream requests that callers ask for, equally often",
    ),
    ("ttl_s", 30.0, "s", "how long an upstream response is fresh"),
    (
        "edges",
        13.0,
        "",
        "edge caches that keep responses apart; 0 without CloudFront",
    ),
    ("upstream_ms", 120.0, "ms", "the wait for an upstream"),
    (
        "upstream_quota",
        50.0,
        "requests/s",
        "what an upstream allows this deployment",
    ),
    (
        "calls_instructions",
        180e3,
        "",
        "instructions of a call without an upstream, measured",
    ),
    (
        "fetch_instructions",
        440e3,
        "",
        "instructions of a call with one, measured",
    ),
    (
        "speed",
        2.5e9,
        "instructions/s",
        "what one virtual CPU does",
    ),
    (
        "memory_mb",
        256.0,
        "MB",
        "memory of an instance; 1769 MB are one virtual CPU",
    ),
    (
        "recorded",
        0.01,
        "",
        "share of calls that become a task or ask their client",
    ),
    (
        "records",
        4.0,
        "",
        "writes of such a call to the table, and as many reads",
    ),
    ("response_kb", 2.5, "KB", "size of a response"),
    (
        "log_kb",
        1.2,
        "KB",
        "log of a call: the access line, and the lines of the platform",
    ),
    ("traced", 0.05, "", "share of calls that X-Ray traces"),
    ("gb_second", 0.0000133334, "$", "Lambda, arm64"),
    ("million_requests", 0.20, "$", "Lambda"),
    ("million_edge_requests", 1.00, "$", "CloudFront, HTTPS"),
    ("edge_gb", 0.085, "$", "CloudFront, data out"),
    ("out_gb", 0.09, "$", "data out without CloudFront"),
    ("million_writes", 0.625, "$", "DynamoDB, on demand"),
    ("million_reads", 0.125, "$", "DynamoDB, on demand"),
    ("log_gb", 0.50, "$", "CloudWatch Logs"),
    ("million_traces", 5.00, "$", "X-Ray"),
];

impl Default for Assumptions {
    fn default() -> Assumptions {
        Assumptions(TABLE.iter().map(|it| it.1).collect())
    }
}

impl Assumptions {
    /// The defaults, with the values of arguments such as `calls=1e8`.
    ///
    /// # Errors
    /// An argument does not name an assumption, or its value is not a number.
    pub fn from_args(args: impl Iterator<Item = String>) -> Result<Assumptions, String> {
        args.into_iter()
            .try_fold(Assumptions::default(), |all, arg| {
                let parsed = arg.split_once('=').and_then(|(name, value)| {
                    Some((
                        place(name)?,
                        value.parse::<f64>().ok().filter(|it| *it >= 0.0)?,
                    ))
                });
                let names: Vec<&str> = TABLE.iter().map(|it| it.0).collect();
                let (place, value) = parsed.ok_or_else(|| {
                    format!(
                        "`{arg}` is not NAME=NUMBER; the names are: {}",
                        names.join(", ")
                    )
                })?;
                Ok(all.with(TABLE[place].0, value))
            })
    }

    /// The value of an assumption.
    pub fn get(&self, name: &str) -> f64 {
        self.0[place(name).expect("the estimate asks for names of the table")]
    }

    /// The same, but for one value.
    pub fn with(mut self, name: &str, value: f64) -> Assumptions {
        self.0[place(name).expect("the name is one of the table")] = value;
        self
    }
}

fn place(name: &str) -> Option<usize> {
    TABLE.iter().position(|it| it.0 == name)
}
