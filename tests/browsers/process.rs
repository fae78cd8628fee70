use std::process::Stdio;

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// A process that says on its output where it listens. Killed when dropped.
pub(crate) struct Process {
    _child: Child,
    // Kept, because a process that writes to a pipe without a reader ends.
    output: Lines<BufReader<ChildStdout>>,
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
        while let Some(line) = self.output.next_line().await.expect("it can be read") {
            if let Some(rest) = line.strip_prefix(beginning) {
                return rest.to_owned();
            }
        }
        panic!("the process has ended without saying {beginning:?}");
    }
}
