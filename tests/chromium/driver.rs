use std::process::Stdio;

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// A process that says on its output where it listens.
pub(crate) struct Process {
    // Killed when dropped.
    _child: Child,
    // A pipe that nobody reads from stops who writes to it.
    pub(crate) output: Lines<BufReader<ChildStdout>>,
}

impl Process {
    pub(crate) fn start(mut command: Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let output = child.stdout.take().expect("the output is piped");
        Self {
            _child: child,
            output: BufReader::new(output).lines(),
        }
    }

    /// The rest of the first line that begins so.
    pub(crate) async fn line_after(&mut self, beginning: &str) -> String {
        let line = self.find_line_after(beginning).await;
        line.unwrap_or_else(|| panic!("the process has ended without saying {beginning:?}"))
    }

    /// The same, or nothing if the process ends before.
    async fn find_line_after(&mut self, beginning: &str) -> Option<String> {
        while let Some(line) = self.output.next_line().await.expect("it can be read") {
            if let Some(rest) = line.strip_prefix(beginning) {
                return Some(rest.to_owned());
            }
        }
        None
    }
}

/// `chromedriver`, on a port that is free.
pub(crate) struct Driver {
    pub(crate) url: String,
    _process: Process,
}

impl Driver {
    pub(crate) async fn start() -> Self {
        // It finds a port that is free for one version of IP and ends if it is taken for the other,
        // as it may be where several start at once.
        for _ in 0..5 {
            let mut command = Command::new("chromedriver");
            command.arg("--port=0");
            let mut process = Process::start(command);
            let started = "ChromeDriver was started successfully on port ";
            if let Some(port) = process.find_line_after(started).await {
                return Self {
                    url: format!("http://127.0.0.1:{}", port.trim_end_matches('.')),
                    _process: process,
                };
            }
        }
        panic!("chromedriver does not start");
    }
}
