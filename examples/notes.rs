//! Notes in an SQLite database: create, read, list page by page, delete.
//!
//! ```sh
//! NOTES_DATABASE=notes.db cargo run --example notes
//! curl --json '{"text": "buy milk"}' http://127.0.0.1:8787/api/notes
//! curl 'http://127.0.0.1:8787/api/notes?limit=10'
//! ```

use std::sync::{Arc, Mutex};

use bifold::prelude::*;
use bifold::{Setting, Starting};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// The characters of the longest note.
const MAX_CHARACTERS: usize = 1000;

/// The scopes that callers need, as soon as a setting such as `BIFOLD_API_KEYS` says who they are.
const READ: &str = "notes:read";
const WRITE: &str = "notes:write";

/// There is a note with the same text.
const NOTE_EXISTS: Kind = Kind::custom(409, "note_exists");

/// The database, shared by all calls.
#[derive(Clone)]
struct Notes(Arc<Mutex<Connection>>);

/// One note.
#[derive(Serialize, Deserialize, JsonSchema, Debug, PartialEq)]
struct Note {
    /// The number of the note.
    id: i64,
    /// The text.
    text: String,
}

/// A page of notes.
#[derive(Serialize, Deserialize, JsonSchema, Debug)]
struct Page {
    /// The notes, the oldest first.
    notes: Vec<Note>,
    /// The value of `after` for the next page; null on the last one.
    next: Option<i64>,
}

/// Adds a note. A text that is there already is refused.
#[derive(Deserialize, JsonSchema)]
struct AddNote {
    /// The text.
    #[schemars(length(min = 1, max = MAX_CHARACTERS))]
    text: String,
}

/// Reads one note.
#[derive(Deserialize, JsonSchema)]
struct GetNote {
    /// The number of the note.
    #[schemars(range(min = 1))]
    id: i64,
}

/// Lists notes, the oldest first.
#[derive(Deserialize, JsonSchema)]
struct ListNotes {
    /// The most notes on one page.
    #[serde(default = "page_size")]
    #[schemars(range(min = 1, max = 100))]
    limit: u32,
    /// Only notes after this number: `next` of the page before.
    #[serde(default)]
    after: i64,
}

/// Deletes a note.
#[derive(Deserialize, JsonSchema)]
struct DeleteNote {
    /// The number of the note.
    #[schemars(range(min = 1))]
    id: i64,
}

fn page_size() -> u32 {
    20
}

/// A failure of the database is a defect for the caller; the log has its cause.
fn broken(error: rusqlite::Error) -> Error {
    Error::internal("the database failed").with_source(error)
}

fn missing(id: i64) -> Error {
    Error::not_found(format!("there is no note {id}"))
}

impl Note {
    fn of(row: &Row<'_>) -> rusqlite::Result<Note> {
        Ok(Note {
            id: row.get(0)?,
            text: row.get(1)?,
        })
    }
}

impl Notes {
    fn open(path: &str) -> rusqlite::Result<Notes> {
        let database = Connection::open(path)?;
        database.execute_batch(
            "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)",
        )?;
        Ok(Notes(Arc::new(Mutex::new(database))))
    }

    /// Runs one statement on a thread that may wait for the disk.
    async fn with<T: Send + 'static>(
        cx: &Context,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let Notes(database) = cx.state::<Notes>()?.clone();
        let running = tokio::task::spawn_blocking(move || {
            let database = database
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            run(&database)
        });
        let done = running
            .await
            .map_err(|error| Error::internal("the call was stopped").with_source(error))?;
        done.map_err(broken)
    }
}

async fn add_note(cx: Context, AddNote { text }: AddNote) -> Result<Created<Note>> {
    let added = Notes::with(&cx, move |database| {
        let sql = "INSERT INTO notes (text) VALUES (?1) ON CONFLICT DO NOTHING RETURNING id, text";
        database.query_row(sql, params![text], Note::of).optional()
    });
    let note = added
        .await?
        .ok_or_else(|| Error::new(NOTE_EXISTS, "there is a note with this text"))?;
    let location = format!("/api/notes/{}", note.id);
    Ok(Created(note, location))
}

async fn get_note(cx: Context, GetNote { id }: GetNote) -> Result<Note> {
    let found = Notes::with(&cx, move |database| {
        let sql = "SELECT id, text FROM notes WHERE id = ?1";
        database.query_row(sql, params![id], Note::of).optional()
    });
    found.await?.ok_or_else(|| missing(id))
}

async fn list_notes(cx: Context, ListNotes { limit, after }: ListNotes) -> Result<Page> {
    Notes::with(&cx, move |database| {
        let sql = "SELECT id, text FROM notes WHERE id > ?1 ORDER BY id LIMIT ?2";
        let mut statement = database.prepare(sql)?;
        // One more than fits, to know whether there is another page.
        let rows = statement.query_map(params![after, limit + 1], Note::of)?;
        let mut notes: Vec<Note> = rows.collect::<rusqlite::Result<_>>()?;
        let is_last = notes.len() <= limit as usize;
        notes.truncate(limit as usize);
        let next = notes.last().filter(|_| !is_last).map(|note| note.id);
        Ok(Page { notes, next })
    })
    .await
}

async fn delete_note(cx: Context, DeleteNote { id }: DeleteNote) -> Result<NoContent> {
    let deleted = Notes::with(&cx, move |database| {
        database.execute("DELETE FROM notes WHERE id = ?1", params![id])
    });
    match deleted.await? {
        0 => Err(missing(id)),
        _ => Ok(NoContent),
    }
}

async fn open(mut starting: Starting) -> rusqlite::Result<Starting> {
    let notes = Notes::open(starting.setting("NOTES_DATABASE"))?;
    starting.state(notes);
    Ok(starting)
}

fn server() -> Server {
    Server::new("notes", "1.0.0")
        .description("Notes that an agent and a program share.")
        .setting(Setting::new(
            "NOTES_DATABASE",
            "notes.db",
            "The file of the database; `:memory:` for none.",
        ))
        .on_start(open)
        .tool(
            Tool::new("add_note", add_note)
                .post("/notes")
                .status(201)
                .errors([(NOTE_EXISTS, "There is a note with this text")])
                .scopes(&[WRITE])
                .additive(),
        )
        .tool(
            Tool::new("get_note", get_note)
                .get("/notes/{id}")
                .scopes(&[READ])
                .read_only(),
        )
        .tool(
            Tool::new("list_notes", list_notes)
                .get("/notes")
                .scopes(&[READ])
                .read_only(),
        )
        .tool(
            Tool::new("delete_note", delete_note)
                .delete("/notes/{id}")
                .scopes(&[WRITE])
                .idempotent(),
        )
}

fn main() -> ExitCode {
    bifold::main(server)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bifold::Config;
    use bifold::testing::Client;

    async fn client() -> Client {
        let mut config = Config::default();
        config
            .application
            .insert("NOTES_DATABASE".into(), ":memory:".into());
        Client::with(config, server())
            .await
            .expect("the registrations are right")
    }

    #[tokio::test]
    async fn a_note_is_created_read_and_deleted_over_rest() {
        let rest = client().await.rest();
        let created = rest.post("/api/notes", json!({"text": "buy milk"})).await;
        assert_eq!(
            (created.status(), created.header("location")),
            (201, "/api/notes/1")
        );
        let note = json!({"id": 1, "text": "buy milk"});
        assert_eq!(created.json(), note);
        assert_eq!(rest.get("/api/notes/1").await.json(), note);
        assert_eq!(rest.delete("/api/notes/1").await.status(), 204);
        assert_eq!(rest.get("/api/notes/1").await.status(), 404);
        assert_eq!(rest.delete("/api/notes/1").await.status(), 404);
    }

    #[tokio::test]
    async fn agents_get_the_same_notes_and_errors() {
        let client = client().await;
        let mcp = client.mcp();
        let added = mcp
            .call("add_note", json!({"text": "call Ada"}))
            .await
            .unwrap();
        assert_eq!(
            added.structured(),
            Some(&json!({"id": 1, "text": "call Ada"}))
        );
        let again = mcp
            .call("add_note", json!({"text": "call Ada"}))
            .await
            .unwrap();
        assert!(again.is_error());
        let rest = client
            .rest()
            .post("/api/notes", json!({"text": "call Ada"}))
            .await;
        assert_eq!(
            (rest.status(), rest.json()["kind"].clone()),
            (409, json!("note_exists"))
        );
    }

    #[tokio::test]
    async fn a_list_has_pages() {
        let client = client().await;
        for number in 1..=5 {
            client
                .call("add_note", json!({"text": format!("note {number}")}))
                .await
                .unwrap();
        }
        let first: Page = client.rest().get("/api/notes?limit=3").await.parse();
        assert_eq!((first.notes.len(), first.next), (3, Some(3)));
        let last: Page = client
            .rest()
            .get("/api/notes?limit=3&after=3")
            .await
            .parse();
        assert_eq!((last.notes.len(), last.next), (2, None));
    }

    #[tokio::test]
    async fn what_the_schema_forbids_reaches_no_function() {
        let client = client().await;
        for arguments in [
            json!({"text": ""}),
            json!({"text": "x".repeat(1001)}),
            json!({}),
            json!({"text": "a", "x": 1}),
        ] {
            let error = client.call("add_note", arguments).await.unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidArgument);
        }
        assert_eq!(
            client.rest().get("/api/notes?limit=101").await.status(),
            400
        );
        let page: Page = client.rest().get("/api/notes").await.parse();
        assert_eq!(page.notes, []);
    }
}
