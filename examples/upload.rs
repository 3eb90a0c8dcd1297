//! Files in and out: a multipart upload, and a download.
//!
//! ```sh
//! cargo run --example upload
//! curl --form file=@README.md http://127.0.0.1:8787/api/lines
//! curl --form file=@README.md --output numbered.txt http://127.0.0.1:8787/api/numbered
//! ```

use bifold::Upload;
use bifold::prelude::*;

/// Counts the lines and words of a text file.
#[derive(Deserialize, JsonSchema)]
struct CountLines {
    /// The file, in UTF-8.
    file: Upload,
}

/// The size of a text.
#[derive(Serialize, JsonSchema)]
struct Count {
    /// The name of the file, if the client gave one.
    filename: Option<String>,
    /// The lines.
    lines: usize,
    /// The words.
    words: usize,
}

/// Numbers the lines of a text file.
#[derive(Deserialize, JsonSchema)]
struct NumberLines {
    /// The file, in UTF-8.
    file: Upload,
    /// The number of the first line.
    #[serde(default = "one")]
    first: u32,
}

fn one() -> u32 {
    1
}

fn text(file: &Upload) -> Result<&str> {
    std::str::from_utf8(&file.bytes)
        .map_err(|_| Error::invalid_argument("file", "must be text in UTF-8"))
}

async fn count_lines(CountLines { file }: CountLines) -> Result<Count> {
    let text = text(&file)?;
    Ok(Count {
        lines: text.lines().count(),
        words: text.split_whitespace().count(),
        filename: file.filename.clone(),
    })
}

async fn number_lines(NumberLines { file, first }: NumberLines) -> Result<Bytes> {
    let mut numbered = String::new();
    for (number, line) in (u64::from(first)..).zip(text(&file)?.lines()) {
        numbered += &format!("{number}\t{line}\n");
    }
    Ok(Bytes::new(numbered, "text/plain; charset=utf-8").filename("numbered.txt"))
}

fn server() -> Server {
    Server::new("files", "1.0.0")
        .description("Small tools for text files.")
        .tool(
            Tool::new("count_lines", count_lines)
                .post("/lines")
                .read_only(),
        )
        .tool(
            Tool::new("number_lines", number_lines)
                .post("/numbered")
                .read_only(),
        )
}

fn main() -> ExitCode {
    bifold::main(server)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bifold::http::Request;
    use bifold::testing::{Client, TestResponse};

    async fn upload(path: &str, content: &str) -> TestResponse {
        let client = Client::start(server())
            .await
            .expect("the registrations are right");
        let body = format!(
            "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\
             content-type: text/plain\r\n\r\n{content}\r\n--x--\r\n"
        );
        let request = Request::post(path).header("content-type", "multipart/form-data; boundary=x");
        client.rest().send(request.body(body.into()).unwrap()).await
    }

    #[tokio::test]
    async fn a_form_uploads_a_file() {
        let response = upload("/api/lines", "one two\nthree").await;
        assert_eq!(
            response.json(),
            json!({"filename": "a.txt", "lines": 2, "words": 3})
        );
    }

    #[tokio::test]
    async fn the_answer_is_a_download() {
        let response = upload("/api/numbered", "a\nb").await;
        assert_eq!(response.text(), "1\ta\n2\tb\n");
        assert_eq!(response.header("content-type"), "text/plain; charset=utf-8");
        assert!(
            response
                .header("content-disposition")
                .contains("numbered.txt")
        );
    }

    #[tokio::test]
    async fn an_agent_sends_the_bytes_in_base64() {
        let client = Client::start(server()).await.unwrap();
        let file = json!({"filename": "a.txt", "media_type": "text/plain", "data": "YSBi"});
        let result = client
            .mcp()
            .call("count_lines", json!({"file": file}))
            .await
            .unwrap();
        assert_eq!(result.structured().unwrap()["words"], 2);
    }
}
