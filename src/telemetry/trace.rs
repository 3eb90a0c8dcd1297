//! The trace that a request belongs to (W3C Trace Context), and its own place in it.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Serialize, Serializer};

/// The header that names a trace, the caller's place in it, and whether it is recorded.
pub const PARENT: HeaderName = HeaderName::from_static("traceparent");
/// The header in which tracing systems keep what they need of their own.
pub const STATE: HeaderName = HeaderName::from_static("tracestate");
/// The header in which AWS says the same, in X-Ray's form.
const X_RAY: HeaderName = HeaderName::from_static("x-amzn-trace-id");

/// Somebody records the trace.
const SAMPLED: u8 = 0b01;
/// Its id is random as far as the second edition of the standard asks for it.
const RANDOM: u8 = 0b10;
/// A trace that begins here is recorded where this process can export it.
const OWN: u8 = if cfg!(feature = "otel") {
    RANDOM | SAMPLED
} else {
    RANDOM
};

/// The most that is taken over of `tracestate`: what the standard asks every system to pass on.
const MAX_STATE: usize = 512;

/// A place in a trace: that of a request to this server, or of a request to an upstream.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The id of the trace, never 0.
    pub id: u128,
    /// The place from which this one was asked.
    #[cfg_attr(not(feature = "otel"), allow(dead_code))]
    pub parent: Option<u64>,
    /// The id of this place, never 0.
    pub span: u64,
    /// Whether somebody records the trace, and how random its id is.
    pub flags: u8,
    /// What tracing systems keep in it.
    pub state: Option<HeaderValue>,
}

impl Trace {
    /// The trace that the headers of a request name, or else a new one. `x_ray` counts instead of the header of that
    /// name.
    pub fn of(headers: &HeaderMap, x_ray: Option<&HeaderValue>) -> Trace {
        let single = |name| {
            let mut values = headers.get_all(name).iter();
            // Two of them contradict each other, and nothing says which one is right.
            let value = values.next().filter(|_| values.next().is_none());
            value.and_then(|it| it.to_str().ok())
        };
        let state = || {
            let values = headers.get_all(STATE).iter();
            let texts: Option<Vec<&str>> = values.map(|it| it.to_str().ok()).collect();
            texts.map(|it| it.join(","))
        };
        let x_ray = || match x_ray {
            Some(value) => value.to_str().ok(),
            None => single(X_RAY),
        };
        single(PARENT)
            .and_then(|parent| Trace::below(parent, state().as_deref()))
            .or_else(|| x_ray().and_then(Trace::of_x_ray))
            .unwrap_or_else(|| Trace::at(fastrand::u128(1..), None, OWN))
    }

    /// The place below the one that `traceparent` names; none where it is malformed. A `tracestate` that is malformed
    /// or too long is left out.
    pub fn below(parent: &str, state: Option<&str>) -> Option<Trace> {
        let (version, rest) = parent.split_once('-')?;
        let (id, rest) = rest.split_once('-')?;
        let (span, rest) = rest.split_once('-')?;
        // Later versions may say more after the flags; what they say before keeps its place.
        let flags = match version {
            "00" => rest,
            _ => rest.split_once('-').map_or(rest, |it| it.0),
        };
        if hex(version, 2)? == 0xff {
            return None;
        }
        let (id, span) = (hex(id, 32)?, hex(span, 16)? as u64);
        let flags = hex(flags, 2)? as u8 & (SAMPLED | RANDOM);
        let state = state.filter(|it| (1..=MAX_STATE).contains(&it.len()));
        let state = state.filter(|it| it.split(',').all(is_member));
        (id != 0 && span != 0).then(|| Trace {
            state: state.and_then(|it| HeaderValue::from_str(it).ok()),
            ..Trace::at(id, Some(span), flags)
        })
    }

    /// `Root=1-<8 digits>-<24 digits>;Parent=<16 digits>;Sampled=<0 or 1>`, in any order and with more beside.
    fn of_x_ray(text: &str) -> Option<Trace> {
        let field = |name: &str| {
            let mut fields = text.split(';').filter_map(|it| it.trim().split_once('='));
            fields.find(|it| it.0 == name).map(|it| it.1)
        };
        let (time, rest) = field("Root")?.strip_prefix("1-")?.split_once('-')?;
        let id = hex(time, 8)? << 96 | hex(rest, 24)?;
        let parent = field("Parent")
            .and_then(|it| hex(it, 16))
            .map(|it| it as u64);
        let flags = if field("Sampled") == Some("1") {
            SAMPLED
        } else {
            0
        };
        (id != 0).then(|| Trace::at(id, parent, flags))
    }

    fn at(id: u128, parent: Option<u64>, flags: u8) -> Trace {
        Trace {
            id,
            parent,
            span: fastrand::u64(1..),
            flags,
            state: None,
        }
    }

    /// Whether somebody records the trace.
    #[cfg_attr(not(feature = "otel"), allow(dead_code))]
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// A place below this one.
    pub fn child(&self) -> Trace {
        Trace {
            parent: Some(self.span),
            span: fastrand::u64(1..),
            ..self.clone()
        }
    }

    /// This place as `traceparent` says it.
    pub fn as_parent(&self) -> String {
        format!("00-{self}-{:016x}-{:02x}", self.span, self.flags)
    }

    /// The headers by which whoever is asked learns of this place. Baggage is not among them: what callers put there
    /// is not meant for strangers.
    pub fn headers(&self) -> HeaderMap {
        let parent = self.as_parent();
        let parent = HeaderValue::from_str(&parent).expect("digits and `-` are visible ASCII");
        let state = self.state.clone().map(|it| (STATE, it));
        std::iter::once((PARENT, parent)).chain(state).collect()
    }
}

impl Serialize for Trace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The id of the trace, as logs and tracing systems write it.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.id)
    }
}

/// A number of exactly so many digits, in lower case.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let legal = |it: u8| it.is_ascii_digit() || (b'a'..=b'f').contains(&it);
    if text.len() != digits || !text.bytes().all(legal) {
        return None;
    }
    u128::from_str_radix(text, 16).ok()
}

/// A member of `tracestate`: a key and a value, or nothing at all.
fn is_member(member: &str) -> bool {
    let member = member.trim_matches([' ', '\t']);
    let is_key = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || b"_-*/@".contains(&it);
    match member.split_once('=') {
        Some((key, value)) => {
            !key.is_empty()
                && key.bytes().all(is_key)
                && value
                    .bytes()
                    .all(|it| matches!(it, b' '..=b'~') && it != b'=')
        }
        None => member.is_empty(),
    }
}
