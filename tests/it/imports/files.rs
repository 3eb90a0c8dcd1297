//! Documents in files: references to files beside them, and to nothing else.

use std::fs;
use std::path::PathBuf;

use bifold::Import;
use serde_json::json;

use super::{names, refusal, schema_of, started};

/// A folder with these files, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn of(name: &str, files: &[(&str, &str)]) -> Folder {
        let path =
            std::env::temp_dir().join(format!("bifold-imports-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        for (file, text) in files {
            let file = path.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        Folder(path)
    }

    fn import(&self, file: &str) -> Import {
        Import::file(self.0.join(file)).base_url("https://api.example.com")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn references_lead_to_files_beside_the_document() {
    let folder = Folder::of(
        "beside",
        &[
            (
                "api/pets.yaml",
                "openapi: 3.0.3\npaths:\n  /pets:\n    $ref: paths/pets.yml\n  /one:\n    get:\n      $ref: 'paths/one.yml'\n",
            ),
            (
                "api/paths/pets.yml",
                "post:\n  operationId: addPet\n  requestBody:\n    content:\n      application/json:\n        schema:\n          $ref: ../schemas.json#/Pet\n",
            ),
            ("api/paths/one.yml", "operationId: getOne\nresponses: {}\n"),
            (
                "api/schemas.json",
                r##"{"Pet": {"type": "object", "required": ["name"], "properties": {"name": {"$ref": "#/Name"}, "owner": {"$ref": "paths/../schemas.json#/Name"}}}, "Name": {"type": "string", "maxLength": 9}}"##,
            ),
        ],
    );
    let client = started(folder.import("api/pets.yaml")).await;
    assert_eq!(names(&client), ["get_one", "add_pet"]);
    let arguments = &schema_of(&client, "add_pet")["properties"];
    assert_eq!(arguments["name"]["maxLength"], 9);
    assert_eq!(arguments["owner"]["maxLength"], 9);
    // Without a name the import has the one of its file.
    assert_eq!(
        client
            .rest()
            .post("/api/pets/get_one", json!({"wrong": 1}))
            .await
            .status(),
        400
    );
}

#[cfg(unix)]
#[tokio::test]
async fn no_reference_leaves_the_folder_of_the_document() {
    let document = |reference: &str| {
        format!(
            r#"{{"openapi": "3.0.0", "paths": {{"/a": {{"get": {{"operationId": "a", "parameters": [{{"$ref": "{reference}"}}]}}}}, "/b": {{"get": {{"operationId": "b"}}}}}}}}"#
        )
    };
    let folder = Folder::of(
        "outside",
        &[
            ("secret.json", r#"{"name": "leaked", "in": "query"}"#),
            ("api/inside.json", r#"{"name": "fine", "in": "query"}"#),
        ],
    );
    std::os::unix::fs::symlink(folder.0.join("secret.json"), folder.0.join("api/link.json"))
        .unwrap();
    let absolute = folder.0.join("secret.json");
    for (reference, is_good) in [
        ("inside.json", true),
        ("./inside.json#", true),
        ("../secret.json", false),
        ("..%2fsecret.json", false),
        ("link.json", false),
        (absolute.to_str().unwrap(), false),
        ("file:///etc/passwd", false),
        ("//evil.example/x.json", false),
        ("http://evil.example/x.json", false),
        ("gone.json", false),
    ] {
        fs::write(folder.0.join("api/api.json"), document(reference)).unwrap();
        let client = started(folder.import("api/api.json")).await;
        let expected: &[&str] = if is_good { &["a", "b"] } else { &["b"] };
        assert_eq!(names(&client), expected, "{reference}");
        let published = client.rest().get("/openapi.json").await;
        assert!(!published.text().contains("leaked"), "{reference}");
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_named() {
    let folder = Folder::of(
        "unread",
        &[("not-json.json", "{\"openapi\": "), ("Ü.json", "{}")],
    );
    let problem = refusal(folder.import("gone.json")).await;
    assert!(
        problem.contains("gone.json`: it cannot be read"),
        "{problem}"
    );
    let problem = refusal(folder.import("not-json.json")).await;
    assert!(
        problem.contains("not-json.json`: ") && problem.contains("line 1"),
        "{problem}"
    );
    let problem = refusal(folder.import("Ü.json")).await;
    assert!(problem.contains("give one with `name`"), "{problem}");
}

#[tokio::test]
async fn the_file_of_the_setting_lists_imports_and_is_strict() {
    let document = r#"{"openapi": "3.0.0", "servers": [{"url": "https://{region}.example.com/v1", "variables": {"region": {"default": "eu"}}}],
        "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "x-key"}}}, "security": [{"key": []}],
        "paths": {"/a": {"get": {"operationId": "getA"}}, "/b": {"get": {"operationId": "getB"}}}}"#;
    let list = r#"{"imports": [{"file": "api.json", "prefix": "x_", "allow": ["getA"], "server_variables": {"region": "us"}, "credentials": {"key": {"key": "API_KEY"}}, "cache_seconds": 5, "in_flight": 3}]}"#;
    let folder = Folder::of(
        "list",
        &[
            ("sub/api.json", document),
            ("sub/list.json", list),
            ("sub/list.yaml", "imports:\n  - file: api.json\n"),
        ],
    );
    let started = async |file: &str, text: Option<&str>| {
        let path = folder.0.join("sub").join(file);
        if let Some(text) = text {
            fs::write(&path, text).unwrap();
        }
        let mut config = bifold::Config::default();
        config.openapi = Some(path.to_str().unwrap().to_owned());
        config
            .secrets
            .insert("API_KEY".to_owned(), bifold::Secret::new("secret"));
        let started =
            bifold::testing::Client::with(config, bifold::Server::new("it", "1.0.0")).await;
        started.map(|it| names(&it)).map_err(|it| it.to_string())
    };
    assert_eq!(
        started("list.json", None).await,
        Ok(vec!["x_get_a".to_owned()])
    );
    assert_eq!(
        started("list.yaml", None).await.unwrap(),
        ["get_a", "get_b"]
    );
    for (text, expected) in [
        ("", "it is empty"),
        ("{}", "missing field `imports`"),
        (
            r#"{"imports": [{}]}"#,
            "at `imports[0]`: missing field `file`",
        ),
        (
            r#"{"imports": [{"file": "api.json", "alow": []}]}"#,
            "at `imports[0].alow`: unknown field `alow`",
        ),
        (
            r#"{"imports": [{"file": 7}]}"#,
            "at `imports[0].file`: invalid type",
        ),
        (
            r#"{"imports": [{"file": "api.json"}, {"file": "api.json", "allow": [1]}]}"#,
            "at `imports[1].allow[0]`",
        ),
        (
            r#"{"imports": [{"file": "gone.json"}]}"#,
            "gone.json`: it cannot be read",
        ),
        (
            r#"{"imports": [{"file": "api.json", "credentials": {"key": {"key": "sk-123"}}}]}"#,
            "at `imports[0].credentials.key`: give the name of an environment variable",
        ),
        (
            r#"{"imports": [{"file": "api.json", "credentials": {"key": {"user": "A"}}}]}"#,
            "at `imports[0].credentials.key`: give `key`, or",
        ),
        (
            r#"{"imports": [{"file": "api.json", "allow": ["getC"]}]}"#,
            "it has no operation `getC`",
        ),
        (
            r#"{"imports": [{"file": "api.json", "name": "A"}]}"#,
            "at most 40 lower case letters",
        ),
        (
            r#"{"imports": [{"file": "api.json"}, {"file": "api.json"}]}"#,
            "`get_a`",
        ),
    ] {
        let problem = started("bad.json", Some(text)).await.unwrap_err();
        assert!(problem.contains(expected), "{text}: {problem}");
        assert!(!problem.contains("sk-123"));
    }
}

/// What `import check` prints for the file, what it says of a failure, and its exit status.
fn check(path: &std::path::Path) -> (String, String, Option<i32>) {
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_bifold"))
        .args(["import", "check"])
        .arg(path)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(run.stdout), text(run.stderr), run.status.code())
}

#[test]
fn the_command_says_what_becomes_of_every_operation() {
    let document = r#"{"openapi": "3.0.0", "security": [{"key": []}],
        "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "x-key"}}},
        "paths": {"/a": {"get": {"operationId": "getA"}, "post": {"parameters": [{"$ref": "gone.json"}]}}}}"#;
    let list = r#"{"imports": [{"file": "api.json", "prefix": "x_", "allow": ["getA"]}]}"#;
    let files = [
        ("api.json", document),
        ("list.json", list),
        ("bad.yaml", "a: ["),
    ];
    let folder = Folder::of("check", &files);
    let (table, _, status) = check(&folder.0.join("api.json"));
    let lines: Vec<&str> = table.lines().collect();
    let first = format!("{:<40} GET /a (no credentials for key)", "get_a");
    let reason = "the reference `gone.json` leads to a file that does not exist";
    let second = format!("{:<40} POST /a: {reason}", "left out");
    assert_eq!(lines[..2], [first, second]);
    assert!(lines[2].ends_with("api.json`: 2 operations, 1 imported, 1 left out"));
    assert_eq!(status, Some(0));
    let (table, _, status) = check(&folder.0.join("list.json"));
    assert!(table.starts_with("x_get_a "), "{table}");
    assert_eq!(status, Some(0));
    for (file, problem) in [("gone.json", "it cannot be read"), ("bad.yaml", "(line 2)")] {
        let (table, said, status) = check(&folder.0.join(file));
        assert_eq!((&*table, status), ("", Some(1)));
        assert!(said.contains(problem), "{said}");
    }
}
