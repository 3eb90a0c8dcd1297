//! Seeded mutations of bytes, of text, and of JSON.

use fastrand::Rng;
use serde_json::{Value, json};

/// Values to insert: edge cases of numbers, strings, JSON, URLs, HTTP and dates.
const WORDS: &[&str] = &[
    "",
    " ",
    "0",
    "-1",
    "-0",
    "2.0",
    "1e0",
    "1e999",
    "-1e-999",
    "1E+400",
    "00",
    "0x10",
    "NaN",
    "Infinity",
    "255",
    "256",
    "65536",
    "2147483648",
    "4294967296",
    "9007199254740993",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "0.1000000000000000000000000000000000000001",
    "null",
    "true",
    "\"2\"",
    "\"true\"",
    "[]",
    "{}",
    "[[[[[[[[",
    "{\"a\":",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "\\udc00",
    "\u{0}",
    "\u{1}",
    "\u{7f}",
    "\u{feff}",
    "é",
    "ß",
    "𝄞",
    "\u{202e}",
    "\r\n",
    "\n",
    "\t",
    "%",
    "%2",
    "%2B",
    "%00",
    "%ff",
    "%2F",
    "%zz",
    "+",
    "&",
    "=",
    "?",
    "#",
    "//",
    "/./",
    "/../",
    ";",
    ",",
    ":",
    "@",
    "*",
    "~",
    "[::1]",
    "localhost",
    "evil.example",
    "T",
    "Z",
    "t",
    "z",
    "+0000",
    "+00",
    "-23:59",
    "+24:00",
    "2025-11-18",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "2024-02-30T12:00:00Z",
    "23:59:60",
    "jsonrpc",
    "2.0",
    "id",
    "method",
    "params",
    "result",
    "error",
    "_meta",
    "progressToken",
    "cursor",
    "requestState",
    "inputResponses",
    "arguments",
    "name",
    "tools/call",
    "tools/list",
    "resources/read",
    "prompts/get",
    "completion/complete",
    "subscriptions/listen",
    "tasks/get",
    "logging/setLevel",
    "notifications/cancelled",
    "initialize",
    "ping",
    "server/discover",
    "2026-07-28",
    "2025-11-25",
    "2025-06-18",
    "2025-03-26",
    "2024-11-05",
    "ask",
    "report",
    "shapes",
    "dated",
    "call_many",
    "mcp_test_server",
    "get_registry_summary",
    "/mcp",
    "/ws",
    "/health",
    "/docs",
    "/openapi.json",
    "/api/batch",
    "HTTP/1.0",
    "HTTP/1.1",
    "HTTP/2.0",
    "GET",
    "HEAD",
    "OPTIONS",
    "DELETE",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "Content-Length: 0\r\n",
    "Content-Length: 18446744073709551615\r\n",
    "Content-Length: -1\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Expect: 100-continue\r\n",
    "Content-Encoding: gzip\r\n",
    "Connection: upgrade\r\n",
    "Upgrade: h2c\r\n",
    "Host: a\r\nHost: b\r\n",
    "Origin: null\r\n",
    "Range: bytes=0-\r\n",
    "If-None-Match: *\r\n",
    "Accept: text/event-stream\r\n",
    "0\r\n\r\n",
    "ffffffffffffffff\r\n",
    "base64",
    "application/json; charset=utf-16",
];

/// Lengths that may exceed a limit.
const LENGTHS: [usize; 9] = [1, 63, 65, 125, 126, 201, 1025, 5000, 70_000];

/// Generates the inputs of one target; the same seed gives the same inputs.
pub struct Mutator(pub Rng);

impl Mutator {
    pub fn new(seed: u64) -> Mutator {
        Mutator(Rng::with_seed(seed))
    }

    /// True with a probability of one in `n`.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.0.usize(..n) == 0
    }

    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.0.usize(..all.len())]
    }

    pub fn word(&mut self) -> &'static str {
        self.pick::<&str>(WORDS)
    }

    /// One of the seeds with mutated JSON, and sometimes mutated bytes.
    pub fn json(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let seed = self.pick(seeds);
        let Ok(mut value) = serde_json::from_slice(seed) else {
            return self.bytes(seeds);
        };
        for _ in 0..self.0.usize(0..4) {
            let other = serde_json::from_slice(self.pick::<Vec<u8>>(seeds)).unwrap_or(Value::Null);
            self.change(&mut value, &other);
        }
        let text = value.to_string().into_bytes();
        match self.once_in(3) {
            true => self.bytes(&[text]),
            false => text,
        }
    }

    /// One of the seeds with mutated bytes.
    pub fn bytes(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = self.pick(seeds).clone();
        for _ in 0..self.0.usize(0..5) {
            self.scratch(&mut bytes, seeds);
        }
        bytes
    }

    /// One of the seeds as mutated UTF-8 text.
    pub fn text(&mut self, seeds: &[Vec<u8>]) -> String {
        String::from_utf8_lossy(&self.bytes(seeds)).into_owned()
    }

    fn scratch(&mut self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.0.usize(..=bytes.len());
        let end = (at + self.0.usize(..=16)).min(bytes.len());
        match self.0.u8(..9) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.0.u8(..8),
            1 if at < bytes.len() => bytes[at] = self.0.u8(..),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            4 => bytes.truncate(at),
            5 => {
                let other = self.pick(seeds).clone();
                let from = self.0.usize(..=other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            6 if self.once_in(20) => {
                let byte = self.0.alphanumeric() as u8;
                let length = *self.pick(&LENGTHS);
                bytes.splice(at..at, std::iter::repeat_n(byte, length));
            }
            _ => {
                let word = self.word().bytes();
                let end = if self.0.bool() { at } else { end };
                bytes.splice(at..end, word);
            }
        }
    }

    /// Changes one value inside `value`, possibly to one from `other`.
    fn change(&mut self, value: &mut Value, other: &Value) {
        let place = self.0.usize(..count(value));
        let Some(place) = nth(value, &mut { place }) else {
            return;
        };
        match (self.0.u8(..8), place) {
            (0 | 1, Value::Object(fields)) if !fields.is_empty() => {
                let keys: Vec<String> = fields.keys().cloned().collect();
                let key = self.pick(&keys);
                let taken = fields.remove(key).unwrap_or_default();
                if self.0.bool() {
                    fields.insert(self.word().to_owned(), taken);
                }
            }
            (2, Value::Object(fields)) => {
                let fresh = self.fresh();
                fields.insert(self.word().to_owned(), fresh);
            }
            (0 | 1, Value::Array(items)) if !items.is_empty() => {
                drop(items.remove(self.0.usize(..items.len())))
            }
            (2, Value::Array(items)) if !items.is_empty() => {
                let times = *self.pick(&[1, 2, 20, 201]);
                let item = self.pick(items).clone();
                // Large values are rarely repeated, because inputs should be unusual rather than long.
                let times = if count(&item) > 50 { 1 } else { times };
                items.extend(std::iter::repeat_n(item, times));
            }
            (0..=3, Value::String(text)) => {
                let seed = std::mem::take(text).into_bytes();
                *text = self.text(&[seed]);
            }
            (4, place) => {
                let index = self.0.usize(..count(other));
                let mut other = other.clone();
                *place = nth(&mut other, &mut { index }).map_or(Value::Null, |it| it.take());
            }
            (5, place) => {
                let inner = place.take();
                *place = match self.0.u8(..3) {
                    0 => json!([inner]),
                    1 => json!(inner.to_string()),
                    _ => json!({ self.word(): inner }),
                };
            }
            (_, place) => *place = self.fresh(),
        }
    }

    /// A random value.
    fn fresh(&mut self) -> Value {
        match self.0.u8(..8) {
            0 => Value::Null,
            1 => json!(self.0.bool()),
            2 => json!(self.0.i64(..)),
            3 => json!(f64::from_bits(self.0.u64(..))),
            4 if self.once_in(10) => {
                json!("x".repeat(*self.pick(&LENGTHS)))
            }
            5 => {
                let depth = *self.pick(&[1, 2, 10, 120, 126]);
                (0..depth).fold(Value::Null, |inner, _| json!([inner]))
            }
            _ => {
                let word = self.word();
                serde_json::from_str(word).unwrap_or_else(|_| json!(word))
            }
        }
    }
}

/// The number of values inside, including itself.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

/// The value at that index, in depth-first order.
fn nth<'v>(value: &'v mut Value, left: &mut usize) -> Option<&'v mut Value> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|it| nth(it, left)),
        Value::Object(fields) => fields.values_mut().find_map(|it| nth(it, left)),
        _ => None,
    }
}
