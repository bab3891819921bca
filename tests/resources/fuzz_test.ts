// Eight connections to the managed address at once: wild ones, which send mutated commands and name what
// others have, and good ones, which notice if any of that reached them. A failure is repeated with
// SPACES_SEED=... (the seed is printed); SPACES_COMMANDS sets how many are sent.
import assert from "node:assert/strict";
import { Random, seedFrom } from "../robustness/random.ts";
import { type Port, Simulator } from "../simulator/server.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";
import { managedTest } from "./managed_tpm.ts";
import { GoodClient, Makers, WildClient, type Wire } from "./wild_client.ts";

const COMMANDS = Number(Deno.env.get("SPACES_COMMANDS") ?? 20_000);
const CONNECTIONS = 8;
/** A connection ends and another one begins, about as often. */
const LIFE = 400;
const CHECK_EVERY = 50;
/** Commands after which memory is looked at for the first time, and what it may grow by. */
const WARM_UP = 0.3;
/** V8 takes some 36 MB more after some 150,000 of them, once, and then no more. */
const GROWTH_KIB = (COMMANDS > 100_000 ? 48 : 8) * 1024;

type AnyClient = GoodClient | WildClient;

/** Has all of them do their steps, by turns or at the same time. */
async function fuzz(
  connect: () => Wire | Promise<Wire>,
  { seed, commands }: { seed: number; commands: number },
): Promise<void> {
  const makers = new Makers();
  const lives = Array.from({ length: CONNECTIONS }, async (_, lane) => {
    const random = new Random(seed + lane);
    const open = async (): Promise<AnyClient> => {
      const kind = lane % 2 === 0 ? GoodClient : WildClient;
      return new kind(await connect(), random, makers);
    };
    let client = await open();
    for (let n = 0; n < commands / CONNECTIONS; n++) {
      await client.step();
      if (n % CHECK_EVERY === 0 && client instanceof GoodClient) await client.check();
      if (!random.oneIn(LIFE)) continue;
      await client.close();
      client = await open();
    }
    if (client instanceof GoodClient) await client.check();
    await client.close();
  });
  await Promise.all(lives);
}

managedTest("mutated commands in this process reach nothing of others'", async (managed) => {
  const seed = seedFrom("SPACES_SEED");
  console.log(`SPACES_SEED=${seed}`);
  await fuzz(() => managed.connect().wire, { seed, commands: COMMANDS });
  const { manager, bare } = managed;
  assert.deepEqual([manager.loaded.objects, manager.loaded.sessions], [0, 0]);
  assert.deepEqual(await bare.handles(0x80000000), []);
  assert.deepEqual(await bare.handles(0x02000000), []);
  console.log(JSON.stringify(manager.counts));
});

function wireOf(port: Port): Wire {
  return { send: (command) => port.run(command), close: () => port[Symbol.dispose]() };
}

Deno.test("mutated commands over sockets reach nothing of others', and take no memory", async () => {
  const seed = seedFrom("SPACES_SEED");
  console.log(`SPACES_SEED=${seed}`);
  await using simulator = await Simulator.start("unix", { flags: ["startup-clear"] }, "--rm");
  const connect = async () => wireOf(await simulator.connect());
  await fuzz(connect, { seed, commands: COMMANDS * WARM_UP });
  const before = simulator.emulator.memory().privateKiB;
  await fuzz(connect, { seed: seed + 100, commands: COMMANDS * (1 - WARM_UP) });
  const grown = simulator.emulator.memory().privateKiB - before;
  console.log(`${COMMANDS} commands; private memory has grown by ${grown} KiB`);
  assert.ok(grown <= GROWTH_KIB, `private memory has grown by ${grown} KiB`);
  using data = await simulator.emulator.connectData();
  for (const first of [0x80000000, 0x02000000]) {
    const { body } = readAnswer(await data.command(tpm2.getCapability(1, first, 64)));
    assert.equal(body[8], 0, `handles from ${first.toString(16)} on`);
  }
});
