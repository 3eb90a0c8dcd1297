//! How a server introduces itself: its name, its version, and what people read of it.

use crate::registry::Icon;

/// How the server introduces itself.
#[derive(Clone, Debug)]
pub struct Info {
    /// The name that programs use.
    pub name: &'static str,
    /// The server's own version.
    pub version: &'static str,
    /// The name that people read.
    pub title: Option<&'static str>,
    /// What an agent should know before it uses the functions.
    pub instructions: Option<&'static str>,
    /// What the server is, for people.
    pub description: Option<&'static str>,
    /// Where people read more of it.
    pub website: Option<&'static str>,
    /// Its pictures in a list of servers.
    pub icons: Vec<Icon>,
}
