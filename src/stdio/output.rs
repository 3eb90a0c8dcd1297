//! The output: one message a line. A write that is given up is continued by the next one, so no line is torn.

use std::io;

use tokio::io::{AsyncWrite, AsyncWriteExt};

/// Writes lines.
pub(super) struct Output<W> {
    writer: W,
    pending: Vec<u8>,
    written: usize,
}

impl<W: AsyncWrite + Unpin> Output<W> {
    pub(super) fn new(writer: W) -> Output<W> {
        Output {
            writer,
            pending: Vec::new(),
            written: 0,
        }
    }

    /// Adds a message; [`Output::flush`] writes it.
    pub(super) fn add(&mut self, message: &str) {
        // A line break within JSON stands between two tokens, where a space means the same.
        let bytes = message.bytes();
        self.pending.extend(bytes.map(|it| {
            if matches!(it, b'\n' | b'\r') {
                b' '
            } else {
                it
            }
        }));
        self.pending.push(b'\n');
    }

    /// Writes what was added.
    ///
    /// # Errors
    /// The client does not read any more.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        while self.written < self.pending.len() {
            let written = self.writer.write(&self.pending[self.written..]).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.written += written;
        }
        self.pending.clear();
        self.written = 0;
        self.writer.flush().await
    }
}
