// swtpm_setup over a TPM that is there, while disks fail and signals come: afterwards the old TPM is
// there whole or the new one is, which the C program shows, and nothing beside it. SWTPM_SETUP_FAULTS
// says how often (30 by default).

import assert from "node:assert/strict";
import { Seeded } from "../state/seeded.ts";
import { type BackendKind, BACKENDS, inLanes } from "../state/stores.ts";
import { withTmpfs } from "../state/tmpfs.ts";
import { run, TestProcess } from "../support/process.ts";
import { plainProgram } from "../support/programs.ts";
import { waitUntil } from "../support/wait.ts";
import {
  type Disaster,
  type Mode,
  MODES,
  PERMALL,
  SIGNALS,
  Site,
  type Step,
} from "./fault_site.ts";
import { Workshop } from "./houses.ts";

const TRIES = Number(Deno.env.get("SWTPM_SETUP_FAULTS") ?? 30);
/** Of so many tries one has the TPM emulated by the C program. */
const FOREIGN_EVERY = 6;

const ERRORS = ["EIO", "ENOSPC", "EROFS", "EINTR", "ENOMEM"] as const;
/** What may go wrong in a run that goes through these steps when it goes well. */
function disasterFrom(
  random: Seeded,
  healthyMs: number,
  near: readonly Step[],
  all: readonly Step[],
): Disaster {
  if (random.below(4) === 0) {
    return { signal: random.pick(SIGNALS), afterMs: random.below(healthyMs) };
  }
  const step = random.pick(random.below(3) === 0 ? all : near);
  const how = random.below(3) === 0
    ? `signal=${random.pick(SIGNALS)}`
    : `error=${random.pick(ERRORS)}`;
  return { ...step, how };
}

Deno.test({
  name: `a failing disk or a signal leaves the old TPM or the new one, ${TRIES} times ` +
    "[setup-keeps-state]",
  // A killed process breaks connections at any moment.
  ...{ sanitizeOps: false, sanitizeResources: false },
  fn: async () => {
    const tally = { old: 0, new: 0, failed: 0, signalled: 0, untouched: 0 };
    const suffer = async (backend: BackendKind) => {
      await using workshop = await Workshop.make("0.7.1");
      const random = new Seeded(backend === "dir" ? 33 : 44);
      const site = await Site.make(workshop, backend);
      const begin = performance.now();
      await run(site.program(false), site.words(MODES.overwrite), site.options);
      const healthyMs = performance.now() - begin;
      const steps = {
        overwrite: [await site.steps("overwrite", true), await site.steps("overwrite", false)],
        reconfigure: [
          await site.steps("reconfigure", true),
          await site.steps("reconfigure", false),
        ],
      } as const;
      assert.ok(Object.values(steps).every(([near]) => near!.length > 5), JSON.stringify(steps));
      for (let attempt = 0; attempt < TRIES / BACKENDS.length; attempt++) {
        const mode = random.pick(Object.keys(MODES) as Mode[]);
        const foreign = random.below(FOREIGN_EVERY) === 0;
        const disaster = disasterFrom(random, healthyMs, ...steps[mode]);
        const title = `${backend}, ${mode}${foreign ? " by another program" : ""}: ` +
          JSON.stringify(disaster);
        const before = await site.identity();
        const { code, signal, stdout, stderr } = await site.suffer(mode, foreign, disaster);
        const said = `${title}\n${code} ${signal}\n${stdout}${stderr}`;
        const after = await site.identity().catch((error) => {
          throw new Error(`${said}\nThe TPM is not there: ${error.message}`);
        });
        const isOld = after.ek === before.ek && after.banks === before.banks;
        const isNew = mode === "overwrite" ? after.ek !== before.ek : after.ek === before.ek;
        assert.ok(isOld || isNew && (mode === "overwrite" || after.banks === "c"), said);
        if (code === 0) assert.ok(isNew, said);
        const killed = signal === "SIGKILL" || code === 128 + 9;
        if (!killed) assert.deepEqual(site.litter, [], said);
        for (const path of site.litter) Deno.removeSync(path, { recursive: true });
        tally[isOld ? "old" : "new"]++;
        if (code === 0) tally.untouched++;
        else if (signal !== null || code > 128) tally.signalled++;
        else tally.failed++;
      }
    };
    // One that fails does not end the test while the other is at work.
    const failures: unknown[] = [];
    await inLanes(2, BACKENDS, async (backend) => {
      await suffer(backend).catch((error) => failures.push(error));
    });
    if (failures.length > 0) throw new AggregateError(failures);
    console.log(
      `${tally.failed} failed, ${tally.signalled} were ended by a signal, ${tally.untouched} went ` +
        `on; the old TPM is there ${tally.old} times, the new one ${tally.new} times`,
    );
    assert.ok(tally.failed > TRIES / 10 && tally.signalled > TRIES / 10, "little went wrong");
  },
});

for (const backend of BACKENDS) {
  Deno.test(`a full disk leaves the old TPM, ${backend} [setup-keeps-state]`, async () => {
    await using workshop = await Workshop.make("0.7.1");
    const site = await Site.make(workshop, backend);
    const before = Deno.readFileSync(site.file);
    const size = Math.ceil(before.length / 4096) * 4;
    for (const mode of Object.keys(MODES) as Mode[]) {
      for (const spare of [0, 4]) {
        const disk = Deno.makeTempDirSync({ dir: workshop.folder.path });
        const place = backend === "dir" ? `dir://${disk}` : `file://${disk}/file`;
        const name = backend === "dir" ? PERMALL : "file";
        const script = 'cp "$1" "$2/$3" && shift 3 && "$@"; code=$?; ' +
          `cp "${disk}/${name}" "${site.file}.left" && ls "${disk}" && exit $code`;
        const { command, args } = site.program(false);
        const shell = withTmpfs(plainProgram("sh", "/bin/sh"), disk, size + spare);
        const { code, stdout, stderr } = await run(shell, [
          ...["-c", script, "sh", site.file, disk, name, command, ...args],
          ...site.words([...MODES[mode], "--tpm-state", place]),
        ], site.options);
        const said = `${mode}, ${spare} KiB: ${code}\n${stdout}${stderr}`;
        const after = Deno.readFileSync(`${site.file}.left`);
        if (code === 0) continue;
        assert.match(stderr, /No space left on device/, said);
        assert.equal(after.toHex(), before.toHex(), said);
        assert.doesNotMatch(stdout, /TMP/, said);
      }
    }
  });
}

Deno.test("a state that cannot be looked at is not taken for none [setup-keeps-state]", async () => {
  await using workshop = await Workshop.make("0.7.1");
  const site = await Site.make(workshop, "file");
  const before = await site.identity();
  const disaster = { call: "statx", near: true, how: "error=EIO" };
  for (const mode of Object.keys(MODES) as Mode[]) {
    // The first of them and those behind it.
    for (const first of [1, 2, 3, 5]) {
      const { code, stderr } = await site.suffer(mode, false, {
        ...disaster,
        when: `${first}+`,
      });
      assert.equal(code, 1, `${mode} ${first}: ${stderr}`);
      assert.match(stderr, /Input\/output error|cannot access/, `${mode} ${first}`);
      assert.deepEqual(await site.identity(), before, `${mode} ${first}: ${stderr}`);
    }
  }
});

Deno.test("a signal takes along what another program's TPM was made in", async () => {
  await using workshop = await Workshop.make("0.7.1");
  const site = await Site.make(workshop, "dir");
  const { command, args } = site.program(true);
  const words = [...args, ...site.words(MODES.overwrite)];
  await using process = new TestProcess(plainProgram("setup", command), words, site.options);
  await waitUntil("the other program", () => process.stdout.includes("TPM is listening"));
  process.kill("SIGTERM");
  const { signal } = await process.ended();
  assert.equal(signal, "SIGTERM");
  assert.deepEqual(site.litter, []);
});

Deno.test("a TPM with certificates is made without another process", async () => {
  await using workshop = await Workshop.make("0.7.1");
  const site = await Site.make(workshop, "dir");
  const words = [...MODES.overwrite, "--create-platform-cert", "--write-ek-cert-files", "."];
  const started = await site.calls("execve,fork,vfork,clone,clone3", words);
  const processes = started.filter((line) => !line.includes("CLONE_THREAD"));
  assert.equal(processes.length, 1, processes.join("\n"));
  assert.match(processes[0]!, /^\d+ +execve\(.*swtpm_setup"/);
});
