//! An upstream as it is declared: where it is, how hard it may be asked, how long its answers stay good.

use std::time::Duration;

/// An HTTP API that functions ask.
///
/// ```
/// use std::time::Duration;
/// use bifold::upstream::{Keep, Upstream};
/// const WEATHER: Upstream = Upstream::new("weather", "https://weather.example.com/v1")
///     .in_flight(4)
///     .rate(10, Duration::from_secs(2))
///     .keep(|_path| Keep::seconds(60, 600));
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Upstream {
    /// The name in errors, logs and settings: lower case letters, digits and `_`.
    pub name: &'static str,
    /// The base URL unless `BIFOLD_<NAME>_URL` names another; paths are appended to it.
    pub url: &'static str,
    /// Requests that may run at the same time.
    pub in_flight: usize,
    /// How many requests may start, and how often.
    pub rate: Option<Rate>,
    /// How long the answer to a path is good.
    pub keep: fn(&str) -> Keep,
    /// The class of a path: one that fails again and again is left alone, and the other classes are asked as before.
    pub class: fn(&str) -> &'static str,
}

/// A token bucket.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Rate {
    /// Requests that may start at once after a pause.
    pub burst: u32,
    /// The time in which one more may start.
    pub period: Duration,
}

/// How long an answer may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Keep {
    /// As if it had just come.
    pub fresh: Duration,
    /// After that, where the upstream fails.
    pub stale: Duration,
}

impl Upstream {
    /// An upstream without limits whose answers are not kept.
    pub const fn new(name: &'static str, url: &'static str) -> Upstream {
        Upstream {
            name,
            url,
            in_flight: usize::MAX,
            rate: None,
            keep: |_| Keep::NOT,
            class: |_| "",
        }
    }

    /// At most so many requests at the same time.
    pub const fn in_flight(self, in_flight: usize) -> Upstream {
        Upstream { in_flight, ..self }
    }

    /// At most `burst` requests at once, and one more each `period`.
    pub const fn rate(self, burst: u32, period: Duration) -> Upstream {
        Upstream {
            rate: Some(Rate { burst, period }),
            ..self
        }
    }

    /// How long the answer to each path is good.
    pub const fn keep(self, keep: fn(&str) -> Keep) -> Upstream {
        Upstream { keep, ..self }
    }

    /// Which paths succeed and fail together, by the name of their class; all of them unless it is declared. At most 64
    /// classes are told apart.
    ///
    /// ```
    /// # use bifold::upstream::Upstream;
    /// const WEATHER: Upstream = Upstream::new("weather", "https://weather.example.com/v1").classes(|path| match path {
    ///     _ if path.starts_with("/forecasts/") => "forecasts",
    ///     _ => "stations",
    /// });
    /// ```
    pub const fn classes(self, class: fn(&str) -> &'static str) -> Upstream {
        Upstream { class, ..self }
    }
}

impl Keep {
    /// Not at all.
    pub const NOT: Keep = Keep::seconds(0, 0);

    /// Fresh for `fresh` seconds, and for `stale` more where the upstream fails.
    pub const fn seconds(fresh: u64, stale: u64) -> Keep {
        Keep {
            fresh: Duration::from_secs(fresh),
            stale: Duration::from_secs(stale),
        }
    }
}
