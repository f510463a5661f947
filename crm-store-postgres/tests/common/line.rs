//! A line to the server that breaks when told to.

#![allow(dead_code, reason = "not every test program uses everything")]
#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Passes bytes to the server and back, and breaks the line when told to.
pub(crate) struct Line {
    port: u16,
    cut: Arc<AtomicBool>,
    /// The line is cut when this passes to the server.
    fuse: Arc<Mutex<Option<&'static [u8]>>>,
}

impl Line {
    /// Listens. Once the line is cut, what the client says still reaches the server, but no answer comes back.
    pub(crate) async fn new(url: &str) -> Self {
        let (host, port) = {
            let address = url.rsplit_once('@').map_or(url, |(_, rest)| rest);
            let address = address.split('/').next().unwrap().to_owned();
            let (host, port) = address.rsplit_once(':').unwrap_or((&address, "5432"));
            (host.to_owned(), port.parse::<u16>().unwrap())
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let cut = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&cut);
        let fuse = Arc::new(Mutex::new(None));
        let lit: Arc<Mutex<Option<&'static [u8]>>> = Arc::clone(&fuse);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if told.load(Ordering::SeqCst) {
                    continue;
                }
                let server = TcpStream::connect((host.as_str(), port)).await.unwrap();
                let (told, lit) = (Arc::clone(&told), Arc::clone(&lit));
                tokio::spawn(async move {
                    let (mut from_client, mut to_client) = client.into_split();
                    let (mut from_server, mut to_server) = server.into_split();
                    let burnt = Arc::clone(&told);
                    tokio::spawn(async move {
                        let mut buffer = vec![0; 65_536];
                        while let Ok(read) = from_client.read(&mut buffer).await {
                            let fuse = *lit.lock().unwrap();
                            if fuse.is_some_and(|fuse| buffer[..read].windows(fuse.len()).any(|part| part == fuse)) {
                                burnt.store(true, Ordering::SeqCst);
                            }
                            if read == 0 || to_server.write_all(&buffer[..read]).await.is_err() {
                                break;
                            }
                        }
                    });
                    let mut buffer = vec![0; 65_536];
                    while let Ok(read) = from_server.read(&mut buffer).await {
                        if read == 0
                            || told.load(Ordering::SeqCst)
                            || to_client.write_all(&buffer[..read]).await.is_err()
                        {
                            break;
                        }
                    }
                });
            }
        });
        Self { port: own, cut, fuse }
    }

    /// The same address by way of this line.
    pub(crate) fn url(&self, url: &str) -> String {
        let (head, rest) = url.rsplit_once('@').map_or(("postgres://", url), |(head, rest)| (head, rest));
        let tail = rest.split_once('/').map_or("", |(_, tail)| tail);
        let at = if url.contains('@') { "@" } else { "" };
        format!("{head}{at}127.0.0.1:{}/{tail}", self.port)
    }

    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    /// Cuts the line when these bytes pass to the server, which gets them.
    pub(crate) fn cut_at(&self, bytes: &'static [u8]) {
        *self.fuse.lock().unwrap() = Some(bytes);
    }

    pub(crate) fn mend(&self) {
        *self.fuse.lock().unwrap() = None;
        self.cut.store(false, Ordering::SeqCst);
    }
}
