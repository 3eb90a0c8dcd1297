//! The formats of strings that are enforced, and the ranges of the formats of numbers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A format of strings.
#[derive(Clone, Copy)]
pub(super) struct Format {
    name: &'static str,
    wanted: &'static str,
    fits: fn(&str) -> bool,
}

/// Each format with what is wanted.
const FORMATS: [Format; 17] = [
    format("date", "a date such as `2026-11-28`", is_date),
    format("time", "a time such as `21:30:00Z`", is_time),
    format("partial-time", "a time such as `21:30:00`", is_clock),
    format(
        "date-time",
        "a date and time such as `2026-11-28T21:30:00Z`",
        is_moment,
    ),
    format(
        "partial-date-time",
        "a date and time such as `2026-11-28T21:30:00`",
        is_local_moment,
    ),
    format("duration", "a duration such as `PT1H30M`", is_duration),
    format("email", "an email address", is_email),
    format("hostname", "a host name", is_host),
    format("ip", "an IP address", |it| it.parse::<IpAddr>().is_ok()),
    format("ipv4", "an IPv4 address", |it| {
        it.parse::<Ipv4Addr>().is_ok()
    }),
    format("ipv6", "an IPv6 address", |it| {
        it.parse::<Ipv6Addr>().is_ok()
    }),
    format(
        "uri",
        "a URI with its scheme, such as `https://example.com`",
        is_uri,
    ),
    format(
        "url",
        "a URL with its scheme, such as `https://example.com`",
        is_uri,
    ),
    format("uri-reference", "a URI or a part of one", |it| {
        is_uri(it) || is_uri_text(it)
    }),
    format(
        "uuid",
        "a UUID such as `123e4567-e89b-12d3-a456-426614174000`",
        is_uuid,
    ),
    format("json-pointer", "a JSON pointer such as `/a/0`", is_pointer),
    format("regex", "a regular expression", |it| {
        super::pattern::Pattern::of(it).is_ok()
    }),
];

/// Formats that tell how a string is shown or encoded, and forbid nothing.
const NOTES: [&str; 6] = ["password", "binary", "byte", "decimal", "enum", "textarea"];

/// Each format of numbers with its range.
const RANGES: [(&str, &str, &str); 14] = [
    ("int8", "-128", "127"),
    ("int16", "-32768", "32767"),
    ("int32", "-2147483648", "2147483647"),
    ("int64", "-9223372036854775808", "9223372036854775807"),
    ("int", "-9223372036854775808", "9223372036854775807"),
    (
        "int128",
        "-170141183460469231731687303715884105728",
        "170141183460469231731687303715884105727",
    ),
    ("uint8", "0", "255"),
    ("uint16", "0", "65535"),
    ("uint32", "0", "4294967295"),
    ("uint64", "0", "18446744073709551615"),
    ("uint", "0", "18446744073709551615"),
    ("uint128", "0", "340282366920938463463374607431768211455"),
    ("float", "-3.4028235e38", "3.4028235e38"),
    (
        "double",
        "-1.7976931348623157e308",
        "1.7976931348623157e308",
    ),
];

const fn format(name: &'static str, wanted: &'static str, fits: fn(&str) -> bool) -> Format {
    Format { name, wanted, fits }
}

impl Format {
    /// The format of that name; `Err` names those that there are.
    pub(super) fn of(name: &str) -> Result<Option<Format>, String> {
        let known = FORMATS.iter().find(|it| it.name == name).copied();
        if known.is_some() || NOTES.contains(&name) {
            return Ok(known);
        }
        let names: Vec<&str> = FORMATS.iter().map(|it| it.name).collect();
        Err(format!(
            "cannot be enforced, because its format `{name}` is not known: use one of `{}`, or `pattern`",
            names.join("`, `")
        ))
    }

    pub(super) fn wanted(self) -> &'static str {
        self.wanted
    }

    pub(super) fn fits(self, text: &str) -> bool {
        (self.fits)(text)
    }
}

/// The least and the most of a format of numbers.
pub(super) fn range(name: &str) -> Option<(&'static str, &'static str)> {
    let range = RANGES.iter().find(|it| it.0 == name)?;
    Some((range.1, range.2))
}

/// A number of exactly that many digits.
fn digits(text: &str, count: usize) -> Option<u32> {
    let is_number = text.len() == count && text.bytes().all(|it| it.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let mut next = |count| parts.next().and_then(|it| digits(it, count));
    let (Some(year), Some(month), Some(day)) = (next(4), next(2), next(2)) else {
        return false;
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Seconds since midnight, in which a leap second may be one more; `None` if it is not a time of day.
fn clock(text: &str) -> Option<u32> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (text, "0"),
    };
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|it| it.is_ascii_digit());
    let mut parts = whole.splitn(3, ':');
    let mut next = |most| {
        let number = parts.next().and_then(|it| digits(it, 2));
        number.filter(|it| *it <= most)
    };
    let (hour, minute, second) = (next(23)?, next(59)?, next(60)?);
    is_fraction.then_some(hour * 3600 + minute * 60 + second)
}

fn is_clock(text: &str) -> bool {
    clock(text).is_some()
}

fn is_time(text: &str) -> bool {
    let (clock_text, offset) = match text.strip_suffix(['Z', 'z']) {
        Some(clock) => (clock, Some(0)),
        None => match text.rfind(['+', '-']) {
            Some(at) => (&text[..at], offset(&text[at..])),
            None => return false,
        },
    };
    let (Some(seconds), Some(offset)) = (clock(clock_text), offset) else {
        return false;
    };
    // A leap second comes at the end of a day of UTC.
    let is_leap = clock_text.get(6..8) == Some("60");
    !is_leap || (i64::from(seconds) - offset).rem_euclid(86_400) == 0
}

/// Seconds ahead of UTC.
fn offset(text: &str) -> Option<i64> {
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let hours = digits(hours, 2).filter(|it| *it <= 23)?;
    let minutes = digits(minutes, 2).filter(|it| *it <= 59)?;
    let seconds = i64::from(hours * 3600 + minutes * 60);
    Some(match text.starts_with('-') {
        true => -seconds,
        false => seconds,
    })
}

fn is_moment(text: &str) -> bool {
    let parts = text.split_once(['T', 't']);
    parts.is_some_and(|(date, time)| is_date(date) && is_time(time))
}

fn is_local_moment(text: &str) -> bool {
    let parts = text.split_once(['T', 't']);
    parts.is_some_and(|(date, time)| is_date(date) && is_clock(time))
}

/// ISO 8601 as RFC 3339 (appendix A) has it: weeks alone, or units from the largest to the smallest without a gap.
fn is_duration(text: &str) -> bool {
    let Some(text) = text.strip_prefix('P') else {
        return false;
    };
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let is_week = time.is_none() && are_units(date, "W");
    let is_time = time.is_none_or(|it| are_units(it, "HMS"));
    let is_date = are_units(date, "YMD") || date.is_empty() && time.is_some();
    is_week || is_date && is_time
}

/// Numbers, each with its unit; a unit that is left out may not stand between two others.
fn are_units(text: &str, units: &str) -> bool {
    let mut rest = text;
    let mut left = units;
    while !rest.is_empty() {
        let count = rest.bytes().take_while(u8::is_ascii_digit).count();
        let Some(unit) = rest[count..].chars().next().filter(|_| count > 0) else {
            return false;
        };
        let Some(at) = left.find(unit) else {
            return false;
        };
        if at > 0 && left.len() < units.len() {
            return false;
        }
        left = &left[at + 1..];
        rest = &rest[count + 1..];
    }
    !text.is_empty()
}

fn is_email(text: &str) -> bool {
    let Some((name, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let is_atom = |it: u8| it.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&it);
    let is_plain = name
        .split('.')
        .all(|it| !it.is_empty() && it.bytes().all(is_atom));
    let quoted = name.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    let is_quoted = quoted.is_some_and(|it| {
        let plain = it.replace("\\\\", "").replace("\\\"", "");
        !plain.contains(['"', '\\']) && !it.contains(char::is_control)
    });
    let address = domain.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let is_address = address.is_some_and(|it| match it.strip_prefix("IPv6:") {
        Some(it) => it.parse::<Ipv6Addr>().is_ok(),
        None => it.parse::<Ipv4Addr>().is_ok(),
    });
    (is_plain || is_quoted) && (is_address || is_host(domain))
}

fn is_host(text: &str) -> bool {
    let is_label = |it: &str| {
        let is_inner = |it: u8| it.is_ascii_alphanumeric() || it == b'-';
        (1..=63).contains(&it.len())
            && it.bytes().all(is_inner)
            && !it.starts_with('-')
            && !it.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let is_scheme = |it: u8| it.is_ascii_alphanumeric() || b"+-.".contains(&it);
    scheme.starts_with(|it: char| it.is_ascii_alphabetic())
        && scheme.bytes().all(is_scheme)
        && is_uri_text(rest)
}

/// What may follow a scheme: characters of RFC 3986 and percent-encodings, brackets only around a host.
fn is_uri_text(text: &str) -> bool {
    let (body, fragment) = text.split_once('#').unwrap_or((text, ""));
    let is_plain = |it: u8| it.is_ascii_alphanumeric() || b"-._~:/?@!$&'()*+,;=%".contains(&it);
    let authority = body.strip_prefix("//").map(|it| {
        let end = it.find(['/', '?']).unwrap_or(it.len());
        it.split_at(end)
    });
    let (host, rest) = authority.unwrap_or(("", body));
    is_authority(host)
        && rest.bytes().all(is_plain)
        && fragment.bytes().all(is_plain)
        && text.match_indices('%').all(|(at, _)| {
            let code = text.as_bytes().get(at + 1..at + 3);
            code.is_some_and(|it| it.iter().all(u8::is_ascii_hexdigit))
        })
}

fn is_authority(text: &str) -> bool {
    let (user, host) = text.rsplit_once('@').unwrap_or(("", text));
    let is_plain = |it: u8| it.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&it);
    let (name, port) = match host.strip_prefix('[').and_then(|it| it.split_once(']')) {
        Some((address, port)) if address.parse::<Ipv6Addr>().is_ok() => ("", port),
        Some(_) => return false,
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let port = port.strip_prefix(':').unwrap_or(port);
    user.bytes().all(|it| is_plain(it) || it == b':')
        && name.bytes().all(is_plain)
        && port.bytes().all(|it| it.is_ascii_digit())
}

fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|it| it.is_ascii_hexdigit() || it == b'-')
}

fn is_pointer(text: &str) -> bool {
    let is_escaped = |(at, _)| matches!(text.as_bytes().get(at + 1), Some(b'0' | b'1'));
    (text.is_empty() || text.starts_with('/')) && text.match_indices('~').all(is_escaped)
}
