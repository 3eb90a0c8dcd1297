//! The declaration of an upstream: its URL, its credentials, its limits, and how long its responses are cached.

use std::borrow::Cow;
use std::mem::{forget, replace};
use std::sync::Arc;
use std::time::Duration;

use super::credentials::Credentials;
use super::policy::{CachePolicy, CacheRule, ClassRule, Rate};

/// An HTTP API that functions use: a constant, or a value that is made when the server is.
///
/// ```
/// use std::time::Duration;
/// use bifold::upstream::{CachePolicy, Credentials, SecretRef, Upstream};
/// const WEATHER: Upstream = Upstream::new("weather", "https://weather.example.com/v1")
///     .credentials(Credentials::header("x-api-key", SecretRef::variable("WEATHER_API_KEY")))
///     .in_flight(4)
///     .rate(10, Duration::from_secs(2))
///     .cache_for(CachePolicy::seconds(60, 600));
///
/// // With what is known only when the program runs.
/// let (name, url, seconds) = (String::from("rates"), String::from("https://rates.example.com"), 5);
/// let rates = Upstream::named(name, url).cache_with(move |path| match path {
///     "/currencies" => CachePolicy::seconds(3_600, 86_400),
///     _ => CachePolicy::seconds(seconds, 60),
/// });
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Upstream {
    /// The name in errors, logs and settings: lower case letters, digits and `_`, with a letter first.
    pub name: Cow<'static, str>,
    /// The base URL, unless `BIFOLD_<NAME>_URL` sets another one; paths are appended to it.
    pub url: Cow<'static, str>,
    /// The maximum number of concurrent requests.
    pub(super) in_flight: usize,
    /// The maximum rate at which requests start.
    pub(super) rate: Option<Rate>,
    /// How long the answer to a path is cached.
    pub(super) cache: CacheRule,
    /// The class of a path. Each class has its own circuit breaker, so failures in one do not affect the others.
    pub(super) class: ClassRule,
    pub(super) credentials: Option<Credentials>,
    /// The largest body, where it is not the setting.
    pub(super) max_bytes: Option<usize>,
}

impl Upstream {
    /// An upstream without credentials and limits whose answers are not cached.
    pub const fn new(name: &'static str, url: &'static str) -> Upstream {
        Upstream::plain(Cow::Borrowed(name), Cow::Borrowed(url))
    }

    /// Like [`Upstream::new`], with a name and a URL that are known only when the program runs.
    pub fn named(
        name: impl Into<Cow<'static, str>>,
        url: impl Into<Cow<'static, str>>,
    ) -> Upstream {
        Upstream::plain(name.into(), url.into())
    }

    const fn plain(name: Cow<'static, str>, url: Cow<'static, str>) -> Upstream {
        Upstream {
            name,
            url,
            in_flight: usize::MAX,
            rate: None,
            cache: CacheRule::Same(CachePolicy::NONE),
            class: ClassRule::One,
            credentials: None,
            max_bytes: None,
        }
    }

    /// Sends these credentials with every request, unless the request sets the same header itself.
    pub const fn credentials(mut self, credentials: Credentials) -> Upstream {
        // A constant function cannot drop the value before.
        forget(self.credentials.replace(credentials));
        self
    }

    /// Allows at most `in_flight` concurrent requests.
    pub const fn in_flight(mut self, in_flight: usize) -> Upstream {
        self.in_flight = in_flight;
        self
    }

    /// Allows `burst` requests at once, and one more each `period`.
    pub const fn rate(mut self, burst: u32, period: Duration) -> Upstream {
        self.rate = Some(Rate { burst, period });
        self
    }

    /// Reads at most `bytes` of the body of a good response, instead of `BIFOLD_MAX_UPSTREAM_BYTES`.
    pub const fn max_bytes(mut self, bytes: usize) -> Upstream {
        self.max_bytes = Some(bytes);
        self
    }

    /// Caches the answers to all paths for the same time.
    pub const fn cache_for(self, policy: CachePolicy) -> Upstream {
        self.with_cache(CacheRule::Same(policy))
    }

    /// Sets how long the answer to each path (with its query) is cached.
    pub const fn cache(self, cache: fn(&str) -> CachePolicy) -> Upstream {
        self.with_cache(CacheRule::Function(cache))
    }

    /// Like [`Upstream::cache`], with a closure that has values of its own.
    pub fn cache_with(
        self,
        cache: impl Fn(&str) -> CachePolicy + Send + Sync + 'static,
    ) -> Upstream {
        self.with_cache(CacheRule::Closure(Arc::new(cache)))
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
        self.with_class(ClassRule::Function(class))
    }

    /// Like [`Upstream::classes`], with a closure that has values of its own.
    pub fn classes_with(
        self,
        class: impl Fn(&str) -> Cow<'static, str> + Send + Sync + 'static,
    ) -> Upstream {
        self.with_class(ClassRule::Closure(Arc::new(class)))
    }

    const fn with_cache(mut self, cache: CacheRule) -> Upstream {
        forget(replace(&mut self.cache, cache));
        self
    }

    const fn with_class(mut self, class: ClassRule) -> Upstream {
        forget(replace(&mut self.class, class));
        self
    }

    /// Whether AWS Secrets Manager has a secret of its credentials.
    pub(crate) fn needs_aws(&self) -> bool {
        self.credentials.as_ref().is_some_and(Credentials::need_aws)
    }

    /// What no request could be sent with: a name without a variable, or limits that admit nothing.
    ///
    /// # Errors
    /// The problem.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let is_word = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_';
        if !self.name.starts_with(|it: char| it.is_ascii_lowercase())
            || !self.name.bytes().all(is_word)
        {
            return Err(
                "its name is a part of the variable of its URL; use lower case letters, digits and `_`, with a letter first",
            );
        }
        if self.in_flight == 0 {
            return Err("allows no request in flight; allow at least one");
        }
        match &self.rate {
            Some(rate) if rate.burst == 0 || rate.period.is_zero() => {
                Err("its rate has no burst or no period; give both, or no rate")
            }
            _ => Ok(()),
        }
    }
}
