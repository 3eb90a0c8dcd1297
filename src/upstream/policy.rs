//! How an upstream is asked: the rate of requests, how long its responses are cached, and which paths fail together.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

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

/// The cache policy of each path.
#[derive(Clone)]
pub(super) enum CacheRule {
    Same(CachePolicy),
    Function(fn(&str) -> CachePolicy),
    Closure(Arc<dyn Fn(&str) -> CachePolicy + Send + Sync>),
}

/// The class of each path.
#[derive(Clone)]
pub(super) enum ClassRule {
    One,
    Function(fn(&str) -> &'static str),
    Closure(Arc<ClassOf>),
}

/// A closure that names the class of a path.
type ClassOf = dyn Fn(&str) -> Cow<'static, str> + Send + Sync;

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

impl CacheRule {
    pub(super) fn policy(&self, path: &str) -> CachePolicy {
        match self {
            CacheRule::Same(policy) => *policy,
            CacheRule::Function(function) => function(path),
            CacheRule::Closure(closure) => closure(path),
        }
    }
}

impl ClassRule {
    pub(super) fn class(&self, path: &str) -> Cow<'static, str> {
        match self {
            ClassRule::One => Cow::Borrowed(""),
            ClassRule::Function(function) => Cow::Borrowed(function(path)),
            ClassRule::Closure(closure) => closure(path),
        }
    }
}

impl fmt::Debug for CacheRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CacheRule::Same(policy) => policy.fmt(f),
            CacheRule::Function(_) | CacheRule::Closure(_) => f.write_str("by path"),
        }
    }
}

impl fmt::Debug for ClassRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ClassRule::One => "one",
            ClassRule::Function(_) | ClassRule::Closure(_) => "by path",
        })
    }
}
