// Whether somebody has judged each call that the kernel of the build machine has, by its headers: it
// is in the list of denied calls, or here among those that a TPM, or the runtime below it, may make.
// A call that is in neither fails here. Then add it to one of them, and raise NEWEST_CALL.

import assert from "node:assert/strict";
import {
  type Architecture,
  DENIED_PRCTL,
  deniedCalls,
  NEWEST_CALL,
  NEWEST_PRCTL,
} from "../../sandbox/denied_calls.ts";

/** Calls that stay allowed, by what they have in common. */
const ALLOWED: Readonly<Record<string, string>> = {
  "files that the user may open": `
    read write open close stat fstat lstat lseek pread64 pwrite64 readv writev access getdents
    getdents64 getcwd chdir fchdir rename mkdir rmdir creat link unlink symlink readlink chmod fchmod
    chown fchown lchown umask utime utimes futimesat utimensat truncate ftruncate fsync fdatasync sync
    syncfs sync_file_range sync_file_range2 fallocate fadvise64 readahead flock fcntl openat openat2
    mkdirat fchownat newfstatat fstatat unlinkat renameat renameat2 linkat symlinkat readlinkat fchmodat
    faccessat faccessat2 statx statfs fstatfs ustat preadv pwritev preadv2 pwritev2 copy_file_range
    sendfile splice tee vmsplice close_range name_to_handle_at inotify_init inotify_init1
    inotify_add_watch inotify_rm_watch memfd_create memfd_secret getxattr lgetxattr fgetxattr listxattr
    llistxattr flistxattr`,
  "sockets that are there, and those of this machine":
    `connect accept accept4 bind listen sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg shutdown
    getsockname getpeername socketpair setsockopt getsockopt`,
  "waiting, time, and messages within the process": `
    poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2
    epoll_ctl_old epoll_wait_old pipe pipe2 dup dup2 dup3 eventfd eventfd2 signalfd signalfd4
    timerfd_create timerfd_settime timerfd_gettime nanosleep clock_nanosleep clock_gettime clock_getres
    gettimeofday time times getitimer setitimer alarm timer_create timer_settime timer_gettime
    timer_getoverrun timer_delete pause futex futex_waitv get_robust_list set_robust_list restart_syscall
    rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend sigaltstack
    wait4 waitid`,
  "memory of its own": `
    mmap mprotect munmap brk mremap msync mincore madvise mlock mlock2 munlock mlockall munlockall
    remap_file_pages mbind set_mempolicy get_mempolicy set_mempolicy_home_node pkey_mprotect pkey_alloc
    pkey_free membarrier`,
  "threads, and the end": `
    sched_yield exit exit_group set_tid_address gettid arch_prctl set_thread_area get_thread_area rseq
    getcpu`,
  "questions": `
    getpid getppid getuid getgid geteuid getegid getpgrp getpgid getsid getgroups getresuid getresgid
    capget getrlimit getrusage sysinfo uname getpriority sched_getparam sched_getscheduler
    sched_get_priority_max sched_get_priority_min sched_rr_get_interval sched_getaffinity sched_getattr
    ioprio_get getrandom`,
  "only takes powers away": "landlock_create_ruleset landlock_add_rule landlock_restrict_self",
  "has a number, but no kernel of these architectures has it": `
    create_module get_kernel_syms query_module getpmsg putpmsg afs_syscall tuxcall security vserver
    arch_specific_syscall syscalls`,
};

/** Allowed calls that the build machine's headers may be too old for; both architectures agree. */
const ALLOWED_SINCE: readonly [string, number][] = [
  ["cachestat", 451],
  ["fchmodat2", 452],
  ["map_shadow_stack", 453],
  ["futex_wake", 454],
  ["futex_wait", 455],
  ["futex_requeue", 456],
  ["statmount", 457],
  ["listmount", 458],
  ["lsm_get_self_attr", 459],
  ["lsm_list_modules", 461],
  ["mseal", 462],
  ["getxattrat", 464],
  ["listxattrat", 465],
  ["file_getattr", 468],
  ["listns", 470],
  // x86-64 alone: the kernel puts them where somebody watches a function.
  ["uretprobe", 335],
  ["uprobe", 336],
];

const HEADERS: Readonly<Record<Architecture, string>> = {
  x86_64: "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
  // What 64-bit arm has is the kernel's general table.
  aarch64: "/usr/include/asm-generic/unistd.h",
};
/** Calls of 32-bit systems with 64-bit times, which stand in the general table. */
const OF_32_BITS = /(_time64|^(clock|timer|timerfd)_\w+64)$/;
/** The first number that all architectures count the same from. */
const UNIFIED = 424;

const denied = deniedCalls(1);
const deniedNames = new Set(denied.map(({ name }) => name));
const allowedNames = new Set([
  ...Object.values(ALLOWED).flatMap((names) => names.trim().split(/\s+/)),
  ...ALLOWED_SINCE.map(([name]) => name),
]);

/** Names and numbers in a header. */
function callsOf(header: string): Map<string, number> {
  const calls = new Map<string, number>();
  for (const [, name, number] of header.matchAll(/^#define __NR(?:3264)?_(\w+)\s+(\d+)/gm)) {
    if (!OF_32_BITS.test(name!)) calls.set(name!, Number(number));
  }
  return calls;
}

for (const [architecture, path] of Object.entries(HEADERS) as [Architecture, string][]) {
  if (architecture === "x86_64" && Deno.build.arch !== "x86_64") continue;
  Deno.test(`${architecture}: somebody has judged every call of this machine's headers`, () => {
    const calls = callsOf(Deno.readTextFileSync(path));
    assert.ok(calls.size > 290, `${path} has only ${calls.size} calls`);
    const unjudged = [...calls].filter(([name]) =>
      !deniedNames.has(name) && !allowedNames.has(name)
    );
    assert.deepEqual(unjudged, []);
  });
}

Deno.test("no call is judged twice, and none between the oldest and the newest is left out", () => {
  assert.deepEqual([...allowedNames].filter((name) => deniedNames.has(name)), []);
  const judged = new Map<number, string>(ALLOWED_SINCE.map(([name, number]) => [number, name]));
  for (const { name, numbers } of denied) {
    if (numbers.aarch64 !== undefined) judged.set(numbers.aarch64, name);
  }
  for (const [name, number] of callsOf(Deno.readTextFileSync(HEADERS.aarch64))) {
    if (number >= UNIFIED && allowedNames.has(name)) judged.set(number, name);
  }
  const missing = Array.from({ length: NEWEST_CALL - UNIFIED + 1 }, (_, index) => UNIFIED + index)
    .filter((number) => !judged.has(number));
  assert.deepEqual(missing, []);
});

Deno.test("somebody has judged every request to prctl of this machine's headers", () => {
  const header = Deno.readTextFileSync("/usr/include/linux/prctl.h");
  const requests = [...header.matchAll(/^#define (PR_\w+)\s+(0x[0-9a-f]+|\d+)\s*(?:\/\*|$)/gm)]
    .map(([, name, value]) => [name!, Number(value)] as const);
  assert.ok(requests.length > 60, `${requests.length} requests`);
  const values = new Map(requests);
  for (const [name, value] of DENIED_PRCTL) assert.equal(values.get(name) ?? value, value, name);
  const unjudged = requests.filter(([name, value]) =>
    value > NEWEST_PRCTL && name !== "PR_SET_VMA" && name !== "PR_GET_AUXV" &&
    !DENIED_PRCTL.some(([denied]) => denied === name)
  );
  assert.deepEqual(unjudged, []);
});
