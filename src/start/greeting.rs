//! What a local server says to the person who has started it: where it listens, and how a client connects.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpListener;
use tracing::{Level, enabled};

use crate::app::Server;
use crate::config::Setting;

/// The greeting of one application.
pub(crate) struct Greeting {
    name: String,
    version: String,
    /// The switches of the application as options, each with its meaning.
    switches: Vec<(String, String)>,
}

impl Greeting {
    pub(crate) fn new(server: &Server) -> Greeting {
        let switches = server.settings.iter().filter(|it| it.is_switch());
        let shown = |it: &Setting| {
            let option = format!("--{}", it.option().replace('_', "-"));
            (option, it.meaning().to_owned())
        };
        Greeting {
            name: server.info.name.clone().into_owned(),
            version: server.info.version.clone().into_owned(),
            switches: switches.map(shown).collect(),
        }
    }

    /// Prints it on standard error, unless the log has no level `info`.
    pub(crate) fn print(&self, listener: &TcpListener) {
        let Ok(address) = listener.local_addr() else {
            return;
        };
        if enabled!(Level::INFO) {
            eprint!("{}", self.text(address));
        }
    }

    fn text(&self, address: SocketAddr) -> String {
        let (name, version) = (&self.name, &self.version);
        let url = format!("http://{}", reachable(address));
        let client = client_name(name);
        let mut text = format!(
            "{name} {version} listens on {url}\n  \
               docs     {url}/docs\n  \
               MCP      {url}/mcp\n  \
               OpenAPI  {url}/openapi.json\n  \
               connect  claude mcp add --transport http {client} {url}/mcp\n           \
                        the docs page has the `mcp.json` for other clients\n"
        );
        for (option, meaning) in &self.switches {
            text.push_str(&format!("  option   {option}: {meaning}\n"));
        }
        text
    }
}

/// The address by which this machine reaches it.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        ip if ip.is_ipv4() => Ipv4Addr::LOCALHOST.into(),
        _ => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, address.port())
}

/// The name as Claude Code takes it: letters, digits, `-` and `_`.
fn client_name(name: &str) -> String {
    let taken = |it: char| {
        if it.is_ascii_alphanumeric() || it == '_' {
            it
        } else {
            '-'
        }
    };
    name.chars().map(taken).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(server: &Server, address: &str) -> String {
        Greeting::new(server).text(address.parse().unwrap())
    }

    #[test]
    fn it_has_the_urls_and_the_command_of_a_client() {
        let server = Server::new("my weather", "1.2.3");
        let said = text(&server, "0.0.0.0:9000");
        for part in [
            "my weather 1.2.3 listens on http://127.0.0.1:9000\n",
            "http://127.0.0.1:9000/docs\n",
            "http://127.0.0.1:9000/openapi.json\n",
            "claude mcp add --transport http my-weather http://127.0.0.1:9000/mcp\n",
        ] {
            assert!(said.contains(part), "{said}");
        }
        assert!(
            !said.contains("bifold") && !said.contains("option"),
            "{said}"
        );
    }

    #[test]
    fn it_has_the_switches_of_the_application() {
        let server =
            Server::new("weather", "1").setting(Setting::switch("WEATHER_DRY_RUN", "Asks nobody."));
        let said = text(&server, "[::]:9000");
        assert!(said.contains("--weather-dry-run: Asks nobody.\n"), "{said}");
        assert!(said.contains("http://[::1]:9000/docs"), "{said}");
    }
}
