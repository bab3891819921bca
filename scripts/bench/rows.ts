// The rows of the benchmark: one for each line of what is to be reached, in the same order.
// How each kind of row measures stands in its own file.

import { repeated } from "../../tests/support/bytes.ts";
import { tpm12 } from "../../tests/support/tpm12.ts";
import { tpm2 } from "../../tests/support/tpm2.ts";
import { abrmdRow } from "./abrmd_row.ts";
import type { BenchRow } from "./bench_row.ts";
import { betweenRow } from "./between_row.ts";
import { bootRow } from "./boot_row.ts";
import { type CommandsPlan, commandsRow } from "./commands_row.ts";
import { connectionsRow } from "./connections_row.ts";
import { controlRow } from "./control_row.ts";
import { idleRow } from "./idle_row.ts";
import { instructionsRow } from "./instructions_row.ts";
import { managedRow, swapsRow } from "./managed_row.ts";
import { instancesRow, memoryRow } from "./memory_row.ts";
import type { Target } from "./result.ts";
import { runRow } from "./run_row.ts";
import { setupRow } from "./setup_row.ts";
import { startRow } from "./start_row.ts";

const RANDOM_SIZE = 16;
const SHA256_SIZE = 32;
const SHA1_SIZE = 20;
/** TPM2_MAX_DIGEST_BUFFER */
const HASH_SIZE = 1024;
const NV_SIZE = 32;
/** A PCR that firmware does not use and anybody may extend. */
const PCR = 16;
/** AES-256 in hexadecimal digits, as `--key` takes it. */
const KEY_DIGITS = "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef";

/** The TPM 2's permanent state, and the flags in its header. */
const STATE_FILE = "tpm2-00.permall";
const PLAIN = 0;
const ENCRYPTED_AES_256 = 0x09;

const BACK_TO_BACK = { warmUp: 5_000, turns: 40, count: 500 } as const;
const STORES = { warmUp: 1_000, turns: 30, count: 100 } as const;

const getRandom = {
  ...BACK_TO_BACK,
  command: tpm2.getRandom(RANDOM_SIZE),
} as const;

const extend = {
  ...BACK_TO_BACK,
  command: tpm2.pcrExtend(PCR, repeated(0xab, SHA256_SIZE)),
} as const;

const nvWrite = {
  ...STORES,
  layout: "two cores",
  preparation: [tpm2.nvDefineSpace(NV_SIZE)],
  command: tpm2.nvWrite(repeated(0, NV_SIZE)),
  // The data end the command but for two bytes, the offset: another content each time.
  numberAt: tpm2.nvWrite(repeated(0, NV_SIZE)).length - 2 - 4,
  changes: { file: STATE_FILE, flags: PLAIN },
} as const;

const nvWriteEncrypted = {
  ...nvWrite,
  changes: { file: STATE_FILE, flags: ENCRYPTED_AES_256 },
  arguments: (folder: string) => {
    const file = `${folder}/key`;
    Deno.writeTextFileSync(file, KEY_DIGITS);
    return ["--key", `file=${file},mode=aes-256-cbc,format=hex`];
  },
} as const;

const CONNECTIONS = { p50: 1.2, p95: 1.5, cpu: 1.3 } as const;

/** What a single client may pay for the managed address, of the bare one's. */
const MANAGED = { most: 1.10 } as const;

/** Whoever stops a virtual machine waits for it. */
const END_MS_MAX = 10;

/** A share of what the empty program takes, or has. */
function ofFloor(most: number): Target {
  return { kind: "ratio", most, against: ["floor"] };
}

const COMMANDS: readonly CommandsPlan[] = [
  {
    ...getRandom,
    id: "getrandom-two-cores",
    title: "TPM2_GetRandom(16) back to back, Unix data socket, different cores",
    layout: "two cores",
    latencyRatio: 0.55,
  },
  {
    ...getRandom,
    id: "getrandom-one-core",
    title: "TPM2_GetRandom(16) back to back, Unix data socket, one core",
    layout: "one core",
    latencyRatio: 1.05,
    p99Ratio: 1.05,
  },
  {
    ...getRandom,
    id: "getrandom-datafd",
    title: "TPM2_GetRandom(16) over a descriptor passed by SET_DATAFD, different cores",
    layout: "two cores",
    transport: "datafd",
    latencyRatio: 0.55,
  },
  {
    ...getRandom,
    id: "getrandom-tcp",
    title: "TPM2_GetRandom(16) over TCP, different cores",
    layout: "two cores",
    transport: "tcp",
    latencyRatio: 0.65,
  },
  {
    ...getRandom,
    id: "getrandom-unpinned",
    title: "TPM2_GetRandom(16) back to back, Unix data socket, nobody bound (to be looked at only)",
    layout: "anywhere",
  },
  {
    ...extend,
    id: "extend-two-cores",
    title: "TPM2_PCR_Extend (sha256), Unix data socket, different cores",
    layout: "two cores",
    latencyRatio: 0.55,
  },
  {
    ...extend,
    id: "extend-one-core",
    title: "TPM2_PCR_Extend (sha256), Unix data socket, one core",
    layout: "one core",
    latencyRatio: 1.05,
    p99Ratio: 1.05,
  },
  {
    ...getRandom,
    id: "tail",
    title: "TPM2_GetRandom(16), a million of them, different cores: the longest answers",
    layout: "two cores",
    turns: 100,
    count: 10_000,
    roundsMax: 3,
    p999Ratio: 2,
  },
  {
    ...BACK_TO_BACK,
    id: "hash-1k",
    title: "TPM2_Hash of 1,024 bytes, the most that one command takes, different cores",
    layout: "two cores",
    command: tpm2.hash(repeated(0x5a, HASH_SIZE)),
    latencyRatio: 0.75,
  },
  {
    ...nvWrite,
    id: "nvwrite",
    title: "TPM2_NV_Write, 32 bytes, state on a tmpfs, different cores",
    onTmpfs: true,
    latencyRatio: 0.90,
  },
  {
    ...nvWriteEncrypted,
    id: "nvwrite-aes256",
    title: "TPM2_NV_Write, 32 bytes, AES-256 state encryption, state on a tmpfs, different cores",
    onTmpfs: true,
    latencyRatio: 0.90,
  },
  {
    ...nvWrite,
    id: "nvwrite-disk",
    title: "TPM2_NV_Write, 32 bytes, state on disk, different cores",
    latencyRatio: 1.05,
  },
  {
    ...nvWriteEncrypted,
    id: "nvwrite-aes256-disk",
    title: "TPM2_NV_Write, 32 bytes, AES-256 state encryption, state on disk, different cores",
    latencyRatio: 1.05,
  },
  {
    id: "paced",
    title: "TPM2_GetRandom(16) every 5 ms, different cores",
    layout: "two cores",
    command: getRandom.command,
    everyUs: 5_000,
    warmUp: 50,
    turns: 10,
    count: 50,
    latencyRatio: 1.10,
    cpuRatio: 1.5,
  },
  {
    ...BACK_TO_BACK,
    id: "tpm12-getrandom",
    title: "TPM 1.2 TPM_GetRandom(16) back to back, different cores",
    layout: "two cores",
    tpm2: false,
    command: tpm12.getRandom(RANDOM_SIZE),
    latencyRatio: 0.65,
  },
  {
    ...BACK_TO_BACK,
    id: "tpm12-extend",
    title: "TPM 1.2 TPM_Extend back to back, different cores",
    layout: "two cores",
    tpm2: false,
    command: tpm12.extend(PCR, repeated(0xab, SHA1_SIZE)),
    latencyRatio: 0.65,
  },
];

/** All rows. */
export const ROWS: readonly BenchRow[] = [
  ...COMMANDS.map(commandsRow),
  bootRow(
    "boot",
    "kernel boot in QEMU under measured boot, then 2,000 PCR extends from the guest",
    1.10,
  ),
  controlRow(
    "control",
    "GET_CONFIG while RSA-3072 keys are being made, server on one core, client on another",
    "two cores",
    5,
  ),
  controlRow(
    "control-unpinned",
    "GET_CONFIG while RSA-3072 keys are being made, nobody bound (to be looked at only)",
    "anywhere",
  ),
  betweenRow(
    "between-two-cores",
    "GET_CONFIG right after 1, 9 and 17 TPM2_GetRandom(16), Unix sockets, different cores",
    "two cores",
    { p50: 3, p99: 5 },
  ),
  betweenRow(
    "between-one-core",
    "GET_CONFIG right after 1, 9 and 17 TPM2_GetRandom(16), Unix sockets, one core",
    "one core",
    { p50: 3, p99: 5 },
  ),
  startRow(
    "start",
    "exec to control socket and first TPM answer, Unix sockets, state there already, different cores",
    "two cores",
    { target: ofFloor(1.15), endTarget: { kind: "value", most: END_MS_MAX } },
  ),
  startRow(
    "start-unpinned",
    "exec to control socket and first TPM answer, Unix sockets, nobody bound (to be looked at only)",
    "anywhere",
  ),
  startRow(
    "start-busy",
    "the same beside eight busy loops",
    "anywhere",
    { target: ofFloor(1.15), pressure: { busyLoops: 8 } },
  ),
  startRow(
    "start-quota",
    "the same where the server has a tenth of a processor",
    "anywhere",
    { target: ofFloor(1.15), pressure: { processorShare: 0.1 } },
  ),
  runRow(
    "run",
    "swtpm run, or a shell around a C program: exec to the first byte of COMMAND",
    ofFloor(1.20),
  ),
  connectionsRow(
    "connections-unix",
    "connect, TPM2_GetRandom(16), close, Unix sockets, different cores",
    "unix",
    CONNECTIONS,
  ),
  connectionsRow(
    "connections-tcp",
    "connect, TPM2_GetRandom(16), close, TCP, different cores",
    "tcp",
    CONNECTIONS,
  ),
  ...(["two cores", "one core"] as const).flatMap((layout) => {
    const on = layout === "two cores" ? "different cores" : "one core";
    const id = layout.replace(" ", "-");
    return [
      managedRow({
        ...{ id: `managed-getrandom-${id}`, layout, command: getRandom.command, ...MANAGED },
        title: `TPM2_GetRandom(16), a single client at the managed address, ${on}`,
      }),
      managedRow({
        ...{ id: `managed-extend-${id}`, layout, command: extend.command, ...MANAGED },
        title: `TPM2_PCR_Extend (sha256), a single client at the managed address, ${on}`,
      }),
    ];
  }),
  managedRow({
    ...{ id: "managed-sign", layout: "two cores", ...MANAGED },
    title: "an ECDSA signature, a single client at the managed address, different cores",
    preparation: [tpm2.createPrimarySigning()],
    command: tpm2.sign(0x80000000, repeated(0x5a, SHA256_SIZE)),
  }),
  swapsRow(
    "managed-swaps",
    "two clients with two ECC keys each, used by turns: what a swap takes, different cores",
    1.15,
  ),
  abrmdRow(
    "managed-abrmd",
    "the managed address beside tpm2-abrmd: a client over the TSS, then two with two keys each",
    1,
  ),
  instructionsRow("instructions", "instructions of a start, of commands and of a run (callgrind)"),
  setupRow(
    "setup",
    "swtpm_setup of a TPM 2: RSA-2048 and P-384 EK, their certificates, the platform's, locked NV",
    { kind: "ratio", most: 0.5, against: ["0.7.1", "0.10"] },
  ),
  memoryRow(
    "memory",
    "private memory (Pss_Anon): idle, after 1,000,000 commands, between 500,000 and 1,000,000",
    { idle: 1.15, used: 1.40, growthMb: 0.1 },
  ),
  instancesRow("instances", "20 instances at once: sum of PSS / 20", 20),
  idleRow("idle", "wake-ups while clients are connected and silent", 0),
];
