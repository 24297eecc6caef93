//! Ends with the process that started us, even when it left our input open.

/// Ends this program once process `id` is gone, after `last`. Where processes cannot be asked about, the end of
/// standard input has to do.
#[cfg(unix)]
pub(super) fn watch(id: i64, last: impl FnOnce() + Send + 'static) {
    use nix::errno::Errno;
    use nix::sys::signal::kill;
    use nix::unistd::{Pid, getppid};

    let Some(pid) = i32::try_from(id).ok().filter(|id| *id > 0).map(Pid::from_raw) else { return };
    // A number may be given to a new process; a parent's cannot while we are its child.
    let is_parent = getppid() == pid;
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(std::time::Duration::from_secs(2)).await;
            let gone =
                if is_parent { getppid() != pid } else { kill(pid, None) == Err(Errno::ESRCH) };
            if gone {
                tracing::info!("process {id} is gone");
                last();
                // Lets other threads drop what was cancelled, which ends its processes.
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                std::process::exit(1);
            }
        }
    });
}

/// Processes cannot be asked about here; the end of standard input has to do.
#[cfg(not(unix))]
pub(super) fn watch(_id: i64, _last: impl FnOnce() + Send + 'static) {}
