//! Landlock and seccomp: what a sandboxed process on Linux may do.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, LandlockStatus, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, Scope,
};
use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

use super::{Enforcement, SECRET_FOLDERS};

/// The newest rules asked for; older kernels enforce fewer and the result says which are missing.
const WANTED: ABI = ABI::V6;

/// Device files that everything writes to; not the terminal, which would take escape sequences.
const DEVICES: &[&str] = &["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// Requests of `ioctl` that type into a terminal as if the user did, for which it need only be
/// readable: `TIOCSTI` and `TIOCLINUX`, whose types differ between C libraries.
const TYPING: [u64; 2] = [0x5412, 0x541c];

/// Restricts this thread and everything it starts.
pub(super) fn restrict(writable: &[PathBuf]) -> Result<Enforcement, String> {
    let files = restrict_files(writable).map_err(|error| format!("Landlock: {error}"))?;
    let calls = restrict_calls();
    Ok(match (files, calls) {
        (None, Ok(())) => Enforcement::Full,
        (Some(missing), Ok(())) | (None, Err(missing)) => Enforcement::Partial(missing),
        (Some(files), Err(calls)) => Enforcement::Partial(format!("{files}; {calls}")),
    })
}

/// Sets up Landlock; `Some` says in words what this kernel cannot enforce.
fn restrict_files(writable: &[PathBuf]) -> Result<Option<String>, landlock::RulesetError> {
    let read = AccessFs::from_read(WANTED);
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(WANTED))?
        .handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp)?
        .scope(Scope::AbstractUnixSocket | Scope::Signal)?
        .create()?;
    let denied = secrets();
    ruleset = allow_reading(ruleset, Path::new("/"), &denied, read)?;
    for folder in writable {
        ruleset = allow(ruleset, folder, AccessFs::from_all(WANTED))?;
    }
    for device in DEVICES {
        ruleset = allow(ruleset, Path::new(device), AccessFs::ReadFile | AccessFs::WriteFile)?;
    }
    let status = ruleset.restrict_self()?;
    let LandlockStatus::Available { effective_abi, .. } = status.landlock else {
        return Ok(Some(
            "this kernel has no Landlock, so files outside the scratch tree can be written"
                .to_owned(),
        ));
    };
    let missing = [
        (ABI::V3, "truncating files outside the scratch tree"),
        (ABI::V5, "device controls"),
        (ABI::V6, "signals to other processes"),
    ];
    let missing: Vec<&str> =
        missing.iter().filter(|(abi, _)| effective_abi < *abi).map(|(_, what)| *what).collect();
    Ok((!missing.is_empty())
        .then(|| format!("this kernel's Landlock does not stop {}", missing.join(", "))))
}

/// Existing secrets, with links resolved.
fn secrets() -> Vec<PathBuf> {
    let Some(home) = std::env::home_dir() else { return Vec::new() };
    let mut secrets: Vec<PathBuf> =
        SECRET_FOLDERS.iter().filter_map(|name| home.join(name).canonicalize().ok()).collect();
    if let Some(cargo) = std::env::var_os("CARGO_HOME") {
        let credentials = ["credentials", "credentials.toml"];
        secrets.extend(
            credentials.iter().filter_map(|name| Path::new(&cargo).join(name).canonicalize().ok()),
        );
    }
    secrets
}

/// Allows reading under `folder` but not under `denied`. Landlock rules only add, so a folder with
/// a secret in it is allowed entry by entry (and cannot be listed itself).
fn allow_reading(
    mut ruleset: RulesetCreated,
    folder: &Path,
    denied: &[PathBuf],
    read: BitFlags<AccessFs>,
) -> Result<RulesetCreated, landlock::RulesetError> {
    if !denied.iter().any(|secret| secret.starts_with(folder)) {
        return allow(ruleset, folder, read);
    }
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(ruleset) };
    for entry in entries.flatten() {
        let path = entry.path();
        // A link's target has a rule of its own; what is denied has none.
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        if !is_link && !denied.contains(&path) {
            ruleset = allow_reading(ruleset, &path, denied, read)?;
        }
    }
    Ok(ruleset)
}

/// Allows `access` under `path`, as far as it applies there; a path that is gone needs no rule.
fn allow(
    ruleset: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, landlock::RulesetError> {
    let Ok(descriptor) = PathFd::new(path) else { return Ok(ruleset) };
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(WANTED) };
    if access.is_empty() {
        return Ok(ruleset);
    }
    ruleset.add_rule(PathBeneath::new(descriptor, access))
}

/// Installs the system call filter; an error says in words what is not enforced.
fn restrict_calls() -> Result<(), String> {
    let missing = |error: &dyn std::fmt::Display| {
        format!("no system call filter, so no network rule: {error}")
    };
    let architecture =
        TargetArch::try_from(std::env::consts::ARCH).map_err(|error| missing(&error))?;
    let mut rules: BTreeMap<_, _> = denied_calls().into_iter().map(|call| (call, vec![])).collect();
    let typing: Result<Vec<_>, _> = TYPING
        .into_iter()
        // The kernel looks at the lower 32 bits only.
        .map(|request| SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, request))
        .map(|condition| condition.and_then(|condition| SeccompRule::new(vec![condition])))
        .collect();
    rules.insert(libc::SYS_ioctl, typing.map_err(|error| missing(&error))?);
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM as u32),
        architecture,
    )
    .map_err(|error| missing(&error))?;
    let program = BpfProgram::try_from(filter).map_err(|error| missing(&error))?;
    seccompiler::apply_filter(&program).map_err(|error| missing(&error))
}

/// System calls that fail with EPERM. `socket` of every family: a local socket reaches services
/// (containers, buses, key agents) that act outside the sandbox; `socketpair` stays.
fn denied_calls() -> Vec<i64> {
    let calls = [
        libc::SYS_socket,
        libc::SYS_io_uring_setup,
        libc::SYS_io_uring_enter,
        libc::SYS_io_uring_register,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_pidfd_getfd,
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_userfaultfd,
        libc::SYS_open_by_handle_at,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_move_mount,
        libc::SYS_fsopen,
        libc::SYS_pivot_root,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_keyctl,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_delete_module,
        libc::SYS_kexec_load,
        libc::SYS_reboot,
        libc::SYS_swapon,
        libc::SYS_swapoff,
    ];
    // The x32 numbering of x86-64 reaches the same calls under other numbers.
    let x32 = calls.iter().map(|call| call | 0x4000_0000);
    let x32 = x32.filter(|_| cfg!(target_arch = "x86_64"));
    calls.iter().copied().chain(x32).collect()
}
