//! Keeps the daemon's process from what it has no use for, in every mode: other files, other hosts, other programs.
//!
//! The service's unit does the same with namespaces, where users may create them. This needs none: Landlock decides about
//! files, and a filter of system calls about the rest. Both hold for threads that are started afterwards.

use std::path::PathBuf;

/// What the system enforces from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Enforced {
    /// `full`, `partial` if the kernel is older, or `none`.
    pub(super) landlock: &'static str,
    /// Whether system calls are filtered.
    pub(super) seccomp: bool,
}

/// Restricts this process, as far as the system can: it writes only below the folders `own`, which exist, reads besides
/// only what the system's libraries need, runs no program, and opens no socket but Unix ones. What is open already stays.
/// Call this while the process has one thread.
pub(super) fn enter(own: &[PathBuf]) -> Enforced {
    Enforced { landlock: imp::restrict_files(own).unwrap_or("none"), seccomp: imp::filter_calls() }
}

/// What the libraries of the system read at run time: names of users and hosts, time zones, locales.
const READ: [&str; 6] = ["/etc", "/usr", "/lib", "/lib64", "/nix/store", "/dev/urandom"];

/// Takes the place of the standard streams of a daemon that detaches.
const NULL: &str = "/dev/null";

#[cfg(target_os = "linux")]
mod imp {
    use landlock::{
        ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
        RulesetStatus, Scope, path_beneath_rules,
    };

    use super::{NULL, PathBuf, READ};

    /// The newest version of Landlock that is asked for. Of an older kernel, what it knows is enforced.
    const ABI_ASKED_FOR: ABI = ABI::V6;

    pub(super) fn restrict_files(own: &[PathBuf]) -> Result<&'static str, RulesetError> {
        let all = AccessFs::from_all(ABI_ASKED_FOR);
        let read = AccessFs::ReadFile | AccessFs::ReadDir;
        let status = Ruleset::default()
            .handle_access(all)?
            // No port may be opened and no host called: nothing below allows it.
            .handle_access(AccessNet::from_all(ABI_ASKED_FOR))?
            .scope(Scope::Signal)?
            .create()?
            .add_rules(path_beneath_rules(own, all & !AccessFs::Execute))?
            .add_rules(path_beneath_rules(READ, read))?
            .add_rules(path_beneath_rules([NULL], AccessFs::ReadFile | AccessFs::WriteFile))?
            .restrict_self()?;
        Ok(match status.ruleset {
            RulesetStatus::FullyEnforced => "full",
            RulesetStatus::PartiallyEnforced => "partial",
            RulesetStatus::NotEnforced => "none",
        })
    }

    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))]
    pub(super) fn filter_calls() -> bool {
        filter::program().is_ok_and(|program| seccompiler::apply_filter(&program).is_ok())
    }

    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
    pub(super) fn filter_calls() -> bool {
        false
    }

    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))]
    mod filter {
        use std::collections::BTreeMap;

        use seccompiler::{
            BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp,
            SeccompCondition, SeccompFilter, SeccompRule,
        };

        /// Calls that a daemon has no use for, and that would lead out of what the rest forbids: running programs, looking
        /// into other processes, namespaces and mounts, the kernel itself, and a way to make other calls unseen.
        const FORBIDDEN: &[i64] = &[
            libc::SYS_execve,
            libc::SYS_execveat,
            libc::SYS_ptrace,
            libc::SYS_process_vm_readv,
            libc::SYS_process_vm_writev,
            libc::SYS_pidfd_getfd,
            libc::SYS_kcmp,
            libc::SYS_unshare,
            libc::SYS_setns,
            libc::SYS_mount,
            libc::SYS_umount2,
            libc::SYS_pivot_root,
            libc::SYS_chroot,
            libc::SYS_open_tree,
            libc::SYS_move_mount,
            libc::SYS_fsopen,
            libc::SYS_fsconfig,
            libc::SYS_fsmount,
            libc::SYS_fspick,
            libc::SYS_mount_setattr,
            libc::SYS_open_by_handle_at,
            libc::SYS_bpf,
            libc::SYS_perf_event_open,
            libc::SYS_userfaultfd,
            libc::SYS_io_uring_setup,
            libc::SYS_io_uring_enter,
            libc::SYS_io_uring_register,
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
            libc::SYS_settimeofday,
            libc::SYS_clock_settime,
            libc::SYS_acct,
            libc::SYS_quotactl,
            libc::SYS_syslog,
            libc::SYS_personality,
        ];

        pub(super) fn program() -> Result<BpfProgram, BackendError> {
            let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
                FORBIDDEN.iter().map(|call| (*call, vec![])).collect();
            let family = libc::AF_UNIX as u64;
            let is_other =
                SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, family)?;
            rules.insert(libc::SYS_socket, vec![SeccompRule::new(vec![is_other])?]);
            // Refused as what a process may not do, which every caller has to expect.
            let refused = SeccompAction::Errno(libc::EPERM as u32);
            let arch = std::env::consts::ARCH.try_into()?;
            SeccompFilter::new(rules, SeccompAction::Allow, refused, arch)?.try_into()
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use super::PathBuf;

    pub(super) fn restrict_files(_own: &[PathBuf]) -> Result<&'static str, ()> {
        Ok("none")
    }

    pub(super) fn filter_calls() -> bool {
        false
    }
}
