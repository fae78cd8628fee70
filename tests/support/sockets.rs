//! A real axum server, and requests over real sockets.

use std::net::SocketAddr;

use axum::Router;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// Status, all header lines but `date`, and body.
pub(crate) async fn ask(at: SocketAddr, head: &str) -> (u16, Vec<String>, String) {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let request = format!("{head}\r\nhost: api.example\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let mut lines: Vec<String> = lines
        .filter(|line| !line.starts_with("date:") && !line.starts_with("connection:"))
        .map(str::to_owned)
        .collect();
    lines.sort();
    (status.parse().unwrap(), lines, body.to_owned())
}
