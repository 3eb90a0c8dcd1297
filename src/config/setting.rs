//! The description of a setting: its variable, default, accepted values and meaning.

use std::borrow::Cow;

/// A setting that an application declares for itself with [`Server::setting`](crate::Server::setting). It is read from
/// the environment, checked at start, and listed by `--help` beside those of the library.
///
/// ```
/// use bifold::{Config, Context, Server, Setting};
///
/// fn server() -> Server {
///     Server::new("notes", "1.0.0")
///         .setting(Setting::new("NOTES_PATH", "notes.db", "The file that holds the notes."))
/// }
///
/// # fn function(cx: &Context) {
/// let path = cx.setting("NOTES_PATH");
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Setting {
    name: &'static str,
    default: Cow<'static, str>,
    takes: &'static str,
    meaning: &'static str,
    check: fn(&str) -> Result<(), String>,
}

/// The accepted values of a switch.
pub(super) const SWITCH: &str = "true, false";

impl Setting {
    /// A setting that accepts any text. An empty default means none.
    pub fn new(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
        Setting {
            name,
            default: Cow::Borrowed(default),
            takes: "text",
            meaning,
            check: |_| Ok(()),
        }
    }

    /// A setting that is `true` or `false`; the default is `false`. It is also an option of the command line: `--replay`
    /// for `BIFOLD_REPLAY`.
    pub fn switch(name: &'static str, meaning: &'static str) -> Setting {
        let takes = SWITCH;
        let check = |value: &str| super::kind::boolean(value).map(drop);
        Setting {
            takes,
            check,
            ..Setting::new(name, "false", meaning)
        }
    }

    /// Describes the accepted values in a word or two (`takes`), and refuses others at start: `check` returns what is
    /// wrong.
    pub fn check(self, takes: &'static str, check: fn(&str) -> Result<(), String>) -> Setting {
        Setting {
            takes,
            check,
            name: self.name,
            default: self.default,
            meaning: self.meaning,
        }
    }

    /// A setting of the library.
    pub(super) fn of_library(
        name: &'static str,
        default: String,
        takes: &'static str,
        meaning: &'static str,
    ) -> Setting {
        Setting {
            default: default.into(),
            takes,
            ..Setting::new(name, "", meaning)
        }
    }

    /// The variable of the environment.
    pub fn name(&self) -> &str {
        self.name
    }

    /// The value where the variable is not set; empty for none.
    pub fn default(&self) -> &str {
        &self.default
    }

    /// The accepted values, in a word or two.
    pub fn takes(&self) -> &str {
        self.takes
    }

    /// The meaning.
    pub fn meaning(&self) -> &str {
        self.meaning
    }

    /// Whether it is `true` or `false`.
    pub fn is_switch(&self) -> bool {
        self.takes == SWITCH
    }

    /// The name without the prefix, in lower case: `replay` for `BIFOLD_REPLAY`.
    pub(crate) fn option(&self) -> String {
        let name = self.name.strip_prefix("BIFOLD_").unwrap_or(self.name);
        name.to_ascii_lowercase()
    }

    /// What is wrong with the value: `given` where the variable is set, else the default.
    pub(crate) fn problem(&self, given: Option<&str>) -> Option<String> {
        let checked = (self.check)(given.unwrap_or(&self.default));
        checked.err().map(|it| format!("`{}`: {it}", self.name))
    }
}
