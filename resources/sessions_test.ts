// Unit tests of sessions that are saved and loaded again, over a chip that only counts.
import { deepEqual, equal } from "node:assert/strict";
import { TpmRc } from "../wire/codes.ts";
import { Chip } from "./chip.ts";
import { FakeChip } from "./chip_fake.ts";
import { type Session, Sessions } from "./sessions.ts";

const GAP_WISHED = 40;

function setUp(gap?: number) {
  const chip = new FakeChip(3, gap);
  const sessions = new Sessions(new Chip(chip.ask));
  sessions.gapWished = GAP_WISHED;
  const start = (owner: object) => {
    sessions.unpin();
    sessions.makeRoom(1);
    const handle = chip.startSession();
    sessions.add(owner, handle);
    return sessions.get(handle)!;
  };
  const use = (...wanted: Session[]) => {
    sessions.unpin();
    for (const session of wanted) sessions.pin(session);
    for (const session of wanted) {
      if (session.context !== undefined) equal(sessions.load(session), TpmRc.SUCCESS);
    }
    for (const { handle } of wanted) equal(chip.sessions.has(handle), true);
  };
  return { chip, sessions, start, use };
}

Deno.test("nothing moves before a slot is needed, and who was used longest ago goes first", () => {
  const { chip, start, use } = setUp();
  const owner = {};
  const [one, two, three] = [start(owner), start(owner), start(owner)];
  use(one, two, three);
  use(one);
  deepEqual(chip.calls, []);
  const four = start(owner);
  deepEqual(chip.calls, ["save 2000001"]);
  use(one, three, four);
  use(two, one, four);
  use(three, two, one);
});

Deno.test("the oldest is saved anew before the gap is too wide, and its client does not know", () => {
  const { chip, sessions, start, use } = setUp(GAP_WISHED + 10);
  const owner = {};
  const early = start(owner);
  const context = save(sessions, chip, early);
  const [one, two, three, four] = [start(owner), start(owner), start(owner), start(owner)];
  for (let n = 0; n < GAP_WISHED; n++) for (const each of [one, two, three, four]) use(each);
  equal(sessions.counts.renewed > 2, true);
  const current = sessions.current(early, context);
  equal(current === context, false);
  deepEqual(sessions.current(early, current.slice()), current, "no other bytes are translated");
  const longer = Uint8Array.of(...context, 0);
  equal(sessions.current(early, longer), longer);
  equal(sessions.current(undefined, context), context);
});

/** As a client saves it. */
function save(sessions: Sessions, chip: FakeChip, session: Session) {
  const context = new Chip(chip.ask).save(session.handle) as Uint8Array<ArrayBuffer>;
  sessions.saved(session, context, context);
  return context;
}

Deno.test("a password is no session, whatever number it seems to have", () => {
  const { sessions, start } = setUp();
  for (let n = 0; n < 12; n++) start({});
  equal(sessions.get(0x0200_0009)?.number, 9);
  equal(sessions.get(0x0300_0009)?.number, 9);
  equal(sessions.get(0x4000_0009), undefined);
});

Deno.test("when the TPM says that the gap is too wide, the oldest is saved anew", () => {
  const { chip, sessions, start, use } = setUp(8);
  const owner = {};
  const old = start(owner);
  save(sessions, chip, old);
  const other = start(owner);
  for (let n = 0; n < 12; n++) {
    const fresh = start(owner);
    while (new Chip(chip.ask).save(fresh.handle) === TpmRc.CONTEXT_GAP) {
      equal(sessions.renewOldest() || sessions.evictOne(), true);
    }
    chip.saved.delete(fresh.handle);
    sessions.forget(fresh);
  }
  use(other);
});

Deno.test("a number that is another session's now is not ended with the first one", () => {
  const { chip, sessions, start } = setUp();
  const owner = {};
  const mine = start(owner);
  sessions.swapOutAll();
  sessions.doubtAll();
  chip.saved.delete(mine.handle);
  equal(chip.startSession(), mine.handle);
  sessions.close(owner);
  equal(chip.sessions.has(mine.handle), true);
  equal(sessions.size, 0);
});

Deno.test("what a client saved stays when it goes, until a place is needed", () => {
  const { chip, sessions, start } = setUp();
  const owner = {};
  const [first, second, third] = [start(owner), start(owner), start(owner)];
  save(sessions, chip, second);
  save(sessions, chip, first);
  equal(sessions.endOldestOrphan(), false, "its client is there");
  sessions.close(owner);
  deepEqual([...chip.saved.keys()], [second.handle, first.handle]);
  equal(chip.sessions.has(third.handle), false);
  equal(sessions.endOldestOrphan(), true);
  deepEqual([...chip.saved.keys()], [first.handle]);
  sessions.keepOnly([]);
  equal(sessions.size, 0);
});

Deno.test("who went while the TPM was off is ended when it is on again", () => {
  const { chip, sessions, start } = setUp();
  const [gone, there] = [{}, {}];
  const [one, two] = [start(gone), start(there)];
  sessions.swapOutAll();
  sessions.powerLost();
  sessions.abandon(gone);
  sessions.keepOnly([...chip.saved.keys()]);
  deepEqual([...chip.saved.keys()], [two.handle]);
  equal(sessions.get(one.handle), undefined);
});
