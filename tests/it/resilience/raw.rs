//! An upstream that sends any bytes and keeps the connection open, and an unreachable upstream.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::support::TestApp;

/// A running upstream.
pub struct Raw {
    /// Its base URL.
    pub url: String,
    heads: Arc<Mutex<Vec<String>>>,
    closed: Arc<Mutex<usize>>,
}

impl Raw {
    /// Sends `bytes` in answer to every request.
    pub async fn saying(bytes: impl Into<Vec<u8>>) -> Raw {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let raw = Raw {
            url: format!("http://{}", listener.local_addr().unwrap()),
            heads: Arc::default(),
            closed: Arc::default(),
        };
        let (bytes, heads, closed) = (bytes.into(), raw.heads.clone(), raw.closed.clone());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (bytes, heads, closed) = (bytes.clone(), heads.clone(), closed.clone());
                tokio::spawn(async move {
                    let mut socket = BufReader::new(socket);
                    let head = read_head(&mut socket).await;
                    // Some tests are about clients that disconnect.
                    drop(socket.get_mut().write_all(&bytes).await);
                    heads.lock().unwrap().push(head);
                    drop(socket.read_to_end(&mut Vec::new()).await);
                    *closed.lock().unwrap() += 1;
                });
            }
        });
        raw
    }

    /// The heads of the requests that were answered so far.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// How many connections their clients have closed.
    pub fn closed(&self) -> usize {
        *self.closed.lock().unwrap()
    }

    /// An application that uses this upstream as its explorer.
    pub async fn app(&self) -> TestApp {
        with_explorer(&self.url).await
    }
}

/// An application whose explorer is at this URL.
pub async fn with_explorer(url: &str) -> TestApp {
    let url = url.to_owned();
    TestApp::with(|config| drop(config.upstream_urls.insert("explorer".to_owned(), url))).await
}

async fn read_head(socket: &mut BufReader<TcpStream>) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if socket.read_line(&mut head).await.unwrap_or(0) == 0 {
            break;
        }
    }
    head
}
