//! A setting as it is documented: its variable, its default, what it takes and what it means.

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

/// What the value of a switch may be.
pub(super) const SWITCH: &str = "true, false";

impl Setting {
    /// A setting that takes any text. An empty default stands for none.
    pub fn new(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
        Setting {
            name,
            default: Cow::Borrowed(default),
            takes: "text",
            meaning,
            check: |_| Ok(()),
        }
    }

    /// A setting that is `true` or `false`, by default `false`. The command line takes it as an option too:
    /// `BIFOLD_REPLAY` is `--replay`.
    pub fn switch(name: &'static str, meaning: &'static str) -> Setting {
        let takes = SWITCH;
        let check = |value: &str| super::kind::boolean(value).map(drop);
        Setting {
            takes,
            check,
            ..Setting::new(name, "false", meaning)
        }
    }

    /// Says in a word or two what it `takes`, and refuses at start what `check` refuses with a sentence.
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

    /// What it takes, in a word or two.
    pub fn takes(&self) -> &str {
        self.takes
    }

    /// What it means.
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

    /// What is wrong with the value of the variable, which is `given` where the environment has it.
    pub(crate) fn problem(&self, given: Option<&str>) -> Option<String> {
        let checked = (self.check)(given.unwrap_or(&self.default));
        checked.err().map(|it| format!("`{}`: {it}", self.name))
    }
}
