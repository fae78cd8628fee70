use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// A file system with little room, at a path that leads to it in a mount namespace of its own. It is
/// gone with the processes in there.
pub(crate) struct Disk {
    /// Keeps the namespace while no server runs.
    holder: Child,
    /// The way to the file system from outside.
    path: PathBuf,
}

impl Disk {
    /// A disk of so many mebibytes, in place of the directory.
    pub(crate) fn mount(directory: &Path, mebibytes: u32) -> Self {
        let mut unshare = Command::new("unshare");
        unshare.arg("--mount");
        if !is_root() {
            // Root of a user namespace may mount, too.
            unshare.args(["--user", "--map-root-user"]);
        }
        let mount =
            "mount -t tmpfs -o \"mode=1777,size=$1m\" tmpfs \"$2\" && echo mounted && exec cat";
        unshare.args(["--", "sh", "-c", mount, "sh", &mebibytes.to_string()]);
        let mut holder = unshare
            .arg(directory)
            // It ends with this process, however that ends.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("unshare does not start: {error}"));
        let mut said = String::new();
        let stdout = holder.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut said).unwrap();
        if said != "mounted\n" {
            let mut stderr = holder.stderr.take().expect("it is piped");
            stderr.read_to_string(&mut said).unwrap();
            let _ = holder.wait();
            panic!(
                "no disk can be filled here: this needs root with CAP_SYS_ADMIN, or a system that \
                 lets users make user namespaces: {said}"
            );
        }
        let directory = directory.strip_prefix("/").expect("it is absolute");
        let path = Path::new("/proc")
            .join(holder.id().to_string())
            .join("root");
        Self {
            path: path.join(directory),
            holder,
        }
    }

    /// A program to which the directory is the disk, as the user who runs the tests. It becomes the
    /// process itself, so that signals reach it.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.holder.id().to_string(), "--mount"]);
        if !is_root() {
            let (user, group) = own_ids();
            command.args(["--user", "--preserve-credentials", "--"]);
            // Not as root of the namespace, which PostgreSQL refuses to be.
            command.args(["unshare", "--user"]);
            command.args([format!("--map-user={user}"), format!("--map-group={group}")]);
        }
        command.arg("--").arg(program);
        command
    }

    /// Takes all room but so many bytes.
    pub(crate) fn fill_but(&self, left: u64) {
        let mut filler = File::options()
            .create(true)
            .append(true)
            .open(self.filler())
            .unwrap();
        let error = loop {
            if let Err(error) = filler.write(&[0; 4096]) {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
        let taken = filler.metadata().unwrap().len();
        filler.set_len(taken.checked_sub(left).unwrap()).unwrap();
    }

    /// Gives the room back.
    pub(crate) fn make_room(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.path.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

pub(crate) fn is_root() -> bool {
    own_ids().0 == 0
}

fn own_ids() -> (u32, u32) {
    let process = fs::metadata("/proc/self").expect("/proc is mounted");
    (process.uid(), process.gid())
}
