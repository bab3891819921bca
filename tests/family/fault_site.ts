// A TPM that swtpm_setup replaces or changes while something goes wrong: the disaster itself, who the
// TPM is afterwards, as the C program sees it, and what lies about.

import assert from "node:assert/strict";
import { TPM_CAP } from "../../tcg/tpm2/constants.ts";
import { TPM2_GetCapability } from "../../tcg/tpm2/commands/capabilities.ts";
import { TPM2_ReadPublic } from "../../tcg/tpm2/commands/objects.ts";
import { EK_PLACES } from "../../tcg/tpm2/reserved_handles.ts";
import { type BackendKind, startOn } from "../state/stores.ts";
import { peerProgram } from "../support/peer_programs.ts";
import { type Outcome, run, TestProcess } from "../support/process.ts";
import { plainProgram, type Program } from "../support/programs.ts";
import { pause } from "../support/wait.ts";
import { TpmClient } from "../tcg/tpm_client.ts";
import type { Workshop } from "./houses.ts";

const SETUP_MS = 120_000;
export const PERMALL = "tpm2-00.permall";
const STRACE = plainProgram("strace", "/usr/bin/strace");
/** Before there is a program, and as it goes. */
const SETTING_OUT: readonly string[] = ["execve", "exit_group"];

export const MODES = {
  overwrite: ["--overwrite", "--create-ek-cert", "--lock-nvram"],
  reconfigure: ["--reconfigure", "--pcr-banks", "sha384"],
} as const;
export type Mode = keyof typeof MODES;

export const SIGNALS = ["SIGKILL", "SIGTERM"] as const;

/** One call of a run that goes well: the how manieth of its name, among those `near` the state. */
export interface Step {
  readonly call: string;
  readonly when: number | string;
  readonly near: boolean;
}

/** What happens, in strace's words, or a signal after some time. */
export type Disaster =
  | Step & { readonly how: string }
  | { readonly signal: typeof SIGNALS[number]; readonly afterMs: number };

/** Who the TPM is: what the C program reads of it. */
interface Identity {
  readonly ek: string;
  readonly banks: string;
}

/** A TPM, and a folder with all that swtpm_setup may touch. */
export class Site {
  private constructor(
    private readonly workshop: Workshop,
    readonly backend: BackendKind,
    private readonly folder: string,
    private readonly reader: Program,
  ) {}

  static async make(workshop: Workshop, backend: BackendKind): Promise<Site> {
    const folder = Deno.makeTempDirSync({ dir: workshop.folder.path });
    for (const name of ["state", "tmp"]) Deno.mkdirSync(`${folder}/${name}`);
    const site = new Site(workshop, backend, folder, await peerProgram("0.7.1"));
    const made = await run(site.program(false), site.words(["--create-ek-cert"]), site.options);
    assert.equal(made.code, 0, made.stderr);
    return site;
  }

  get path(): string {
    return this.backend === "dir" ? `${this.folder}/state` : `${this.folder}/state/file`;
  }

  get file(): string {
    return this.backend === "dir" ? `${this.path}/${PERMALL}` : this.path;
  }

  get options() {
    const { workshop, folder } = this;
    return { cwd: workshop.folder.path, env: { TMPDIR: `${folder}/tmp` }, timeoutMs: SETUP_MS };
  }

  program(foreign: boolean): Program {
    const { c, ours } = this.workshop;
    return foreign ? { ...ours.setup, args: [...ours.setup.args, ...c.words] } : ours.setup;
  }

  words(more: readonly string[]): string[] {
    return [
      ...["--tpm2", "--config", this.workshop.folder.join("swtpm_setup.conf")],
      ...["--tpm-state", `${this.backend}://${this.path}`, ...more],
    ];
  }

  /** What lies about that should not. */
  get litter(): string[] {
    const known = [".lock", PERMALL, "file"];
    const within = (folder: string) =>
      [...Deno.readDirSync(folder)].map(({ name }) => `${folder}/${name}`);
    return [
      ...within(`${this.folder}/state`).filter((path) => !known.includes(path.split("/").at(-1)!)),
      ...within(`${this.folder}/tmp`),
      ...within(this.workshop.folder.join("ca")).filter((path) => path.endsWith(".new")),
    ];
  }

  /** The TPM as the C program has it; a copy is asked. */
  async identity(): Promise<Identity> {
    const copy = Deno.makeTempDirSync({ dir: this.workshop.folder.path });
    const place = this.backend === "dir" ? `dir=${copy}` : `backend-uri=file://${copy}/file`;
    Deno.copyFileSync(this.file, `${copy}/${this.backend === "dir" ? PERMALL : "file"}`);
    await using emulator = await startOn(place, undefined, {
      program: this.reader,
      flags: ["startup-clear"],
    });
    await using client = await TpmClient.connect(emulator);
    const { outPublic } = await client.run(TPM2_ReadPublic, { objectHandle: EK_PLACES["L-1"].key });
    const pcrs = { capability: TPM_CAP.PCRS, property: 0, propertyCount: 64 };
    const { capabilityData } = await client.run(TPM2_GetCapability, pcrs);
    const banks = capabilityData.data.assignedPCR?.filter(({ pcrSelect }) => pcrSelect[0] !== 0);
    return {
      ek: outPublic!.unique.rsa!.toHex(),
      banks: banks?.map(({ hash }) => hash.toString(16)).join() ?? "",
    };
  }

  /** Runs swtpm_setup amid the disaster. */
  async suffer(mode: Mode, foreign: boolean, disaster: Disaster): Promise<Outcome> {
    const { command, args } = this.program(foreign);
    const words = [...args, ...this.words(MODES[mode])];
    if ("signal" in disaster) {
      await using process = new TestProcess(plainProgram("setup", command), words, this.options);
      await pause(disaster.afterMs);
      process.kill(disaster.signal);
      return await process.ended(SETUP_MS);
    }
    const { call, when, how, near } = disaster;
    const inject = ["-e", `trace=${call}`, "-e", `inject=${call}:${how}:when=${when}`];
    return await run(STRACE, [
      ...["-f", "-qq", "-o", "/dev/null", ...this.#filter(near), ...inject],
      ...[command, ...words],
    ], this.options);
  }

  /** The calls of the main thread in a run that goes well. */
  async steps(mode: Mode, near: boolean): Promise<Step[]> {
    const calls = await this.calls("all", MODES[mode], this.#filter(near));
    const lines = calls.map((line) => line.split(/\s+/, 2));
    const counts = new Map<string, number>();
    return lines.filter(([pid]) => pid === lines[0]![0]).flatMap(([, text = ""]) => {
      const call = /^(\w+)\(/.exec(text)?.[1];
      if (call === undefined || SETTING_OUT.includes(call)) return [];
      const when = (counts.get(call) ?? 0) + 1;
      counts.set(call, when);
      return [{ call, when, near }];
    });
  }

  /** Lines of strace on a run that goes well. */
  async calls(which: string, more: readonly string[], filter: readonly string[] = []) {
    const { command, args } = this.program(false);
    const log = Deno.makeTempFileSync({ dir: this.workshop.folder.path });
    const strace = ["-f", "-qq", "-o", log, "-e", `trace=${which}`, ...filter];
    const words = [...strace, command, ...args, ...this.words(more)];
    const { code, stderr } = await run(STRACE, words, this.options);
    assert.equal(code, 0, stderr);
    return Deno.readTextFileSync(log).trimEnd().split("\n");
  }

  #filter(near: boolean): string[] {
    if (!near) return [];
    const paths = [this.file, `${this.folder}/state`, this.workshop.folder.join("ca")];
    return paths.flatMap((path) => ["-P", path]);
  }
}
