// What is expected of each test script of the C project's tree (EXPECTED_OF) and of its development
// tree, and what it needs.
// The table is the order in which run.ts starts them: the slow ones first, so that none is left
// alone at the end. `needs` and `steps` were read off a run with the C program: the options that
// reached swtpm, the control commands that swtpm_ioctl was asked for, the lines of success.

/** The version of the tree that the table was written for. */
export const EXPECTED_OF = "0.10.2";

/** An option or a control command of swtpm, in groups. */
export type Need =
  // The chip. A script without either runs only the companion programs.
  | "tpm12"
  | "tpm2"
  // Where the state is: `dir=`, or the variable TPM_PATH when there is no --tpmstate.
  | "dir"
  | "state-from-env"
  | "dir-uri"
  | "file-uri"
  | "block-device" // file:///dev/loopN
  | "state-mode" // mode=
  | "state-lock" // lock
  // Data: `port` is -p, `inherited-fd` is -f/--fd, `end-with-data` is -t/--terminate.
  | "port"
  | "data-tcp"
  | "data-unix"
  | "disconnect"
  | "ipv6"
  | "inherited-fd"
  | "end-with-data"
  // Control.
  | "ctrl-tcp"
  | "ctrl-unix"
  | "ctrl-owner" // mode=, uid=, gid=
  | "ctrl-terminate"
  | "clientfd"
  // The process. `flags` are not-need-init and startup-*; `no-auto-shutdown` is one more of them.
  | "flags"
  | "no-auto-shutdown"
  | "pid-file"
  | "pid-fd"
  | "log-file"
  | "log-level"
  | "log-fd"
  | "pcap"
  | "daemon"
  | "runas"
  | "chroot"
  | "seccomp" // action=none; the mode in /proc is looked at when the caller has no profile
  // Interfaces other than socket.
  | "chardev"
  | "cuse"
  | "vtpm-proxy"
  // Keys: `key-file` is a hexadecimal one, `key-256` is mode=aes-256-cbc.
  | "key-file"
  | "key-binary"
  | "key-pwdfile"
  | "key-fd"
  | "key-pwdfd"
  | "key-remove"
  | "key-256"
  | "kdf-sha512"
  | "migration-key"
  // What is printed and not served. Most scripts look into --print-capabilities for the chip;
  // the need of that name is the whole answer.
  | "print-capabilities"
  | "print-states"
  | "print-info"
  | "print-profiles"
  | "profile"
  | "migration"
  // The C companions. `setup` is swtpm_setup driving swtpm: --print-capabilities, --print-states,
  // `--server type=tcp,fd=`, `--ctrl type=unixio,clientfd=`, `--tpmstate backend-uri=…,lock`,
  // `--flags not-need-init,startup-clear`, `--pid file=`, `--log file=` and `--profile`, for
  // TPM 1.2 too (there as "fd=0").
  | "setup"
  | "companions" // swtpm_cert, swtpm_localca
  // Control commands beyond CMD_INIT and CMD_SHUTDOWN.
  | "capability"
  | "established"
  | "hash"
  | "locality"
  | "store-volatile"
  | "stateblobs"
  | "stop"
  | "get-config"
  | "buffer-size"
  | "tpm-info"
  | "lock-storage"
  | "set-datafd";

/** One row of the table. */
export interface Expectation {
  /** Whether the script passes, or why it stays out. */
  readonly expect: "pass" | { readonly skip: string };
  /** The version it came with, where older trees do not have it. */
  readonly since?: string;
  /** The last version that has it, where newer trees do not. */
  readonly until?: string;
  /** What is different in trees that are newer than {@linkcode EXPECTED_OF}. */
  readonly later?: Pick<Expectation, "steps">;
  /** How many lines of success the script prints at least; fewer mean that it left steps out. */
  readonly steps?: number;
  /** Its bound, where the usual one (run.ts) is too short for a slow machine. */
  readonly secondsMax?: number;
  readonly needs: readonly Need[];
}

/** What the scripts need that run once for each pair of data and control socket. */
const ALL_SOCKETS: readonly Need[] = [
  "state-from-env",
  "data-tcp",
  "data-unix",
  "disconnect",
  "ctrl-tcp",
  "ctrl-unix",
];

/** Every script of the tree by its name. */
export const EXPECTED: Readonly<Record<string, Expectation>> = {
  test_tpm2_save_load_state_da_timeout: {
    expect: "pass",
    steps: 3,
    secondsMax: 300,
    needs: [...ALL_SOCKETS, "tpm2", "log-file", "log-level", "stateblobs", "stop"],
  },
  test_tpm2_save_load_encrypted_state: {
    expect: "pass",
    steps: 12,
    secondsMax: 300,
    needs: [
      ...ALL_SOCKETS,
      "tpm2",
      "log-file",
      "key-file",
      "key-pwdfile",
      "key-256",
      "hash",
      "store-volatile",
      "stateblobs",
      "stop",
    ],
  },
  test_tpm2_swtpm_bios: {
    expect: "pass",
    steps: 3,
    secondsMax: 300,
    needs: [
      "tpm2",
      "data-tcp",
      "data-unix",
      "ctrl-tcp",
      "ctrl-unix",
      "disconnect",
      "dir",
      "pid-file",
    ],
  },
  test_tpm2_swtpm_setup_profile: {
    expect: "pass",
    steps: 54,
    secondsMax: 300,
    needs: [
      "tpm2",
      "state-from-env",
      "data-tcp",
      "ctrl-tcp",
      "disconnect",
      "dir",
      "log-file",
      "flags",
      "no-auto-shutdown",
      "print-info",
      "profile",
      "setup",
      "tpm-info",
    ],
  },
  test_tpm2_save_load_state_3: {
    expect: "pass",
    steps: 4,
    secondsMax: 300,
    needs: [
      "tpm2",
      "data-tcp",
      "ctrl-unix",
      "dir",
      "pid-file",
      "log-file",
      "log-level",
      "store-volatile",
    ],
  },
  test_parameters: {
    expect: "pass",
    steps: 22,
    secondsMax: 300,
    needs: [
      "tpm12",
      "key-file",
      "key-pwdfile",
      "key-fd",
      "key-pwdfd",
      "key-256",
      "profile",
      "setup",
    ],
  },
  test_tpm2_swtpm_localca: {
    expect: "pass",
    steps: 14,
    // It no longer prints what it found right.
    later: { steps: 5 },
    secondsMax: 300,
    needs: ["companions"],
  },
  test_tpm2_parameters: {
    expect: "pass",
    steps: 36,
    secondsMax: 300,
    needs: [
      "tpm2",
      "key-file",
      "key-pwdfile",
      "key-fd",
      "key-pwdfd",
      "key-256",
      "profile",
      "setup",
    ],
  },
  test_commandline: {
    expect: "pass",
    steps: 11,
    needs: [
      "tpm12",
      "port",
      "dir",
      "pid-file",
      "log-level",
      "flags",
      "end-with-data",
      "clientfd",
      "dir-uri",
      "state-mode",
      "log-fd",
    ],
  },
  test_ctrlchannel: {
    expect: "pass",
    steps: 20,
    needs: [
      "tpm12",
      "data-tcp",
      "ctrl-unix",
      "disconnect",
      "dir",
      "pid-file",
      "log-file",
      "log-level",
      "flags",
      "inherited-fd",
      "ctrl-owner",
      "pid-fd",
      "daemon",
      "runas",
      "key-pwdfile",
      "kdf-sha512",
      "capability",
      "established",
      "hash",
      "locality",
      "store-volatile",
      "stateblobs",
      "stop",
      "get-config",
    ],
  },
  test_ctrlchannel2: {
    expect: "pass",
    steps: 3,
    needs: [
      "tpm12",
      "data-tcp",
      "ctrl-unix",
      "disconnect",
      "ipv6",
      "dir",
      "pid-file",
      "flags",
      "inherited-fd",
      "daemon",
      "chardev",
      "key-pwdfile",
      "kdf-sha512",
      "capability",
      "established",
      "hash",
      "locality",
      "store-volatile",
      "stateblobs",
      "stop",
      "get-config",
    ],
  },
  test_ctrlchannel3: {
    expect: "pass",
    steps: 3,
    needs: [
      "tpm12",
      "data-tcp",
      "ctrl-tcp",
      "ctrl-unix",
      "dir",
      "pid-file",
      "log-file",
      "log-level",
      "flags",
      "end-with-data",
      "ctrl-terminate",
      "set-datafd",
    ],
  },
  test_ctrlchannel4: {
    expect: "pass",
    steps: 8,
    needs: [
      "tpm12",
      "ctrl-unix",
      "dir",
      "pid-file",
      "log-file",
      "log-level",
      "inherited-fd",
      "chardev",
      "capability",
      "store-volatile",
      "stop",
      "get-config",
    ],
  },
  test_encrypted_state: {
    expect: "pass",
    steps: 3,
    needs: [
      ...ALL_SOCKETS,
      "tpm12",
      "log-file",
      "key-file",
      "key-binary",
      "key-remove",
      "hash",
      "store-volatile",
      "get-config",
    ],
  },
  test_getcap: { expect: "pass", steps: 3, needs: [...ALL_SOCKETS, "tpm12", "capability"] },
  test_hashing: {
    expect: "pass",
    steps: 3,
    needs: [...ALL_SOCKETS, "tpm12", "established", "hash", "locality"],
  },
  test_hashing2: {
    expect: "pass",
    steps: 3,
    needs: [...ALL_SOCKETS, "tpm12", "established", "hash", "locality"],
  },
  test_init: {
    expect: "pass",
    steps: 3,
    needs: [
      "tpm12",
      "data-tcp",
      "data-unix",
      "ctrl-tcp",
      "ctrl-unix",
      "disconnect",
      "dir",
      "pid-file",
      "seccomp",
    ],
  },
  test_locality: { expect: "pass", steps: 3, needs: [...ALL_SOCKETS, "tpm12", "locality"] },
  test_migration_key: {
    expect: "pass",
    steps: 12,
    needs: [
      ...ALL_SOCKETS,
      "tpm12",
      "key-pwdfile",
      "key-remove",
      "kdf-sha512",
      "migration-key",
      "stateblobs",
      "get-config",
    ],
  },
  test_print_capabilities: {
    expect: "pass",
    steps: 3,
    needs: ["print-capabilities", "setup", "companions"],
  },
  test_print_states: {
    expect: "pass",
    steps: 3,
    needs: ["tpm12", "data-tcp", "ctrl-tcp", "disconnect", "dir", "print-states"],
  },
  test_resume_volatile: {
    expect: "pass",
    steps: 9,
    needs: [...ALL_SOCKETS, "tpm12", "key-pwdfile", "key-256", "kdf-sha512", "store-volatile"],
  },
  test_samples_create_tpmca: {
    until: "0.10",
    expect: { skip: "needs GnuTLS's tpmtool, which Debian builds GnuTLS without" },
    needs: ["tpm12"],
  },
  test_save_load_encrypted_state: {
    expect: "pass",
    steps: 12,
    needs: [
      ...ALL_SOCKETS,
      "tpm12",
      "log-file",
      "key-pwdfile",
      "key-fd",
      "key-pwdfd",
      "key-256",
      "hash",
      "store-volatile",
      "stateblobs",
      "stop",
    ],
  },
  test_save_load_state: {
    expect: "pass",
    steps: 4,
    needs: [
      ...ALL_SOCKETS,
      "tpm12",
      "log-file",
      "file-uri",
      "hash",
      "store-volatile",
      "stateblobs",
      "stop",
    ],
  },
  test_setbuffersize: { expect: "pass", steps: 3, needs: [...ALL_SOCKETS, "tpm12", "buffer-size"] },
  test_swtpm_bios: {
    expect: "pass",
    steps: 3,
    needs: [
      "tpm12",
      "data-tcp",
      "data-unix",
      "ctrl-tcp",
      "ctrl-unix",
      "disconnect",
      "dir",
      "pid-file",
    ],
  },
  test_swtpm_cert: { expect: "pass", steps: 4, needs: ["companions"] },
  test_swtpm_setup_create_cert: {
    expect: "pass",
    steps: 1,
    needs: ["tpm12", "profile", "setup", "companions"],
  },
  test_swtpm_setup_file_backend: {
    expect: "pass",
    steps: 3,
    needs: ["tpm12", "file-uri", "profile", "setup"],
  },
  test_swtpm_setup_misc: { expect: "pass", steps: 1, needs: ["setup"] },
  test_swtpm_setup_overwrite: { expect: "pass", steps: 3, needs: ["tpm12", "profile", "setup"] },
  test_tpm12: {
    expect: { skip: "SWTPM_TEST_EXPENSIVE: fetches and builds a TPM 1.2 test suite" },
    needs: ["tpm12"],
  },
  test_tpm2_avoid_da_lockout: {
    expect: "pass",
    steps: 3,
    needs: [...ALL_SOCKETS, "tpm2", "log-file", "log-level", "flags"],
  },
  test_tpm2_chroot_chardev: {
    expect: "pass",
    steps: 2,
    needs: ["tpm2", "dir", "pid-file", "flags", "inherited-fd", "chroot", "chardev"],
  },
  test_tpm2_chroot_cuse: {
    expect: { skip: "needs the kernel module cuse: tests/devices/upstream.ts runs it in a guest" },
    needs: ["tpm2", "cuse", "chroot"],
  },
  test_tpm2_chroot_socket: {
    expect: "pass",
    steps: 2,
    needs: ["tpm2", "port", "dir", "pid-file", "flags", "chroot"],
  },
  test_tpm2_ctrlchannel2: {
    expect: "pass",
    steps: 3,
    needs: [
      "tpm2",
      "data-tcp",
      "ctrl-unix",
      "disconnect",
      "dir",
      "pid-file",
      "log-file",
      "log-level",
      "flags",
      "inherited-fd",
      "ctrl-owner",
      "chardev",
      "key-pwdfile",
      "kdf-sha512",
      "capability",
      "established",
      "hash",
      "locality",
      "store-volatile",
      "stateblobs",
      "stop",
      "get-config",
    ],
  },
  test_tpm2_ctrlchannel3: {
    expect: "pass",
    steps: 3,
    needs: [
      "tpm2",
      "data-tcp",
      "ctrl-tcp",
      "ctrl-unix",
      "dir",
      "pid-file",
      "log-file",
      "log-level",
      "flags",
      "end-with-data",
      "ctrl-terminate",
      "set-datafd",
    ],
  },
  test_tpm2_derived_keys: {
    expect: "pass",
    steps: 15,
    needs: [...ALL_SOCKETS, "tpm2", "tpm-info"],
  },
  test_tpm2_encrypted_state: {
    expect: "pass",
    steps: 3,
    needs: [
      ...ALL_SOCKETS,
      "tpm2",
      "log-file",
      "key-file",
      "key-binary",
      "key-remove",
      "hash",
      "store-volatile",
      "get-config",
    ],
  },
  test_tpm2_file_permissions: {
    expect: "pass",
    steps: 3,
    needs: [
      "tpm2",
      "state-from-env",
      "data-tcp",
      "ctrl-tcp",
      "disconnect",
      "pid-file",
      "log-file",
      "log-level",
      "runas",
      "key-pwdfile",
      "kdf-sha512",
      "setup",
    ],
  },
  test_tpm2_getcap: { expect: "pass", steps: 3, needs: [...ALL_SOCKETS, "tpm2", "capability"] },
  test_tpm2_hashing: {
    expect: "pass",
    steps: 3,
    needs: [...ALL_SOCKETS, "tpm2", "established", "hash", "locality"],
  },
  test_tpm2_hashing2: {
    expect: "pass",
    steps: 3,
    needs: [...ALL_SOCKETS, "tpm2", "established", "hash", "locality"],
  },
  test_tpm2_hashing3: {
    expect: "pass",
    steps: 3,
    needs: [...ALL_SOCKETS, "tpm2", "established", "hash"],
  },
  test_tpm2_ibmtss2: {
    expect: { skip: "SWTPM_TEST_EXPENSIVE: fetches and builds IBM's TSS and its tests" },
    needs: ["tpm2"],
  },
  test_tpm2_init: { expect: "pass", steps: 3, needs: [...ALL_SOCKETS, "tpm2", "seccomp"] },
  test_tpm2_libtpms_versions_profiles: {
    expect: {
      skip: "SWTPM_TEST_EXPENSIVE: fetches and builds several versions of libtpms and swtpm",
    },
    needs: ["tpm2", "profile"],
  },
  test_tpm2_locality: { expect: "pass", steps: 3, needs: [...ALL_SOCKETS, "tpm2", "locality"] },
  test_tpm2_migration_key: {
    expect: "pass",
    steps: 12,
    needs: [
      ...ALL_SOCKETS,
      "tpm2",
      "log-file",
      "key-pwdfile",
      "key-remove",
      "kdf-sha512",
      "migration-key",
      "stateblobs",
      "stop",
      "get-config",
    ],
  },
  test_tpm2_partial_reads: {
    expect: { skip: "needs the kernel module cuse: tests/devices/upstream.ts runs it in a guest" },
    needs: ["tpm2", "cuse"],
  },
  test_tpm2_print_capabilities: {
    expect: "pass",
    steps: 3,
    needs: ["print-capabilities", "setup", "companions"],
  },
  test_tpm2_print_states: {
    expect: "pass",
    steps: 5,
    needs: ["tpm2", "data-tcp", "ctrl-tcp", "disconnect", "dir", "chardev", "print-states"],
  },
  test_tpm2_pcap: {
    expect: "pass",
    since: "0.11",
    steps: 9,
    needs: [...ALL_SOCKETS, "tpm2", "log-file", "log-level", "pcap"],
  },
  test_tpm2_probe: { expect: "pass", steps: 3, needs: [...ALL_SOCKETS, "tpm2", "seccomp", "stop"] },
  test_tpm2_profile_disabled_features: {
    // All but the last of its seven steps: up to libtpms 0.10.2 a TPM2_HMAC of one command still signs.
    expect: { skip: "needs a libtpms after 0.10.2, whose no-sha1-hmac-creation holds everywhere" },
    since: "0.11",
    needs: ["tpm2", "data-tcp", "ctrl-tcp", "dir", "pid-file", "flags", "print-info", "profile"],
  },
  test_tpm2_resume_volatile: {
    expect: "pass",
    steps: 9,
    needs: [...ALL_SOCKETS, "tpm2", "key-pwdfile", "key-256", "kdf-sha512", "store-volatile"],
  },
  "test_tpm2_samples_create_tpmca.test": {
    expect: {
      skip: "needs tpm2-abrmd on the system bus and tpm2-pkcs11 at the place Fedora puts it",
    },
    needs: ["tpm2"],
  },
  test_tpm2_save_load_state: {
    expect: "pass",
    steps: 3,
    needs: [
      ...ALL_SOCKETS,
      "tpm2",
      "log-file",
      "log-level",
      "hash",
      "store-volatile",
      "stateblobs",
      "stop",
    ],
  },
  test_tpm2_save_load_state_2: {
    expect: "pass",
    steps: 1,
    needs: [
      "tpm2",
      "data-tcp",
      "ctrl-unix",
      "dir",
      "pid-file",
      "log-file",
      "log-level",
      "flags",
      "state-lock",
    ],
  },
  test_tpm2_save_load_state_2_block: {
    expect: "pass",
    steps: 1,
    needs: [
      "tpm2",
      "data-tcp",
      "ctrl-unix",
      "pid-file",
      "log-file",
      "log-level",
      "file-uri",
      "block-device",
    ],
  },
  test_tpm2_save_load_state_2_linear: {
    expect: "pass",
    steps: 1,
    needs: ["tpm2", "data-tcp", "ctrl-unix", "pid-file", "log-file", "log-level", "file-uri"],
  },
  test_tpm2_save_load_state_locking: {
    expect: "pass",
    steps: 3,
    needs: [
      ...ALL_SOCKETS,
      "tpm2",
      "migration",
      "hash",
      "store-volatile",
      "stateblobs",
      "lock-storage",
    ],
  },
  test_tpm2_savestate: { expect: "pass", steps: 3, needs: [...ALL_SOCKETS, "tpm2"] },
  test_tpm2_setbuffersize: {
    expect: "pass",
    steps: 3,
    needs: [...ALL_SOCKETS, "tpm2", "buffer-size"],
  },
  test_tpm2_swtpm_cert: {
    expect: "pass",
    steps: 5,
    // Thirteen kinds of certificates by four kinds of authorities.
    later: { steps: 52 },
    needs: ["companions"],
  },
  test_tpm2_swtpm_cert_ecc: { expect: "pass", until: "0.10", steps: 4, needs: ["companions"] },
  "test_tpm2_swtpm_localca_pkcs11.test": { expect: "pass", steps: 4, needs: ["companions"] },
  test_tpm2_swtpm_setup_check_certs: {
    expect: "pass",
    since: "0.11",
    steps: 3,
    needs: ["tpm2", "data-tcp", "dir", "log-file", "flags", "setup", "companions"],
  },
  test_tpm2_swtpm_setup_create_cert: {
    expect: "pass",
    steps: 2,
    needs: ["tpm2", "key-pwdfile", "profile", "setup", "companions"],
  },
  test_tpm2_swtpm_setup_overwrite: {
    expect: "pass",
    steps: 3,
    needs: ["tpm2", "profile", "setup"],
  },
  test_tpm2_swtpm_setup_profile_name: {
    expect: "pass",
    steps: 0,
    needs: [
      "tpm2",
      "state-from-env",
      "data-tcp",
      "ctrl-tcp",
      "disconnect",
      "flags",
      "print-profiles",
      "profile",
      "setup",
      "tpm-info",
    ],
  },
  test_tpm2_volatilestate: {
    expect: "pass",
    steps: 3,
    needs: [...ALL_SOCKETS, "tpm2", "established", "hash", "store-volatile"],
  },
  test_tpm2_vtpm_proxy: {
    expect: { skip: "needs the kernel module tpm_vtpm_proxy: upstream-devices runs it" },
    needs: ["tpm2", "vtpm-proxy", "chardev"],
  },
  test_tpm2_wrongorder: {
    expect: "pass",
    steps: 3,
    needs: [...ALL_SOCKETS, "tpm2", "established", "stop"],
  },
  test_tpm_probe: { expect: "pass", steps: 3, needs: [...ALL_SOCKETS, "tpm12", "seccomp"] },
  test_volatilestate: {
    expect: "pass",
    steps: 3,
    needs: [...ALL_SOCKETS, "tpm12", "established", "hash", "store-volatile"],
  },
  test_vtpm_proxy: {
    expect: { skip: "needs the kernel module tpm_vtpm_proxy: upstream-devices runs it" },
    needs: ["tpm12", "vtpm-proxy", "chardev"],
  },
  test_wrongorder: {
    expect: "pass",
    steps: 24,
    needs: [...ALL_SOCKETS, "tpm12", "log-file", "log-level", "established", "stop"],
  },
};
