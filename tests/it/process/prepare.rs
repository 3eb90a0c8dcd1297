//! `prepare`: the descriptions and schemas of the tools are written to a file and compared with it.

use super::binary;
use super::contract::file;

/// Runs `prepare` with the file.
async fn prepare(path: &str, arguments: &[&str]) -> (i32, String) {
    let command = ["prepare", "--file", path];
    let output = binary().args(command).args(arguments).output();
    let output = output.await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8(said).unwrap(),
    )
}

#[tokio::test]
async fn a_file_is_written_and_compared_with_the_tools() {
    let path = &file("prepared.tsv");
    let (status, said) = prepare(path, &["--check"]).await;
    assert_eq!(status, 1, "{said}");
    assert!(said.contains(path), "{said}");
    assert_eq!(
        prepare(path, &[]).await,
        (0, format!("{path} is written\n"))
    );
    let same = (0, format!("{path} is up to date\n"));
    assert_eq!(prepare(path, &["--check"]).await, same);
    let written = std::fs::read_to_string(path).unwrap();
    assert_eq!(written.lines().count(), 38);
    std::fs::write(path, written.replacen("string", "integer", 1)).unwrap();
    let (status, said) = prepare(path, &["--check"]).await;
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("update it with"), "{said}");
}
