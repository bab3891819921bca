// When it looks for the next command, when it sleeps for it, and when it learns to do neither.
import { equal, ok } from "node:assert/strict";
import { ASLEEP, Spin } from "./spin.ts";

/** What it does for each of so many commands, none of which comes meanwhile. */
function inVain(spin: Spin, commands: number): number[] {
  return Array.from({ length: commands }, () => {
    const looks = spin.looks();
    spin.missed();
    return looks;
  });
}

const long = (looks: readonly number[]) => looks.filter((looks) => looks > 1).length;
const asleep = (looks: readonly number[]) => looks.filter((looks) => looks === ASLEEP).length;

Deno.test("it looks long until that was in vain four times, then ever more seldom", () => {
  const spin = new Spin(2);
  equal(long(inVain(spin, 4)), 4);
  equal(long(inVain(spin, 4)), 0);
  equal(long(inVain(spin, 1)), 1);
  equal(long(inVain(spin, 8)), 0);
  inVain(spin, 10_000);
  ok(long(inVain(spin, 10_000)) < 12);
});

Deno.test("commands that come while it looks have it look long again", () => {
  const spin = new Spin(2);
  inVain(spin, 10_000);
  for (let command = 0; command < 4; command++) {
    while (spin.looks() <= 1) spin.missed();
    spin.found(20);
  }
  equal(long(inVain(spin, 4)), 4);
});

Deno.test("one command that came while it looked is no reason to look long again", () => {
  const spin = new Spin(2);
  inVain(spin, 10_000);
  while (spin.looks() <= 1) spin.missed();
  spin.found(20);
  equal(long(inVain(spin, 100)), 1);
});

Deno.test("a command that was there at once says nothing about looking", () => {
  const spin = new Spin(2);
  inVain(spin, 4);
  for (let command = 0; command < 4; command++) {
    equal(spin.looks() <= 1, true);
    spin.found(0);
  }
  equal(long(inVain(spin, 1)), 1);
  equal(long(inVain(spin, 8)), 0);
});

Deno.test("it looks so often as was said, and not much longer than a wake-up takes", () => {
  const spin = new Spin(2);
  spin.looks();
  ok(spin.goesOn(1));
  equal(spin.goesOn(200), false);
  ok(spin.goesOn(16));
  const begin = performance.now();
  while (performance.now() - begin < 1);
  ok(spin.goesOn(31));
  equal(spin.goesOn(32), false);
});

Deno.test("with one processor it never looks long", () => {
  equal(long(inVain(new Spin(1), 100)), 0);
});

Deno.test("it sleeps for commands as long as they come, else ever more seldom", () => {
  const spin = new Spin(1);
  for (let command = 0; command < 100; command++) {
    equal(spin.looks(), ASLEEP);
    equal(spin.goesOn(1), false);
    spin.found(0);
  }
  equal(asleep(inVain(spin, 9)), 1);
  equal(asleep(inVain(spin, 17)), 1);
  inVain(spin, 10_000);
  ok(asleep(inVain(spin, 10_000)) < 12);
  while (spin.looks() !== ASLEEP) spin.missed();
  spin.found(0);
  equal(asleep(inVain(spin, 9)), 1);
});
