//! One external command: run, time-limited, killed with its whole group when dropped.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use super::CheckError;

/// The largest part of each output stream that is kept, in bytes; what follows is read, counted
/// and dropped.
pub const MAX_OUTPUT: usize = 4 << 20;

/// How long the output may stay open after the command itself has ended and its group was killed:
/// a process that left the group can hold it for ever.
const DRAIN: Duration = Duration::from_secs(2);

/// The environment variables a command inherits. Everything else (tokens, keys, agents' sockets)
/// is withheld.
pub const KEPT_ENVIRONMENT: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "RUSTFLAGS",
    "RUSTC",
    "CC",
    "CXX",
    "AR",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
    "LIBRARY_PATH",
    "CPATH",
    "PKG_CONFIG_PATH",
    "OPENSSL_DIR",
    "SDKROOT",
    "DEVELOPER_DIR",
    "MACOSX_DEPLOYMENT_TARGET",
    "NIX_LD",
    "NIX_LD_LIBRARY_PATH",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "PYENV_ROOT",
    "PYENV_VERSION",
    "PYTHONPATH",
    "PYTHONHOME",
    // Windows does not start most programs without these.
    "SYSTEMROOT",
    "SYSTEMDRIVE",
    "WINDIR",
    "COMSPEC",
    "PATHEXT",
    "TEMP",
    "TMP",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "PROGRAMFILES(X86)",
];

/// What every command gets set: nothing of ours goes to the network or prints colours.
const SET_ENVIRONMENT: &[(&str, &str)] = &[
    ("CARGO_NET_OFFLINE", "true"),
    ("CARGO_TERM_COLOR", "never"),
    ("CARGO_TERM_PROGRESS_WHEN", "never"),
    ("RUSTUP_AUTO_INSTALL", "0"),
    ("NO_COLOR", "1"),
    ("PIP_NO_INDEX", "1"),
    // A compiler wrapper talks to a server of its own, which the sandbox denies.
    ("RUSTC_WRAPPER", ""),
    ("PYTHONIOENCODING", "utf-8"),
];

/// A command to run, without a shell.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The program: a path, or a name looked up in `PATH`.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Where it runs.
    pub directory: PathBuf,
    /// Environment variables beside the inherited ones.
    pub environment: Vec<(OsString, OsString)>,
    /// When it is ended.
    pub timeout: Duration,
}

impl Invocation {
    /// `program` in `directory`, ended after `timeout`.
    pub fn new(program: impl Into<OsString>, directory: &Path, timeout: Duration) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            directory: directory.to_owned(),
            environment: Vec::new(),
            timeout,
        }
    }

    /// A command line as the user wrote it, run by the system's shell.
    pub fn shell(command: &str, directory: &Path, timeout: Duration) -> Self {
        if cfg!(windows) {
            Self::new("cmd", directory, timeout).args(["/C", command])
        } else {
            Self::new("sh", directory, timeout).args(["-c", command])
        }
    }

    /// Adds one argument.
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// The command as a person would type it; for the shell, the user's own line.
    pub fn display(&self) -> String {
        if let [flag, line] = self.arguments.as_slice()
            && (flag == "-c" || flag == "/C")
            && (self.program == "sh" || self.program == "cmd")
        {
            return line.to_string_lossy().into_owned();
        }
        let mut words = vec![quoted(Path::new(&self.program).file_name().unwrap_or(&self.program))];
        words.extend(self.arguments.iter().map(|argument| quoted(argument)));
        words.join(" ")
    }
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_=/.,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// What a command came to.
#[derive(Debug, Clone, Default)]
pub struct Output {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The first [`MAX_OUTPUT`] bytes of its standard output; bytes that are not UTF-8 replaced.
    pub stdout: String,
    /// The same of its standard error.
    pub stderr: String,
    /// How many bytes of both were dropped.
    pub dropped: u64,
    /// How long it ran.
    pub elapsed: Duration,
}

impl Output {
    /// Whether it ended with exit code 0.
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }

    /// Its exit in words: `exit 101`, `ended by a signal`.
    pub fn exit(&self) -> String {
        self.code.map_or_else(|| "ended by a signal".to_owned(), |code| format!("exit {code}"))
    }

    /// Both streams, standard error first (where build tools talk).
    pub fn text(&self) -> String {
        let mut text = self.stderr.clone();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&self.stdout);
        text
    }
}

/// Runs `invocation` with nothing on its standard input, in a process group of its own that is
/// killed when the command ends, runs out of time, or the future is dropped. An exit code other
/// than 0 is no error. Project code must not come here directly but through
/// [`super::sandbox::run`].
pub async fn run(invocation: &Invocation) -> Result<Output, CheckError> {
    let started = Instant::now();
    let mut child = spawn(invocation)?;
    let group = Group::of(&child);
    let stdout = Capture(tokio::spawn(capture(child.stdout.take())));
    let stderr = Capture(tokio::spawn(capture(child.stderr.take())));
    let Ok(ended) = tokio::time::timeout(invocation.timeout, child.wait()).await else {
        drop(group);
        return Err(CheckError::Timeout {
            command: invocation.display(),
            seconds: invocation.timeout.as_secs(),
        });
    };
    // Whatever it left running goes with it, which also closes the pipes.
    drop(group);
    let status = ended.map_err(|source| CheckError::Io {
        context: format!("waiting for {}", invocation.display()),
        source,
    })?;
    let (stdout, dropped_out) = drained(stdout).await;
    let (stderr, dropped_err) = drained(stderr).await;
    Ok(Output {
        code: status.code(),
        stdout,
        stderr,
        dropped: dropped_out + dropped_err,
        elapsed: started.elapsed(),
    })
}

fn spawn(invocation: &Invocation) -> Result<Child, CheckError> {
    let mut command = Command::new(&invocation.program);
    command
        .args(&invocation.arguments)
        .current_dir(&invocation.directory)
        .env_clear()
        .envs(kept_environment())
        .envs(SET_ENVIRONMENT.iter().copied())
        .envs(invocation.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    command.spawn().map_err(|source| {
        if source.kind() == std::io::ErrorKind::NotFound && invocation.directory.is_dir() {
            missing(&invocation.program)
        } else {
            CheckError::Io { context: format!("starting {}", invocation.display()), source }
        }
    })
}

/// The error for a program that is not there.
pub(super) fn missing(program: &OsStr) -> CheckError {
    CheckError::Missing {
        program: program.to_string_lossy().into_owned(),
        mend: "install it, or put its folder into PATH".to_owned(),
    }
}

/// The inherited part of the environment.
fn kept_environment() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        KEPT_ENVIRONMENT
            .iter()
            .any(|kept| if cfg!(windows) { name.eq_ignore_ascii_case(kept) } else { name == *kept })
    })
}

/// A stream's first bytes and the number of the others.
async fn capture(stream: Option<impl AsyncRead + Unpin>) -> (Vec<u8>, u64) {
    let mut kept = Vec::new();
    let mut dropped = 0;
    let Some(mut stream) = stream else { return (kept, dropped) };
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        let room = MAX_OUTPUT.saturating_sub(kept.len()).min(count);
        kept.extend_from_slice(buffer.get(..room).unwrap_or_default());
        dropped += (count - room) as u64;
    }
    (kept, dropped)
}

/// A stream being read; given up when dropped, since a process that left the group may hold it
/// open for ever.
struct Capture(tokio::task::JoinHandle<(Vec<u8>, u64)>);

impl Drop for Capture {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn drained(mut capture: Capture) -> (String, u64) {
    match tokio::time::timeout(DRAIN, &mut capture.0).await {
        Ok(Ok((bytes, dropped))) => (String::from_utf8_lossy(&bytes).into_owned(), dropped),
        Ok(Err(_)) | Err(_) => (String::new(), 0),
    }
}

/// A process group; killed when dropped.
struct Group {
    #[cfg(unix)]
    leader: Option<nix::unistd::Pid>,
}

impl Group {
    fn of(child: &Child) -> Self {
        #[cfg(not(unix))]
        let _ = child;
        Self {
            #[cfg(unix)]
            leader: child.id().map(|id| nix::unistd::Pid::from_raw(id as i32)),
        }
    }
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.leader {
            // An error means that nothing of the group is left.
            let _ = nix::sys::signal::killpg(leader, nix::sys::signal::Signal::SIGKILL);
        }
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    fn sh(line: &str, seconds: u64) -> Invocation {
        Invocation::shell(line, Path::new("/"), Duration::from_secs(seconds))
    }

    fn alive(pid: &str) -> bool {
        let pid = nix::unistd::Pid::from_raw(pid.trim().parse().unwrap());
        nix::sys::signal::kill(pid, None).is_ok()
    }

    async fn dies(pid: &str) -> bool {
        for _ in 0..100 {
            if !alive(pid) || zombie(pid) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    }

    /// A killed orphan counts as dead though its new parent may not have reaped it yet.
    fn zombie(pid: &str) -> bool {
        std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()))
            .is_ok_and(|stat| stat.contains(") Z "))
    }

    #[tokio::test]
    async fn output_and_exit_code_come_back() {
        let output = run(&sh("echo out; echo err >&2; exit 3", 10)).await.unwrap();
        assert_eq!((output.code, output.success()), (Some(3), false));
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("out\n", "err\n"));
    }

    #[tokio::test]
    async fn a_missing_program_is_named() {
        let error = run(&Invocation::new("no-such-program", Path::new("/"), DRAIN)).await;
        assert_eq!(
            error.unwrap_err().to_string(),
            "no-such-program: not found; install it, or put its folder into PATH"
        );
    }

    #[tokio::test]
    async fn the_environment_is_scrubbed() {
        let output = run(&sh("env", 10)).await.unwrap();
        assert!(output.stdout.contains("CARGO_NET_OFFLINE=true"));
        for line in output.stdout.lines() {
            let name = line.split('=').next().unwrap();
            assert!(
                KEPT_ENVIRONMENT.contains(&name)
                    || SET_ENVIRONMENT.iter().any(|(set, _)| *set == name)
                    // Set by the shell itself.
                    || ["PWD", "OLDPWD", "SHLVL", "_"].contains(&name),
                "{name} was inherited"
            );
        }
    }

    #[tokio::test]
    async fn output_beyond_the_limit_is_dropped_and_counted() {
        let output = run(&sh("head -c 6000000 /dev/zero | tr '\\0' x", 30)).await.unwrap();
        assert_eq!(output.stdout.len(), MAX_OUTPUT);
        assert_eq!(output.dropped, 6_000_000 - MAX_OUTPUT as u64);
    }

    #[tokio::test]
    async fn a_timeout_ends_the_whole_group() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let line = format!("sleep 60 & echo $! > {}; wait", file.display());
        let error = run(&sh(&line, 1)).await.unwrap_err();
        assert!(matches!(error, CheckError::Timeout { seconds: 1, .. }), "{error}");
        assert!(dies(&std::fs::read_to_string(&file).unwrap()).await);
    }

    #[tokio::test]
    async fn dropping_the_future_ends_the_whole_group() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let line = format!("sleep 60 & echo $! > {}; wait", file.display());
        let invocation = sh(&line, 60);
        let running = tokio::spawn(async move { run(&invocation).await });
        while !std::fs::read_to_string(&file).is_ok_and(|pid| pid.ends_with('\n')) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        running.abort();
        assert!(dies(&std::fs::read_to_string(&file).unwrap()).await);
    }

    #[tokio::test]
    async fn a_background_process_does_not_hold_the_answer() {
        let started = Instant::now();
        let output = run(&sh("sleep 60 & echo done", 50)).await.unwrap();
        assert_eq!(output.stdout, "done\n");
        assert!(started.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn commands_are_shown_as_typed() {
        let invocation = Invocation::new("/usr/bin/cargo", Path::new("/"), DRAIN);
        assert_eq!(invocation.args(["check", "a b"]).display(), "cargo check 'a b'");
        assert_eq!(sh("make test | cat", 1).display(), "make test | cat");
    }
}
