//! The smallest server: one function, for agents over MCP and for programs over REST.
use bifold::prelude::*;
/// Greets someone by name.
#[derive(Deserialize, JsonSchema)]
struct Greet {
    /// Whom to greet.
    name: String,
}
async fn greet(Greet { name }: Greet) -> Result<String> {
    Ok(format!("Hello, {name}!"))
}
fn main() -> ExitCode {
    let greet = Tool::new("greet", greet).get("/greet/{name}");
    bifold::main(|| Server::new("greeter", "1.0.0").tool(greet))
}
