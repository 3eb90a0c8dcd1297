//! The names and URIs under which functions of a mounted server are offered, and the way back.

/// The most characters of the name of a tool or prompt: more than this, and clients refuse the whole list.
const MAX_NAME: usize = 64;

/// How the names of one server become ours.
#[derive(Clone)]
pub(super) struct Names {
    mount: String,
    has_prefix: bool,
}

impl Names {
    pub(super) fn new(mount: &str, has_prefix: bool) -> Names {
        Names {
            mount: mount.to_owned(),
            has_prefix,
        }
    }

    /// Our name of a tool or a prompt.
    ///
    /// # Errors
    /// Why it cannot have one.
    pub(super) fn name(&self, theirs: &str) -> Result<String, String> {
        let is_legal =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if theirs.is_empty() || !theirs.bytes().all(is_legal) || matches!(theirs, "." | "..") {
            return Err(
                "a name has only characters of `a-z`, `A-Z`, `0-9`, `_`, `-`, `.`".to_owned(),
            );
        }
        let ours = match self.has_prefix {
            true => format!("{}_{theirs}", self.mount),
            false => theirs.to_owned(),
        };
        match ours.len() <= MAX_NAME {
            true => Ok(ours),
            false => Err(format!(
                "its name here would have {} characters, and clients take {MAX_NAME} at the most",
                ours.len()
            )),
        }
    }

    /// Our URI, or template of URIs: the mount is the first part behind the scheme, so that `ui://` stays `ui://`. What is
    /// on the web stays where it is.
    pub(super) fn uri(&self, theirs: &str) -> Option<String> {
        let (scheme, rest) = split(theirs)?;
        if !self.has_prefix || is_web(scheme) {
            return Some(theirs.to_owned());
        }
        let (slashes, rest) = slashes(rest);
        Some(format!("{scheme}:{slashes}{}/{rest}", self.mount))
    }

    /// The URI of the server; `None` for one that is not of this mount.
    pub(super) fn back(&self, ours: &str) -> Option<String> {
        let (scheme, rest) = split(ours)?;
        if !self.has_prefix || is_web(scheme) {
            return Some(ours.to_owned());
        }
        let (slashes, rest) = slashes(rest);
        let rest = rest.strip_prefix(self.mount.as_str())?.strip_prefix('/')?;
        Some(format!("{scheme}:{slashes}{rest}"))
    }

    /// Whether the URI, which no list has, can be one of this mount.
    pub(super) fn owns(&self, ours: &str) -> bool {
        let is_listed_only = |it: (&str, &str)| is_web(it.0);
        self.has_prefix && !split(ours).is_none_or(is_listed_only) && self.back(ours).is_some()
    }

    pub(super) fn has_prefix(&self) -> bool {
        self.has_prefix
    }
}

/// The scheme and what follows it.
fn split(uri: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = uri.split_once(':')?;
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    (!scheme.is_empty() && scheme.bytes().all(is_legal)).then_some((scheme, rest))
}

fn is_web(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")
}

fn slashes(rest: &str) -> (&'static str, &str) {
    match rest.strip_prefix("//") {
        Some(rest) => ("//", rest),
        None => ("", rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_uri_finds_its_way_back() {
        let names = Names::new("files", true);
        let cases = [
            ("file:///tmp/a", "file://files//tmp/a"),
            ("ui://app/view.html", "ui://files/app/view.html"),
            (
                "test://template/{id}/data",
                "test://files/template/{id}/data",
            ),
            ("urn:isbn:1", "urn:files/isbn:1"),
            ("memo://", "memo://files/"),
        ];
        for (theirs, ours) in cases {
            assert_eq!(names.uri(theirs).as_deref(), Some(ours));
            assert_eq!(names.back(ours).as_deref(), Some(theirs));
            let plain = Names::new("files", false);
            assert_eq!(plain.uri(theirs).as_deref(), Some(theirs));
            assert_eq!(plain.back(theirs).as_deref(), Some(theirs));
        }
        let page = "https://example.com/a";
        assert_eq!(names.uri(page).as_deref(), Some(page));
        assert_eq!(names.back(page).as_deref(), Some(page));
        assert!(!names.owns(page) && names.owns("file://files/a"));
        for not_ours in [
            "file:///tmp/a",
            "ui://other/x",
            "ui://filesystem/x",
            "files",
            "{x}://y",
        ] {
            assert_eq!(names.back(not_ours), None, "{not_ours}");
        }
        assert_eq!(names.uri("no scheme"), None);
    }

    #[test]
    fn names_that_clients_would_refuse_are_refused() {
        let names = Names::new("files", true);
        assert_eq!(names.name("read").unwrap(), "files_read");
        assert!(names.name(&"x".repeat(58)).is_ok());
        for wrong in ["", ".", "a b", "ü", &"x".repeat(59), &"x".repeat(300)] {
            assert!(names.name(wrong).is_err(), "{wrong}");
        }
    }
}
