//! The declaration of an upstream: its URL, its limits, and how long its answers are cached.

use std::time::Duration;

/// An HTTP API that functions use.
///
/// ```
/// use std::time::Duration;
/// use bifold::upstream::{CachePolicy, Upstream};
/// const WEATHER: Upstream = Upstream::new("weather", "https://weather.example.com/v1")
///     .in_flight(4)
///     .rate(10, Duration::from_secs(2))
///     .cache(|_path| CachePolicy::seconds(60, 600));
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Upstream {
    /// The name in errors, logs and settings: lower case letters, digits and `_`.
    pub name: &'static str,
    /// The base URL, unless `BIFOLD_<NAME>_URL` sets another one; paths are appended to it.
    pub url: &'static str,
    /// The maximum number of concurrent requests.
    pub in_flight: usize,
    /// The maximum rate at which requests start.
    pub rate: Option<Rate>,
    /// How long the answer to a path is cached.
    pub cache: fn(&str) -> CachePolicy,
    /// The class of a path. Each class has its own circuit breaker, so failures in one do not affect the others.
    pub class: fn(&str) -> &'static str,
}

/// A token bucket.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Rate {
    /// Requests that may start at once after a pause.
    pub burst: u32,
    /// The time after which one more may start.
    pub period: Duration,
}

/// How long an answer may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachePolicy {
    /// For this time without request the upstream again.
    pub fresh: Duration,
    /// For this time more if the upstream fails.
    pub stale: Duration,
}

impl Upstream {
    /// An upstream without limits whose answers are not cached.
    pub const fn new(name: &'static str, url: &'static str) -> Upstream {
        Upstream {
            name,
            url,
            in_flight: usize::MAX,
            rate: None,
            cache: |_| CachePolicy::NONE,
            class: |_| "",
        }
    }

    /// Allows at most `in_flight` concurrent requests.
    pub const fn in_flight(self, in_flight: usize) -> Upstream {
        Upstream { in_flight, ..self }
    }

    /// Allows `burst` requests at once, and one more each `period`.
    pub const fn rate(self, burst: u32, period: Duration) -> Upstream {
        Upstream {
            rate: Some(Rate { burst, period }),
            ..self
        }
    }

    /// Sets how long the answer to each path is cached.
    pub const fn cache(self, cache: fn(&str) -> CachePolicy) -> Upstream {
        Upstream { cache, ..self }
    }

    /// Divides the paths into classes that succeed and fail together; `class` returns the name of a path's class.
    /// Without it all paths are one class. The maximum is 64 classes.
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

impl CachePolicy {
    /// Not at all.
    pub const NONE: CachePolicy = CachePolicy::seconds(0, 0);

    /// Fresh for `fresh` seconds, and usable for `stale` more seconds if the upstream fails.
    pub const fn seconds(fresh: u64, stale: u64) -> CachePolicy {
        CachePolicy {
            fresh: Duration::from_secs(fresh),
            stale: Duration::from_secs(stale),
        }
    }
}
