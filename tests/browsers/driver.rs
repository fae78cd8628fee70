use std::{
    net::TcpListener,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::Child,
    time::sleep,
};

use crate::engine::Engine;

/// The lines that a driver and its browser have written.
pub(crate) type Lines = Arc<Mutex<Vec<String>>>;

/// An engine's driver, on a port that is free. Killed when dropped.
pub(crate) struct Driver {
    pub(crate) url: String,
    pub(crate) lines: Lines,
    _child: Child,
}

impl Driver {
    pub(crate) async fn start(engine: Engine, profile: &Path) -> Self {
        // Another program may take the port first, as other tests may that start at the same time.
        for _ in 0..5 {
            if let Some(driver) = Self::try_start(engine, profile).await {
                return driver;
            }
        }
        panic!("the driver of {engine} does not start");
    }

    async fn try_start(engine: Engine, profile: &Path) -> Option<Self> {
        let port = free_port();
        let mut command = engine.driver(port, profile);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let lines = Lines::default();
        keep_lines(child.stdout.take().expect("it is piped"), &lines);
        keep_lines(child.stderr.take().expect("it is piped"), &lines);
        let url = format!("http://127.0.0.1:{port}");
        // Half a minute is much, but the machine may be busy with other tests.
        for _ in 0..300 {
            if child.try_wait().expect("it can be asked").is_some() {
                return None;
            }
            if reqwest::get(format!("{url}/status")).await.is_ok() {
                return Some(Self {
                    url,
                    lines,
                    _child: child,
                });
            }
            sleep(Duration::from_millis(100)).await;
        }
        None
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}

fn keep_lines(output: impl AsyncRead + Send + Unpin + 'static, lines: &Lines) {
    let lines = Arc::clone(lines);
    tokio::spawn(async move {
        let mut output = BufReader::new(output).lines();
        while let Ok(Some(line)) = output.next_line().await {
            lines.lock().expect("no thread panics with it").push(line);
        }
    });
}
