//! A function: its argument struct is what clients see of it.

use bifold::prelude::*;

/// Greets someone by name.
#[derive(Deserialize, JsonSchema)]
pub struct Greet {
    /// Whom to greet.
    #[schemars(length(min = 1, max = 100))]
    name: String,
}

pub async fn greet(Greet { name }: Greet) -> Result<String> {
    Ok(format!("Hello, {name}!"))
}
