//! How a server introduces itself: its name, its version, and what people read about it.

use std::borrow::Cow;

use crate::registry::Icon;

/// How the server introduces itself.
#[derive(Clone, Debug)]
pub struct Info {
    /// The name that programs use.
    pub name: Cow<'static, str>,
    /// The server's own version.
    pub version: Cow<'static, str>,
    /// The name that people read.
    pub title: Option<Cow<'static, str>>,
    /// What an agent should know before it uses the functions.
    pub instructions: Option<Cow<'static, str>>,
    /// What the server is, for people.
    pub description: Option<Cow<'static, str>>,
    /// Where people read more about it.
    pub website: Option<Cow<'static, str>>,
    /// Its pictures in a list of servers.
    pub icons: Vec<Icon>,
}
