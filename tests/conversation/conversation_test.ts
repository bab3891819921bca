// One long conversation per TPM version, played to the C program and to ours, answer for answer.
// Ours is compared twice: with the C program 0.10 over the same libtpms 0.10, and with the C
// program 0.7.1 over the system's libtpms. Leaves the steps to scenes.ts and what may differ to
// differences.ts.

import assert from "node:assert/strict";
import { peer } from "../peers/peers.ts";
import { isSince } from "../peers/version.ts";
import { peerProgram, withNewLibtpms } from "../support/peer_programs.ts";
import { type Program, programUnderTest } from "../support/programs.ts";
import { compare, type Played } from "./compare.ts";
import { CHANGED_SINCE_0_7_1, DIFFERENCES } from "./differences.ts";
import { play } from "./player.ts";
import { type Conversation, conversations } from "./scenes.ts";
import type { Scene } from "./step.ts";

/** Messages a conversation has at least; fewer means that scenes have been lost. */
const MESSAGES_AT_LEAST = 150;
/** Scenes played at the same time; they mostly wait. */
const AT_ONCE = 8;

for (const conversation of conversations()) {
  Deno.test(`conversation with ${conversation.name}`, async (t) => {
    const { scenes } = conversation;
    const messages = scenes.flatMap((scene) => scene.steps).filter((step) => step.does === "send");
    assert.ok(messages.length >= MESSAGES_AT_LEAST, `only ${messages.length} messages`);

    const ours = programUnderTest();
    const new10 = await peerProgram("0.10");
    const old = await peerProgram("0.7.1");
    const oldScenes = scenes.filter((scene) => scene.since === undefined);
    const [peer10, peer10Again, ours10, peer07, ours07] = await playAll(conversation, [
      [new10, scenes],
      [new10, scenes],
      [await withNewLibtpms(ours), scenes],
      [old, oldScenes],
      [ours, oldScenes],
    ]);

    // Who reads the output sees which versions were met.
    await t.step(`${new10.name} answers the same twice`, () => {
      assertSame(scenes, peer10, peer10Again, (...sides) => compare(...sides, []));
    });
    const { version } = await peer("0.10");
    const different = DIFFERENCES.filter(({ until }) => !until || !isSince(version, until));
    await t.step(`ours answers as ${new10.name}`, () => {
      assertSame(scenes, peer10, ours10, (...sides) => compare(...sides, different));
    });
    await t.step(`ours answers as ${old.name}`, () => {
      const changed = CHANGED_SINCE_0_7_1.map(({ step }) => step);
      assertSame(oldScenes, peer07, ours07, (...sides) => compare(...sides, DIFFERENCES, changed));
    });
  });
}

Deno.test("each declared difference belongs to a step", () => {
  const scenes = conversations().flatMap((conversation) => conversation.scenes);
  for (const { scene, step } of DIFFERENCES) {
    const steps = scenes.filter(({ name }) => name === scene).flatMap((found) => found.steps);
    assert.ok(steps.length > 0, `there is no scene "${scene}"`);
    assert.ok(
      step === "end" || steps.some(({ id }) => id === step),
      `scene "${scene}" has no step "${step}"`,
    );
  }
});

Deno.test("the steps of each scene have names of their own", () => {
  for (const { name, scenes } of conversations()) {
    for (const scene of scenes) {
      const ids = scene.steps.map(({ id }) => id);
      const twice = ids.filter((id, n) => ids.indexOf(id) !== n);
      assert.deepEqual(twice, [], `${name}, scene "${scene.name}"`);
    }
  }
});

type Plays = ReadonlyMap<string, Played>;

/** Plays for each program its scenes, several at the same time. */
async function playAll<const T extends readonly (readonly [Program, readonly Scene[]])[]>(
  conversation: Conversation,
  programs: T,
): Promise<{ [N in keyof T]: Plays }> {
  const plays = programs.map(() => new Map<string, Played>());
  // Scenes outermost, so that both sides of a comparison are played under the same load.
  const jobs = conversation.scenes.flatMap((scene) =>
    programs.flatMap(([program, scenes], n) =>
      scenes.includes(scene)
        ? [async () => {
          const entries = await play(program, conversation.tpm2, scene);
          plays[n]?.set(scene.name, { program: program.name, entries });
        }]
        : []
    )
  );
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) await job();
  }));
  return plays as unknown as { [N in keyof T]: Plays };
}

function assertSame(
  scenes: readonly Scene[],
  reference: Plays,
  tested: Plays,
  complaintsOf: (scene: string, reference: Played, tested: Played) => string[],
): void {
  const complaints = scenes.flatMap(({ name }) => {
    const one = reference.get(name);
    const other = tested.get(name);
    assert.ok(one !== undefined && other !== undefined, `scene "${name}" has not been played`);
    return complaintsOf(name, one, other);
  });
  assert.equal(
    complaints.length,
    0,
    `${complaints.length} answers differ:\n${complaints.join("\n")}`,
  );
}
