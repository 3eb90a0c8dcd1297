//! A function that talks with its client: a question to the user, progress, and a task for clients that know tasks.
//!
//! ```sh
//! cargo run --example ask
//! ```

use std::time::Duration;

use bifold::Elicited;
use bifold::prelude::*;

/// The pages that are printed at most without a question.
const FEW: u32 = 5;

/// The user did not agree.
const NOT_CONFIRMED: Kind = Kind::custom(409, "not_confirmed");

/// Prints a document, and asks the user before it prints many pages.
#[derive(Deserialize, JsonSchema)]
struct Print {
    /// The name of the document.
    #[schemars(length(min = 1, max = 100))]
    document: String,
    /// The number of pages.
    #[schemars(range(min = 1, max = 100))]
    pages: u32,
}

/// The question to the user.
#[derive(Deserialize, JsonSchema)]
struct Confirmation {
    /// Whether to print them all.
    print_all: bool,
}

async fn print(cx: Context, Print { document, pages }: Print) -> Result<String> {
    if pages > FEW && !is_confirmed(&cx, pages).await? {
        return Err(Error::new(
            NOT_CONFIRMED,
            "the user did not agree to print that many pages",
        ));
    }
    // From here on a client that knows tasks may leave, and ask for the result later.
    cx.detach().await;
    for page in 1..=pages {
        tokio::time::sleep(Duration::from_millis(100)).await;
        cx.progress(
            f64::from(page),
            Some(f64::from(pages)),
            &format!("page {page} is printed"),
        );
    }
    Ok(format!("printed {pages} pages of {document}"))
}

async fn is_confirmed(cx: &Context, pages: u32) -> Result<bool> {
    let question = format!("Print all {pages} pages?");
    Ok(
        match cx.elicit::<Confirmation>("confirm", &question).await? {
            Elicited::Accepted(answer) => answer.print_all,
            _ => false,
        },
    )
}

fn server() -> Server {
    let print = Tool::new("print", print).post("/print").task();
    Server::new("printer", "1.0.0")
        .description("Prints documents.")
        .tool(print.errors([(NOT_CONFIRMED, "The user did not agree")]))
}

fn main() -> ExitCode {
    bifold::main(server)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bifold::testing::{Client, McpCall};

    async fn print(pages: u32) -> McpCall {
        let client = Client::start(server())
            .await
            .expect("the registrations are right");
        client
            .mcp()
            .call("print", json!({"document": "a", "pages": pages}))
    }

    #[tokio::test(start_paused = true)]
    async fn few_pages_are_printed_without_a_question() {
        let result = print(3).await.await.unwrap();
        assert_eq!(result.text(), "printed 3 pages of a");
        assert_eq!(result.progress().len(), 3);
        assert!(result.asked().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn many_pages_are_printed_once_the_user_agrees() {
        let agreed = print(9)
            .await
            .accept("confirm", json!({"print_all": true}))
            .await
            .unwrap();
        assert_eq!(agreed.text(), "printed 9 pages of a");
        for refused in [
            print(9).await.decline("confirm"),
            print(9)
                .await
                .accept("confirm", json!({"print_all": false})),
        ] {
            assert!(refused.await.unwrap().is_error());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn programs_print_few_pages() {
        let client = Client::start(server()).await.unwrap();
        let few = client
            .rest()
            .post("/api/print", json!({"document": "a", "pages": 2}))
            .await;
        assert_eq!(few.json(), "printed 2 pages of a");
        let many = client
            .rest()
            .post("/api/print", json!({"document": "a", "pages": 9}))
            .await;
        assert_eq!(many.json()["kind"], "missing_capability");
    }
}
