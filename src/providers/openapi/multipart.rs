//! Bodies of several parts (`multipart/form-data`, RFC 7578).

use bytes::Bytes;

/// A body that is being written.
pub(super) struct Multipart {
    boundary: String,
    body: Vec<u8>,
}

impl Multipart {
    /// A body without parts. No content has its boundary but by guessing 128 random bits.
    pub(super) fn new() -> Multipart {
        Multipart {
            boundary: format!("bifold-{:032x}", fastrand::u128(..)),
            body: Vec::new(),
        }
    }

    /// Adds a field.
    pub(super) fn text(&mut self, name: &str, media_type: Option<&str>, text: &str) {
        self.part(name, "", media_type, text.as_bytes());
    }

    /// Adds a file, which needs a file name.
    pub(super) fn file(&mut self, name: &str, media_type: Option<&str>, content: &[u8]) {
        let filename = format!("; filename=\"{}\"", quoted(name));
        let media_type = media_type.unwrap_or("application/octet-stream");
        self.part(name, &filename, Some(media_type), content);
    }

    /// The body with its media type.
    pub(super) fn finish(mut self) -> (Bytes, String) {
        self.body
            .extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        let media_type = format!("multipart/form-data; boundary={}", self.boundary);
        (self.body.into(), media_type)
    }

    fn part(&mut self, name: &str, filename: &str, media_type: Option<&str>, content: &[u8]) {
        let mut head = format!(
            "--{}\r\nContent-Disposition: form-data; name=\"{}\"{filename}\r\n",
            self.boundary,
            quoted(name)
        );
        if let Some(media_type) = media_type.filter(|it| !it.contains(['\r', '\n'])) {
            head.push_str(&format!("Content-Type: {media_type}\r\n"));
        }
        head.push_str("\r\n");
        self.body.extend_from_slice(head.as_bytes());
        self.body.extend_from_slice(content);
        self.body.extend_from_slice(b"\r\n");
    }
}

/// A name within quotes, as browsers write it.
fn quoted(name: &str) -> String {
    name.replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}
