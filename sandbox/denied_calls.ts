// The system calls that a running TPM must never make, each with its numbers and its reason. What
// happens when one is made, and how the kernel is told, is left to filter.ts.
// Everything else that somebody has looked at stays allowed: the runtime below us decides by itself
// what it needs, from one version to the next, and a list of what is allowed would end TPMs after an
// update. What is newer than this list is answered as an older kernel would.

export type Architecture = "x86_64" | "aarch64";

/** What must hold for an argument of a call, by its place, for the call to be denied. */
export type Condition =
  /** One of these bits is set. */
  | { argument: number; anyOf: number }
  /** This bit is not set. */
  | { argument: number; without: number }
  /** It has one of these values, in its lower 32 bits. */
  | { argument: number; is: readonly number[] }
  /** It has another value, in its lower 32 bits. */
  | { argument: number; isNot: number }
  /** It is a pointer to something. */
  | { argument: number; notNull: true };

/**
 * The newest call that somebody has judged (listns, Linux 6.19); by then both architectures count the
 * same. Raise it only with a verdict on each call up to the new one (kernel_calls_test.ts).
 */
export const NEWEST_CALL = 470;

/** A call that is denied, always or when one of its conditions holds. */
export interface DeniedCall {
  name: string;
  /** Its number; undefined where the architecture does not have it. */
  numbers: Readonly<Record<Architecture, number | undefined>>;
  reason: string;
  /** Denied only when one of these holds. */
  when?: readonly Condition[];
  /**
   * Values of an argument that somebody has judged: those up to the newest, and some far beyond. Any
   * other is answered by EINVAL, as an older kernel would, where none of the conditions holds.
   */
  judged?: { argument: number; newest: number; beyond: readonly number[] };
  /** Answered by ENOSYS, as an older kernel would, in place of what else happens. */
  missing?: true;
}

/** Name, number on x86-64, number on arm64, reason. */
const always: readonly [string, number | undefined, number | undefined, string][] = [
  // Other programs and processes
  ["execve", 59, 221, "the TPM never becomes another program"],
  ["execveat", 322, 281, "the same with a descriptor"],
  ["fork", 57, undefined, "no second process, which the rules for clone would miss"],
  ["vfork", 58, undefined, "the same"],
  ["ptrace", 101, 117, "reads and steers other processes"],
  ["process_vm_readv", 310, 270, "reads the memory of other processes"],
  ["process_vm_writev", 311, 271, "writes the memory of other processes"],
  ["process_madvise", 440, 440, "advises on the memory of other processes"],
  ["process_mrelease", 448, 448, "frees the memory of other processes"],
  ["kcmp", 312, 272, "compares the kernel objects of processes"],
  ["pidfd_open", 434, 434, "a handle on another process"],
  ["pidfd_getfd", 438, 438, "takes descriptors out of other processes"],
  ["pidfd_send_signal", 424, 424, "signals to other processes"],
  ["kill", 62, 129, "signals to other processes; abort(3) uses tgkill"],
  ["tkill", 200, 130, "the same by thread"],
  ["rt_sigqueueinfo", 129, 138, "the same with data"],
  ["rt_tgsigqueueinfo", 297, 240, "the same with data, by thread"],
  ["setpgid", 109, 154, "process groups are for shells"],
  ["setsid", 112, 157, "the session was left at start"],
  // Who the process is
  ["setuid", 105, 146, "the user was chosen at start"],
  ["setgid", 106, 144, "the group was chosen at start"],
  ["setreuid", 113, 145, "as setuid"],
  ["setregid", 114, 143, "as setgid"],
  ["setresuid", 117, 147, "as setuid"],
  ["setresgid", 119, 149, "as setgid"],
  ["setfsuid", 122, 151, "the user that file accesses count for"],
  ["setfsgid", 123, 152, "the group that file accesses count for"],
  ["setgroups", 116, 159, "supplementary groups were chosen at start"],
  ["capset", 126, 91, "capabilities only get fewer"],
  ["personality", 135, 92, "switches address randomisation off, for one"],
  ["keyctl", 250, 219, "the kernel's key rings"],
  ["add_key", 248, 217, "the kernel's key rings"],
  ["request_key", 249, 218, "the kernel's key rings, and a program that the kernel starts for it"],
  // Where the process is
  ["chroot", 161, 51, "the root was chosen at start"],
  ["pivot_root", 155, 41, "another root for a mount namespace"],
  ["unshare", 272, 97, "new namespaces, a way to more of the kernel"],
  ["setns", 308, 268, "other namespaces"],
  ["mount", 165, 40, "changes the tree of files"],
  ["umount2", 166, 39, "changes the tree of files"],
  ["move_mount", 429, 429, "changes the tree of files"],
  ["mount_setattr", 442, 442, "changes the tree of files"],
  ["open_tree", 428, 428, "changes the tree of files"],
  ["open_tree_attr", 467, 467, "changes the tree of files"],
  ["fsopen", 430, 430, "changes the tree of files"],
  ["fsconfig", 431, 431, "changes the tree of files"],
  ["fsmount", 432, 432, "changes the tree of files"],
  ["fspick", 433, 433, "changes the tree of files"],
  ["swapon", 167, 224, "swap space"],
  ["swapoff", 168, 225, "swap space"],
  ["quotactl", 179, 60, "disk quotas"],
  ["quotactl_fd", 443, 443, "disk quotas"],
  ["mknod", 133, undefined, "device nodes"],
  ["mknodat", 259, 33, "device nodes"],
  ["open_by_handle_at", 304, 265, "opens files past the directories that hide them"],
  ["fanotify_init", 300, 262, "watches, and holds up, the accesses of others"],
  ["fanotify_mark", 301, 263, "watches, and holds up, the accesses of others"],
  ["setxattr", 188, 5, "file capabilities and labels"],
  ["lsetxattr", 189, 6, "file capabilities and labels"],
  ["fsetxattr", 190, 7, "file capabilities and labels"],
  ["removexattr", 197, 14, "file capabilities and labels"],
  ["lremovexattr", 198, 15, "file capabilities and labels"],
  ["fremovexattr", 199, 16, "file capabilities and labels"],
  ["setxattrat", 463, 463, "file capabilities and labels"],
  ["removexattrat", 466, 466, "file capabilities and labels"],
  ["file_setattr", 469, 469, "makes files immutable, and other flags of file systems"],
  ["lsm_set_self_attr", 460, 460, "another label for this process"],
  ["acct", 163, 89, "process accounting"],
  // The machine
  ["reboot", 169, 142, "the machine is not ours"],
  ["kexec_load", 246, 104, "another kernel"],
  ["kexec_file_load", 320, 294, "another kernel"],
  ["init_module", 175, 105, "kernel modules"],
  ["finit_module", 313, 273, "kernel modules"],
  ["delete_module", 176, 106, "kernel modules"],
  ["settimeofday", 164, 170, "the clock belongs to the system"],
  ["clock_settime", 227, 112, "the clock belongs to the system"],
  ["clock_adjtime", 305, 266, "the clock belongs to the system"],
  ["adjtimex", 159, 171, "the clock belongs to the system"],
  ["sethostname", 170, 161, "names belong to the system"],
  ["setdomainname", 171, 162, "names belong to the system"],
  ["syslog", 103, 116, "the kernel's log"],
  ["vhangup", 153, 58, "takes the terminal from its users"],
  ["iopl", 172, undefined, "I/O ports"],
  ["ioperm", 173, undefined, "I/O ports"],
  ["modify_ldt", 154, undefined, "segments, for programs of another age"],
  ["sysfs", 139, undefined, "obsolete: names of file systems"],
  ["_sysctl", 156, undefined, "obsolete: kernel settings"],
  ["uselib", 134, undefined, "obsolete: libraries past the loader"],
  ["nfsservctl", 180, 42, "obsolete: the NFS server"],
  ["lookup_dcookie", 212, 18, "obsolete: paths for a profiler"],
  // The kernel's more dangerous machines
  ["bpf", 321, 280, "programs in the kernel"],
  ["perf_event_open", 298, 241, "counters that show what others do"],
  ["userfaultfd", 323, 282, "page faults held up at will, a tool of exploits"],
  ["io_uring_setup", 425, 425, "work that this filter does not see"],
  ["io_uring_enter", 426, 426, "work that this filter does not see"],
  ["io_uring_register", 427, 427, "work that this filter does not see"],
  ["io_setup", 206, 0, "asynchronous I/O that nothing here uses"],
  ["io_submit", 209, 2, "asynchronous I/O that nothing here uses"],
  ["io_destroy", 207, 1, "asynchronous I/O that nothing here uses"],
  ["io_getevents", 208, 4, "asynchronous I/O that nothing here uses"],
  ["io_cancel", 210, 3, "asynchronous I/O that nothing here uses"],
  ["io_pgetevents", 333, 292, "asynchronous I/O that nothing here uses"],
  ["migrate_pages", 256, 238, "moves the memory of other processes"],
  ["move_pages", 279, 239, "moves the memory of other processes"],
  ["seccomp", 317, 277, "further filters could blind this one's owner"],
  // Talk and resources of the whole system
  ["semget", 64, 190, "shared by number with whoever wants to"],
  ["semop", 65, 193, "shared by number with whoever wants to"],
  ["semtimedop", 220, 192, "shared by number with whoever wants to"],
  ["semctl", 66, 191, "shared by number with whoever wants to"],
  ["shmget", 29, 194, "shared by number with whoever wants to"],
  ["shmat", 30, 196, "shared by number with whoever wants to"],
  ["shmdt", 67, 197, "shared by number with whoever wants to"],
  ["shmctl", 31, 195, "shared by number with whoever wants to"],
  ["msgget", 68, 186, "shared by number with whoever wants to"],
  ["msgsnd", 69, 189, "shared by number with whoever wants to"],
  ["msgrcv", 70, 188, "shared by number with whoever wants to"],
  ["msgctl", 71, 187, "shared by number with whoever wants to"],
  ["mq_open", 240, 180, "message queues that nothing here uses"],
  ["mq_unlink", 241, 181, "message queues that nothing here uses"],
  ["mq_timedsend", 242, 182, "message queues that nothing here uses"],
  ["mq_timedreceive", 243, 183, "message queues that nothing here uses"],
  ["mq_notify", 244, 184, "message queues that nothing here uses"],
  ["mq_getsetattr", 245, 185, "message queues that nothing here uses"],
  ["setrlimit", 160, 164, "limits were set by whoever started us"],
  ["ioprio_set", 251, 30, "priorities are set from outside"],
  ["setpriority", 141, 140, "priorities are set from outside"],
  ["sched_setparam", 142, 118, "priorities are set from outside"],
  ["sched_setscheduler", 144, 119, "priorities are set from outside"],
  ["sched_setattr", 314, 274, "priorities are set from outside"],
  ["sched_setaffinity", 203, 122, "processors are assigned from outside"],
];

const CLONE_THREAD = 0x00010000;
/** CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET */
const CLONE_NEW_ANY = 0x00000080 | 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 |
  0x10000000 | 0x20000000 | 0x40000000;
const AF_UNIX = 1;
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;

/** What prctl(2) must not be asked for: name and value of linux/prctl.h, reason. */
export const DENIED_PRCTL: readonly [string, number, string][] = [
  ["PR_SET_SECCOMP", 22, "further filters, as by seccomp"],
  ["PR_SET_SYSCALL_USER_DISPATCH", 59, "calls that are answered elsewhere"],
  ["PR_SET_DUMPABLE", 4, "who may read this process was settled at start"],
  ["PR_SET_PTRACER", 0x59616d61, "who may steer this process was settled at start"],
  ["PR_SET_KEEPCAPS", 8, "capabilities only get fewer"],
  ["PR_SET_SECUREBITS", 28, "capabilities only get fewer"],
  ["PR_CAP_AMBIENT", 47, "capabilities only get fewer"],
  ["PR_SET_MM", 35, "what the kernel says of this process"],
  ["PR_SET_CHILD_SUBREAPER", 36, "takes in the processes of others"],
  ["PR_TASK_PERF_EVENTS_DISABLE", 31, "counters, as by perf_event_open"],
  ["PR_TASK_PERF_EVENTS_ENABLE", 32, "counters, as by perf_event_open"],
  ["PR_MCE_KILL", 33, "what the machine does about broken memory"],
  ["PR_SET_SPECULATION_CTRL", 53, "could lift what protects secrets from others"],
  ["PR_PAC_RESET_KEYS", 54, "keys that protect return addresses"],
  ["PR_PAC_SET_ENABLED_KEYS", 60, "keys that protect return addresses"],
  ["PR_SET_SHADOW_STACK_STATUS", 75, "protects return addresses, settled at start"],
  ["PR_SET_IO_FLUSHER", 57, "priorities are set from outside"],
  ["PR_SCHED_CORE", 62, "priorities are set from outside"],
  ["PR_SET_MEMORY_MERGE", 67, "memory in common with others tells them what is in it"],
];

/** The newest request to prctl(2) that somebody has judged (PR_FUTEX_HASH, Linux 6.16). */
export const NEWEST_PRCTL = 78;

/** Requests with numbers of their own: PR_SET_VMA names memory, PR_GET_AUXV reads. */
const PRCTL_BEYOND = [0x53564d41, 0x41555856];

/**
 * How fakeroot's library, between the C library and us, asks its daemon about each file that is
 * opened, looked at or removed.
 */
const FAKEROOT_CALLS = ["semget", "semop", "semtimedop", "msgget", "msgsnd", "msgrcv"];

/** All of them, for the process with this id. */
export function deniedCalls(pid: number, underFakeroot = false): DeniedCall[] {
  const prctl: number[] = [];
  for (let index = 0; index < DENIED_PRCTL.length; index++) prctl.push(DENIED_PRCTL[index]![1]);
  const calls: DeniedCall[] = [
    {
      name: "clone",
      numbers: { x86_64: 56, aarch64: 220 },
      reason: "makes threads, but neither processes nor namespaces",
      when: [
        { argument: 0, without: CLONE_THREAD },
        { argument: 0, anyOf: CLONE_NEW_ANY },
      ],
    },
    {
      name: "clone3",
      numbers: { x86_64: 435, aarch64: 435 },
      reason: "its flags cannot be seen from here; the C library falls back to clone",
      missing: true,
    },
    {
      name: "socket",
      numbers: { x86_64: 41, aarch64: 198 },
      reason: "no way into a network but the sockets that were opened at start",
      when: [{ argument: 0, isNot: AF_UNIX }],
    },
    {
      name: "ioctl",
      numbers: { x86_64: 16, aarch64: 29 },
      reason: "puts words into the mouth of whoever sits at the terminal",
      when: [{ argument: 1, is: [TIOCSTI, TIOCLINUX] }],
    },
    {
      name: "tgkill",
      numbers: { x86_64: 234, aarch64: 131 },
      reason: "signals to threads, but not to those of other processes",
      when: [{ argument: 0, isNot: pid }],
    },
    {
      name: "prlimit64",
      numbers: { x86_64: 302, aarch64: 261 },
      reason: "limits can be read; they were set by whoever started us",
      when: [{ argument: 2, notNull: true }],
    },
    {
      name: "prctl",
      numbers: { x86_64: 157, aarch64: 167 },
      reason: "names threads, and much else: see DENIED_PRCTL",
      when: [{ argument: 0, is: prctl }],
      judged: { argument: 0, newest: NEWEST_PRCTL, beyond: PRCTL_BEYOND },
    },
  ];
  // Each start does this, before V8 has compiled it: no function is called for each row.
  for (let index = 0; index < always.length; index++) {
    const row = always[index]!;
    if (underFakeroot && FAKEROOT_CALLS.includes(row[0])) continue;
    calls.push({ name: row[0], numbers: { x86_64: row[1], aarch64: row[2] }, reason: row[3] });
  }
  return calls;
}
