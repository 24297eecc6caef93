//! Every process that executes project code runs here: no network, writes only in the scratch
//! tree, limits on memory, processes and file sizes. Says so when it cannot.
//!
//! The program runs itself again as `agent __sandbox --report FILE --write DIR… -- COMMAND`,
//! restricts itself, says in FILE how far that went, and becomes the command. On Linux: Landlock
//! for files (everything readable but the folders of [`SECRET_FOLDERS`], writing only where
//! allowed), signals and TCP; seccomp against sockets of any kind and system calls that could
//! undo the rest. On macOS: `sandbox-exec`. Elsewhere: nothing, and the result says so.

mod enter;
#[cfg(target_os = "linux")]
mod linux;

use std::ffi::OsString;
use std::path::PathBuf;

use super::command::{self, Invocation, Output};
use super::{CheckError, Settings};

pub use enter::run_if_requested;

/// The hidden subcommand.
const SUBCOMMAND: &str = "__sandbox";

/// Folders and files under the home folder that sandboxed processes cannot read.
pub const SECRET_FOLDERS: &[&str] = &[
    ".ssh",
    ".gnupg",
    ".aws",
    ".azure",
    ".kube",
    ".docker",
    ".netrc",
    ".pypirc",
    ".npmrc",
    ".git-credentials",
    ".password-store",
    ".mozilla",
    ".thunderbird",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".config/gcloud",
    ".config/gh",
    ".config/git/credentials",
    ".config/google-chrome",
    ".config/chromium",
    ".local/share/keyrings",
    ".cache/huggingface/token",
];

/// How far the sandbox held for one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enforcement {
    /// Everything described above.
    Full,
    /// Some of it; what is missing, in words.
    Partial(String),
    /// Nothing; why.
    None(String),
}

impl Enforcement {
    /// The weaker of two.
    pub fn and(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::None(_), _) | (Self::Partial(_), Self::Full | Self::Partial(_)) => self,
            (_, Self::None(_) | Self::Partial(_)) | (Self::Full, Self::Full) => other,
        }
    }
}

impl std::fmt::Display for Enforcement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Full => f.write_str("full"),
            Self::Partial(missing) => write!(f, "partial: {missing}"),
            Self::None(reason) => write!(f, "none: {reason}"),
        }
    }
}

/// Runs `invocation`, which may execute project code, with writing allowed in `writable` only
/// (existing folders). Refuses when the workspace is not trusted.
pub async fn run(
    settings: &Settings,
    invocation: &Invocation,
    writable: &[PathBuf],
) -> Result<(Output, Enforcement), CheckError> {
    if !settings.trusted {
        return Err(CheckError::Untrusted { path: invocation.directory.clone() });
    }
    // Outside every writable folder: the command cannot forge it.
    let report = tempfile::Builder::new()
        .prefix("agent-sandbox-")
        .tempfile()
        .map_err(|source| CheckError::Io { context: "sandbox report".to_owned(), source })?;
    let mut wrapped = invocation.clone();
    wrapped.program = settings.agent.clone().into_os_string();
    wrapped.arguments = arguments(invocation, writable, report.path().into());
    let output = match command::run(&wrapped).await {
        Err(CheckError::Timeout { seconds, .. }) => {
            return Err(CheckError::Timeout { command: invocation.display(), seconds });
        }
        other => other?,
    };
    let said = std::fs::read_to_string(report.path())
        .map_err(|source| CheckError::Io { context: "sandbox report".to_owned(), source })?;
    match enter::Said::parse(&said) {
        Some(enter::Said::Entered(enforcement)) => Ok((output, enforcement)),
        Some(enter::Said::NotFound) => Err(command::missing(&invocation.program)),
        Some(enter::Said::Failed(message)) => {
            Err(CheckError::Tool { tool: "sandbox".to_owned(), message })
        }
        None => Err(CheckError::Tool {
            tool: "sandbox".to_owned(),
            message: format!(
                "{} did not start as a sandbox ({}): {}",
                settings.agent.display(),
                output.exit(),
                output.stderr.lines().next().unwrap_or("it said nothing")
            ),
        }),
    }
}

fn arguments(invocation: &Invocation, writable: &[PathBuf], report: OsString) -> Vec<OsString> {
    let mut arguments = vec![OsString::from(SUBCOMMAND), "--report".into(), report];
    for folder in writable {
        arguments.push("--write".into());
        arguments.push(folder.into());
    }
    arguments.push("--".into());
    arguments.push(invocation.program.clone());
    arguments.extend(invocation.arguments.iter().cloned());
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weaker_enforcement_wins() {
        let partial = || Enforcement::Partial("no network rule".to_owned());
        let none = || Enforcement::None("not Linux".to_owned());
        assert_eq!(Enforcement::Full.and(partial()), partial());
        assert_eq!(partial().and(Enforcement::Full), partial());
        assert_eq!(partial().and(none()), none());
        assert_eq!(Enforcement::Full.and(Enforcement::Full), Enforcement::Full);
    }

    #[tokio::test]
    async fn nothing_runs_in_an_untrusted_workspace() {
        let settings = Settings {
            agent: "agent".into(),
            python: None,
            timeout: std::time::Duration::from_secs(1),
            cache: "cache".into(),
            trusted: false,
        };
        let invocation = Invocation::new("true", std::path::Path::new("/"), settings.timeout);
        let error = run(&settings, &invocation, &[]).await.unwrap_err();
        assert!(matches!(error, CheckError::Untrusted { .. }), "{error}");
    }
}
