//! [`Watched`]: a connection whose first bytes are remembered, because they tell TLS from HTTP, and
//! which ends after so many bytes, because a server may send without end.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

#[derive(Debug)]
pub(super) struct Watched<T> {
    inner: T,
    seen: Seen,
    /// Bytes that may still be read. HTTP/1.1 has answers, such as 103, that another one follows,
    /// and to skip them without end would not even leave time for the timeout.
    left: usize,
}

/// The most that is read from one connection, in bytes: several times a head and a body.
const MAX_READ: usize = 1024 * 1024;

/// The first bytes that the other side sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen(Arc<Mutex<Vec<u8>>>);

impl Seen {
    const MAX: usize = 16;

    fn add(&self, bytes: &[u8]) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = Self::MAX - seen.len();
        seen.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn starts_with(&self, prefix: &[u8]) -> bool {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.starts_with(prefix)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
    }

    pub(super) fn is_http(&self) -> bool {
        self.starts_with(b"HTTP/")
    }

    /// The bytes in quotes, those that are not printable ASCII escaped.
    pub(super) fn quoted(&self) -> String {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        format!("\"{}\"", seen.escape_ascii())
    }

    /// An alert or a handshake record (RFC 8446, section 5.1).
    pub(super) fn is_tls(&self) -> bool {
        self.starts_with(&[0x15, 0x03]) || self.starts_with(&[0x16, 0x03])
    }
}

impl<T> Watched<T> {
    pub(super) fn new(inner: T, seen: Seen) -> Self {
        Self {
            inner,
            seen,
            left: MAX_READ,
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::Error::other("the answer has no end")));
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        let read = &buf.filled()[before..];
        self.seen.add(read);
        self.left = self.left.saturating_sub(read.len());
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
