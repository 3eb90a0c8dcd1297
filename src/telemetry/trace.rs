//! The trace of a request (W3C Trace Context), and the request's own span in it.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Serialize, Serializer};

/// The header with the trace id, the caller's span id and the flags.
pub const PARENT: HeaderName = HeaderName::from_static("traceparent");
/// The header with vendor-specific trace data.
pub const STATE: HeaderName = HeaderName::from_static("tracestate");
/// The header with AWS X-Ray's trace id.
const X_RAY: HeaderName = HeaderName::from_static("x-amzn-trace-id");

/// The caller records the trace.
const SAMPLED: u8 = 0b01;
/// The trace id is random, as level 2 of the standard requires.
const RANDOM: u8 = 0b10;
/// A trace that starts here is recorded if this build can export it.
const NEW_FLAGS: u8 = if cfg!(feature = "otel") {
    RANDOM | SAMPLED
} else {
    RANDOM
};

/// The maximum length of `tracestate`: the length that every system must propagate by the standard.
const MAX_STATE: usize = 512;

/// A span of a trace: a request to this server, or a request to an upstream.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The id of the trace, never 0.
    pub id: u128,
    /// The id of the parent span.
    #[cfg_attr(not(feature = "otel"), allow(dead_code))]
    pub parent: Option<u64>,
    /// The id of this span, never 0.
    pub span: u64,
    /// Whether the trace is recorded, and whether its id is random.
    pub flags: u8,
    /// The `tracestate` of the trace.
    pub state: Option<HeaderValue>,
}

impl Trace {
    /// The trace that the request headers name, or else a new one. `x_ray` replaces the X-Ray header.
    pub fn from_headers(headers: &HeaderMap, x_ray: Option<&HeaderValue>) -> Trace {
        let single = |name| {
            let mut values = headers.get_all(name).iter();
            // Repeated headers contradict each other, and neither is known to be right.
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
            .and_then(|parent| Trace::child_of(parent, state().as_deref()))
            .or_else(|| x_ray().and_then(Trace::from_x_ray))
            .unwrap_or_else(|| Trace::with_new_span(fastrand::u128(1..), None, NEW_FLAGS))
    }

    /// A child of the span that `traceparent` names; `None` if it is malformed. A `tracestate` that is malformed or
    /// too long is dropped.
    pub fn child_of(parent: &str, state: Option<&str>) -> Option<Trace> {
        let (version, rest) = parent.split_once('-')?;
        let (id, rest) = rest.split_once('-')?;
        let (span, rest) = rest.split_once('-')?;
        // Later versions may add fields after the flags; the fields before keep their position.
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
            ..Trace::with_new_span(id, Some(span), flags)
        })
    }

    /// `Root=1-<8 digits>-<24 digits>;Parent=<16 digits>;Sampled=<0 or 1>`, in any order, with other fields ignored.
    fn from_x_ray(text: &str) -> Option<Trace> {
        let (mut root, mut parent, mut sampled) = (None, None, None);
        for (name, value) in text.split(';').filter_map(|it| it.trim().split_once('=')) {
            let known = match name {
                "Root" => &mut root,
                "Parent" => &mut parent,
                "Sampled" => &mut sampled,
                _ => continue,
            };
            known.get_or_insert(value);
        }
        let (time, rest) = root?.strip_prefix("1-")?.split_once('-')?;
        let id = hex(time, 8)? << 96 | hex(rest, 24)?;
        let parent = parent.and_then(|it| hex(it, 16)).map(|it| it as u64);
        let flags = if sampled == Some("1") { SAMPLED } else { 0 };
        (id != 0).then(|| Trace::with_new_span(id, parent, flags))
    }

    fn with_new_span(id: u128, parent: Option<u64>, flags: u8) -> Trace {
        Trace {
            id,
            parent,
            span: fastrand::u64(1..),
            flags,
            state: None,
        }
    }

    /// Whether the trace is recorded.
    #[cfg_attr(not(feature = "otel"), allow(dead_code))]
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// A child of this span.
    pub fn child(&self) -> Trace {
        Trace {
            parent: Some(self.span),
            span: fastrand::u64(1..),
            ..self.clone()
        }
    }

    /// The value of `traceparent` for this span.
    pub fn traceparent(&self) -> String {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        put_hex(&mut text[3..35], self.id);
        put_hex(&mut text[36..52], self.span.into());
        put_hex(&mut text[53..], self.flags.into());
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The headers that propagate this span to an upstream. Baggage is not propagated: callers may put data there
    /// that upstreams must not see.
    pub fn headers(&self) -> HeaderMap {
        let parent = self.traceparent();
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

/// Writes the number in as many hexadecimal digits as there is room for. The formatter takes longer, and each request to an
/// upstream has such a header.
fn put_hex(room: &mut [u8], mut number: u128) {
    for digit in room.iter_mut().rev() {
        *digit = b"0123456789abcdef"[number as usize & 15];
        number >>= 4;
    }
}

/// Parses exactly `digits` lower-case hexadecimal digits.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let number = |sum, digit| Some(sum << 4 | u128::from(value(digit)?));
    let is_long = text.len() == digits;
    is_long.then(|| text.bytes().try_fold(0, number)).flatten()
}

/// Whether `member` is a member of `tracestate`: a key and a value, or nothing.
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
