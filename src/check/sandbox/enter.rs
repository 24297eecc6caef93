//! The inside of `agent __sandbox`: restrict this process, then become the command.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use super::{Enforcement, SUBCOMMAND};

/// Runs the sandbox when `arguments` (of the process, program name first) ask for it. Comes back
/// with an exit code when the command could not be started, never when it could (on Unix).
pub fn run_if_requested(arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut arguments = arguments.into_iter().skip(1);
    if arguments.next()? != SUBCOMMAND {
        return None;
    }
    Some(match Request::parse(arguments) {
        Some(request) => request.run(),
        // Nobody types this; the parent reports the missing report.
        None => ExitCode::from(2),
    })
}

struct Request {
    report: PathBuf,
    writable: Vec<PathBuf>,
    program: OsString,
    arguments: Vec<OsString>,
}

impl Request {
    fn parse(mut arguments: impl Iterator<Item = OsString>) -> Option<Self> {
        let mut report = None;
        let mut writable = Vec::new();
        loop {
            let argument = arguments.next()?;
            if argument == "--report" {
                report = Some(arguments.next()?.into());
            } else if argument == "--write" {
                writable.push(arguments.next()?.into());
            } else if argument == "--" {
                let program = arguments.next()?;
                return Some(Self {
                    report: report?,
                    writable,
                    program,
                    arguments: arguments.collect(),
                });
            } else {
                return None;
            }
        }
    }

    fn run(self) -> ExitCode {
        // Opened before the restrictions and closed by exec: the command never holds it.
        let Ok(mut report) = std::fs::OpenOptions::new().append(true).open(&self.report) else {
            return ExitCode::from(2);
        };
        let enforcement = match restrict(&self.writable) {
            Ok(enforcement) => enforcement,
            Err(message) => {
                say(&mut report, &Said::Failed(message));
                return ExitCode::from(2);
            }
        };
        say(&mut report, &Said::Entered(enforcement));
        let error = replace_process(&self.program, &self.arguments, &self.writable);
        if error.kind() == std::io::ErrorKind::NotFound {
            say(&mut report, &Said::NotFound);
            return ExitCode::from(127);
        }
        let program = self.program.to_string_lossy();
        say(&mut report, &Said::Failed(format!("{program} could not be started: {error}")));
        ExitCode::from(126)
    }
}

/// What the sandbox wrote into its report; the last line counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// The restrictions stand and the command was started.
    Entered(Enforcement),
    /// There is no such program.
    NotFound,
    /// The sandbox could not be set up.
    Failed(String),
}

impl Said {
    pub(super) fn parse(report: &str) -> Option<Self> {
        let line = report.lines().last()?;
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        Some(match word {
            "full" => Self::Entered(Enforcement::Full),
            "partial" => Self::Entered(Enforcement::Partial(rest.to_owned())),
            "none" => Self::Entered(Enforcement::None(rest.to_owned())),
            "missing" => Self::NotFound,
            "failed" => Self::Failed(rest.to_owned()),
            _ => return None,
        })
    }

    fn line(&self) -> String {
        let (word, rest) = match self {
            Self::Entered(Enforcement::Full) => ("full", ""),
            Self::Entered(Enforcement::Partial(missing)) => ("partial", missing.as_str()),
            Self::Entered(Enforcement::None(reason)) => ("none", reason.as_str()),
            Self::NotFound => ("missing", ""),
            Self::Failed(message) => ("failed", message.as_str()),
        };
        format!("{word} {}\n", rest.replace('\n', " "))
    }
}

fn say(report: &mut std::fs::File, said: &Said) {
    // A report that cannot be written is an empty one, which the parent takes as a failure.
    let _ = report.write_all(said.line().as_bytes());
}

#[cfg(target_os = "linux")]
fn restrict(writable: &[PathBuf]) -> Result<Enforcement, String> {
    limits()?;
    super::linux::restrict(writable)
}

#[cfg(target_os = "macos")]
fn restrict(_writable: &[PathBuf]) -> Result<Enforcement, String> {
    limits()?;
    if std::path::Path::new(SANDBOX_EXEC).exists() {
        Ok(Enforcement::Full)
    } else {
        Ok(Enforcement::None(format!("{SANDBOX_EXEC} is not there")))
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn restrict(_writable: &[PathBuf]) -> Result<Enforcement, String> {
    #[cfg(unix)]
    limits()?;
    Ok(Enforcement::None("this system has no sandbox that this program knows".to_owned()))
}

/// Caps what one process may use: no core dumps, files of 4 GiB, 16 GiB of data, and enough
/// processes for a build but not for a fork bomb.
#[cfg(unix)]
fn limits() -> Result<(), String> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    const GIB: u64 = 1 << 30;
    let limits = [
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_FSIZE, 4 * GIB),
        // Not the address space: garbage-collected runtimes reserve far more than they use.
        (Resource::RLIMIT_DATA, 16 * GIB),
        #[cfg(any(target_os = "linux", target_os = "macos"))]
        (Resource::RLIMIT_NPROC, 16384),
    ];
    for (resource, limit) in limits {
        let hard = getrlimit(resource).map_or(limit, |(_, hard)| hard.min(limit));
        setrlimit(resource, hard, hard).map_err(|error| format!("{resource:?}: {error}"))?;
    }
    Ok(())
}

/// Becomes the command; comes back only with the reason why not.
#[cfg(all(unix, not(target_os = "macos")))]
fn replace_process(program: &OsStr, arguments: &[OsString], _: &[PathBuf]) -> std::io::Error {
    use std::os::unix::process::CommandExt;
    std::process::Command::new(program).args(arguments).exec()
}

#[cfg(target_os = "macos")]
const SANDBOX_EXEC: &str = "/usr/bin/sandbox-exec";

#[cfg(target_os = "macos")]
fn replace_process(
    program: &OsStr,
    arguments: &[OsString],
    writable: &[PathBuf],
) -> std::io::Error {
    use std::os::unix::process::CommandExt;
    if !std::path::Path::new(SANDBOX_EXEC).exists() {
        return std::process::Command::new(program).args(arguments).exec();
    }
    std::process::Command::new(SANDBOX_EXEC)
        .arg("-p")
        .arg(macos_profile(writable))
        .arg(program)
        .args(arguments)
        .exec()
}

/// A profile for `sandbox-exec`: everything but the network, writing elsewhere and secrets.
#[cfg(any(target_os = "macos", test))]
fn macos_profile(writable: &[PathBuf]) -> String {
    use std::fmt::Write as _;
    let quoted = |path: &std::path::Path| {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        format!("\"{}\"", path.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\""))
    };
    let mut profile = "(version 1)(allow default)(deny network*)(deny file-write*)\
        (allow file-write* (literal \"/dev/null\") (literal \"/dev/zero\"))"
        .to_owned();
    for folder in writable {
        let _ = write!(profile, "(allow file-write* (subpath {}))", quoted(folder));
    }
    if let Some(home) = std::env::home_dir() {
        for secret in super::SECRET_FOLDERS {
            let _ = write!(profile, "(deny file-read* (subpath {}))", quoted(&home.join(secret)));
        }
    }
    profile
}

#[cfg(not(unix))]
fn replace_process(program: &OsStr, arguments: &[OsString], _: &[PathBuf]) -> std::io::Error {
    match std::process::Command::new(program).args(arguments).status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_read_back() {
        for said in [
            Said::Entered(Enforcement::Full),
            Said::Entered(Enforcement::Partial("no rule for signals".to_owned())),
            Said::Entered(Enforcement::None("not Linux".to_owned())),
            Said::Failed("RLIMIT_CORE: no".to_owned()),
        ] {
            assert_eq!(Said::parse(&said.line()), Some(said));
        }
        assert_eq!(Said::parse("full \nmissing \n"), Some(Said::NotFound));
        assert_eq!(Said::parse(""), None);
    }

    #[test]
    fn other_subcommands_are_left_alone() {
        assert!(run_if_requested(["agent", "doctor"].map(OsString::from)).is_none());
        assert!(run_if_requested(["agent"].map(OsString::from)).is_none());
    }

    #[test]
    fn the_macos_profile_names_what_may_be_written() {
        let profile = macos_profile(&[PathBuf::from("/no such/\"folder\"")]);
        assert!(profile.contains(r#"(allow file-write* (subpath "/no such/\"folder\""))"#));
        assert!(profile.contains("(deny network*)"));
    }
}
