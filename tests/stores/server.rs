use std::{
    ffi::OsStr,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::disk::{Disk, is_root};

/// How long a server has to start or to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many ports are tried.
const PORTS: usize = 4;

/// A real server on a port of the loopback interface, with a directory of its own. It ends with the
/// test.
pub(crate) struct Server {
    kind: Kind,
    port: u16,
    /// Where the directory is on a disk of its own. It goes before the directory.
    disk: Option<Disk>,
    directory: TempDir,
    process: Option<Child>,
}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Postgres,
    Nats,
}

impl Server {
    pub(crate) fn start(kind: Kind) -> Self {
        Self::start_on(kind, |_| None)
    }

    /// One on a disk of so many mebibytes.
    pub(crate) fn start_on_disk(kind: Kind, mebibytes: u32) -> Self {
        Self::start_on(kind, |directory| Some(Disk::mount(directory, mebibytes)))
    }

    fn start_on(kind: Kind, disk: impl FnOnce(&Path) -> Option<Disk>) -> Self {
        let directory = TempDir::new().expect("there is room for the server's files");
        let mut server = Self {
            kind,
            port: 0,
            disk: disk(directory.path()),
            directory,
            process: None,
        };
        if let Kind::Postgres = kind {
            server.init_database();
        }
        // Another process may have taken the port since.
        for _ in 0..PORTS {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
            server.port = port.unwrap().port();
            if server.tries_to_start().is_ok() {
                return server;
            }
            server.kill();
        }
        server.restart();
        server
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn disk(&self) -> &Disk {
        self.disk.as_ref().expect("it was started on one")
    }

    pub(crate) fn url_at(&self, port: u16) -> String {
        match self.kind {
            Kind::Postgres => format!("postgres://postgres@127.0.0.1:{port}/postgres"),
            Kind::Nats => format!("nats://127.0.0.1:{port}"),
        }
    }

    /// Ends the server without giving it time for anything.
    pub(crate) fn kill(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        // A server that a failed test has left halted would not end.
        signal_all("-CONT", process.id());
        match self.kind {
            // The processes of its connections end with it, which SIGKILL would not see to.
            Kind::Postgres => {
                let quit = Command::new("kill")
                    .args(["-QUIT", &process.id().to_string()])
                    .stderr(Stdio::null())
                    .status();
                // A test that fails already must not fail here again.
                if !quit.is_ok_and(|status| status.success()) {
                    let _ = process.kill();
                }
            }
            Kind::Nats => drop(process.kill()),
        }
        let _ = process.wait();
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        let process = self.process.as_mut().expect("it was started");
        process.try_wait().expect("it is our process").is_some()
    }

    pub(crate) fn has_said(&self, what: &str) -> bool {
        fs::read_to_string(self.log()).is_ok_and(|log| log.contains(what))
    }

    /// Stops the server where it is, until it may go on.
    pub(crate) fn halt(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let process = self.process.as_ref().expect("it was started");
        assert!(signal_all(signal, process.id()), "it has ended");
    }

    /// Starts the server again on its directory.
    pub(crate) fn restart(&mut self) {
        let started = self.tries_to_start();
        started.unwrap_or_else(|log| panic!("the server does not start:\n{log}"));
    }

    /// Fails with the log.
    pub(crate) fn tries_to_start(&mut self) -> Result<(), String> {
        let mut command = match self.kind {
            Kind::Postgres => {
                let mut command = self.postgres("postgres");
                command.arg("-D").arg(self.directory.path().join("data"));
                command.args(["-p", &self.port.to_string(), "-h", "127.0.0.1"]);
                command.args(["-k", "", "-c", "shared_buffers=32MB"]);
                command
            }
            Kind::Nats => {
                let mut command = self.command("nats-server");
                command.args(["-js", "-a", "127.0.0.1", "-p", &self.port.to_string()]);
                command.arg("-sd").arg(self.directory.path());
                if self.nats_config().exists() {
                    command.arg("-c").arg(self.nats_config());
                }
                command
            }
        };
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.log())
            .unwrap();
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        // Before it can have said anything.
        let before = self.said_ready();
        self.process = Some(start(&mut command));
        self.wait_until_ready(before)
    }

    fn wait_until_ready(&mut self, before: usize) -> Result<(), String> {
        let start = Instant::now();
        while self.said_ready() == before {
            if self.has_ended() || start.elapsed() > PATIENCE {
                return Err(fs::read_to_string(self.log()).unwrap_or_default());
            }
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// How often it has said that it is ready.
    fn said_ready(&self) -> usize {
        let ready = match self.kind {
            Kind::Postgres => "database system is ready to accept connections",
            Kind::Nats => "Server is ready",
        };
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        log.matches(ready).count()
    }

    /// Sets how much NATS stores, from its next start on.
    pub(crate) fn limit_nats_to(&self, bytes: u64) {
        let config = format!("jetstream {{ max_file_store: {bytes} }}");
        fs::write(self.nats_config(), config).unwrap();
    }

    fn nats_config(&self) -> PathBuf {
        self.directory.path().join("nats.conf")
    }

    fn log(&self) -> PathBuf {
        self.directory.path().with_extension("log")
    }

    fn init_database(&self) {
        if is_root() {
            let mut chown = self.command("chown");
            run(chown.arg("postgres").arg(self.directory.path()));
        }
        let mut command = self.postgres("initdb");
        command.arg("-D").arg(self.directory.path().join("data"));
        command.args([
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
        ]);
        if self.disk.is_some() {
            // The smallest files of its log that there are, so that a small disk can hold some.
            command.arg("--wal-segsize=1");
        }
        run(command.stdout(Stdio::null()));
    }

    /// One of the server's programs, which refuse to be run by root.
    fn postgres(&self, program: &str) -> Command {
        let program = postgres_programs().join(program);
        let mut command = if is_root() {
            // Replaces itself by the program, so that the process is the server's own.
            let mut command = self.command("setpriv");
            command.args([
                "--reuid=postgres",
                "--regid=postgres",
                "--clear-groups",
                "--",
            ]);
            command.arg(program);
            command
        } else {
            self.command(program)
        };
        command.current_dir(self.directory.path());
        command
    }

    /// A program to which the directory is what it is to the server.
    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        match &self.disk {
            Some(disk) => disk.command(program),
            None => Command::new(program),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        // Fails if there is none.
        let _ = fs::remove_file(self.log());
    }
}

/// Debian keeps them out of `PATH`.
fn postgres_programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let programs = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    let mut programs: Vec<PathBuf> = programs.filter(|p| p.join("initdb").exists()).collect();
    programs.sort();
    programs
        .pop()
        .unwrap_or_else(|| panic!("PostgreSQL is missing: run scripts/setup.sh"))
}

/// Sends a signal to a server, and then to the processes of its connections, which may end at any
/// time; a server that is halted begins no new ones.
fn signal_all(signal: &str, server: u32) -> bool {
    let kill = |processes: Vec<u32>| {
        let mut command = Command::new("kill");
        command.arg(signal).stderr(Stdio::null());
        command.args(processes.iter().map(u32::to_string));
        command.status().is_ok_and(|status| status.success())
    };
    let is_there = kill(vec![server]);
    kill(children(server));
    is_there
}

fn children(of: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers
        .filter(|process: &u32| parent(*process) == Some(of))
        .collect()
}

fn parent(process: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
    parent?.trim().parse().ok()
}

fn start(command: &mut Command) -> Child {
    command
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"))
}

fn run(command: &mut Command) {
    let status = start(command).wait().expect("it is our process");
    assert!(status.success(), "{command:?} has ended with {status}");
}
