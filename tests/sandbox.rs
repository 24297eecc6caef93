//! The sandbox really denies what it says it denies, and says how far it went.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a broken test setup may panic; what is skipped is said"
)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use agent::check::command::{Invocation, Output};
use agent::check::sandbox::{self, Enforcement};
use agent::check::{CheckError, Settings};

fn settings() -> Settings {
    Settings {
        agent: env!("CARGO_BIN_EXE_agent").into(),
        python: None,
        timeout: Duration::from_secs(30),
        cache: PathBuf::from("/nonexistent"),
        trusted: true,
    }
}

async fn python(script: &str, writable: &Path) -> (Output, Enforcement) {
    let invocation =
        Invocation::new("python3", writable, Duration::from_secs(30)).args(["-I", "-c", script]);
    sandbox::run(&settings(), &invocation, &[writable.to_owned()]).await.unwrap()
}

/// Whether this kernel can do all of it; elsewhere the tests below would prove nothing.
async fn full() -> bool {
    let folder = tempfile::tempdir().unwrap();
    let (_, enforcement) = python("pass", folder.path()).await;
    if enforcement != Enforcement::Full {
        println!("skipped: sandbox {enforcement}");
    }
    enforcement == Enforcement::Full
}

#[tokio::test]
async fn every_kind_of_socket_is_denied() {
    if !full().await {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for family in ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"] {
        let script = format!("import socket; socket.socket(socket.{family}, socket.SOCK_DGRAM)");
        let (output, _) = python(&script, folder.path()).await;
        assert!(!output.success(), "{family} was allowed");
        assert!(output.stderr.contains("PermissionError"), "{family}: {}", output.stderr);
    }
    let (output, _) = python("import socket; socket.socketpair()", folder.path()).await;
    assert!(output.success(), "{}", output.stderr);
}

#[tokio::test]
async fn writing_is_allowed_inside_and_denied_outside() {
    if !full().await {
        return;
    }
    let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let victim = outside.path().join("victim");
    std::fs::write(&victim, "intact").unwrap();
    let (output, _) = python("open('mine', 'w').write('x')", inside.path()).await;
    assert!(output.success(), "{}", output.stderr);
    assert_eq!(std::fs::read_to_string(inside.path().join("mine")).unwrap(), "x");
    for attempt in [
        format!("open({victim:?}, 'w')"),
        format!("open({victim:?}, 'a').write('x')"),
        format!("import os; os.truncate({victim:?}, 0)"),
        format!("import os; os.unlink({victim:?})"),
        format!("import os; os.rename({victim:?}, 'moved')"),
        format!("import os; os.link({victim:?}, 'linked'); open('linked', 'a').write('x')"),
        format!("import os; os.symlink({victim:?}, 'link'); open('link', 'a').write('x')"),
        format!("open({:?} + '/new', 'w')", outside.path()),
        "import subprocess; subprocess.run(['sh', '-c', 'echo x > /tmp/escaped'], check=True)"
            .to_owned(),
    ] {
        let (output, _) = python(&attempt, inside.path()).await;
        assert!(!output.success(), "{attempt} went through");
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "intact", "{attempt}");
    }
}

#[tokio::test]
async fn nothing_is_typed_into_or_printed_on_the_users_terminal() {
    if !full().await {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // A terminal of the process's own, so that only the sandbox can say no.
    let script = "import errno, fcntl, os, termios\n\
                  try: fcntl.ioctl(os.open('/dev/null', os.O_RDONLY), termios.TIOCSTI, b'x')\n\
                  except OSError as error: print(errno.errorcode[error.errno])\n\
                  try: open('/dev/tty', 'w')\n\
                  except OSError as error: print(errno.errorcode[error.errno])\n";
    let (output, _) = python(script, folder.path()).await;
    assert_eq!(output.stdout, "EPERM\nEACCES\n", "{}", output.stderr);
}

#[tokio::test]
async fn signals_do_not_leave_the_sandbox() {
    if !full().await {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = format!("import os; os.kill({}, 0)", std::process::id());
    let (output, _) = python(&script, folder.path()).await;
    assert!(output.stderr.contains("PermissionError"), "{}", output.stderr);
}

#[tokio::test]
async fn the_report_cannot_be_forged() {
    let folder = tempfile::tempdir().unwrap();
    // The command sees neither the report's path nor an open descriptor of it.
    let script = "import os; print(open('/proc/self/cmdline').read()); \
                  print([os.readlink(f.path) for f in os.scandir('/proc/self/fd') \
                  if os.path.lexists(f.path)])";
    let (output, _) = python(script, folder.path()).await;
    assert!(output.success(), "{}", output.stderr);
    assert!(!output.stdout.contains("agent-sandbox-"), "{}", output.stdout);
}

#[tokio::test]
async fn exit_codes_and_missing_programs_come_through() {
    let folder = tempfile::tempdir().unwrap();
    let (output, _) = python("raise SystemExit(7)", folder.path()).await;
    assert_eq!(output.code, Some(7));
    let invocation = Invocation::new("no-such-program", folder.path(), Duration::from_secs(5));
    let error = sandbox::run(&settings(), &invocation, &[]).await.unwrap_err();
    assert!(matches!(&error, CheckError::Missing { program, .. } if program == "no-such-program"));
}

#[tokio::test]
async fn a_program_that_is_no_sandbox_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { agent: "/bin/true".into(), ..settings() };
    let invocation = Invocation::new("true", folder.path(), Duration::from_secs(5));
    let error = sandbox::run(&settings, &invocation, &[]).await.unwrap_err();
    assert!(error.to_string().contains("did not start as a sandbox"), "{error}");
}

#[tokio::test]
async fn a_timeout_names_the_command_itself() {
    let folder = tempfile::tempdir().unwrap();
    let invocation = Invocation::new("sleep", folder.path(), Duration::from_secs(1)).arg("60");
    let error = sandbox::run(&settings(), &invocation, &[]).await.unwrap_err();
    assert!(error.to_string().starts_with("sleep 60: ended after 1 s"), "{error}");
}
