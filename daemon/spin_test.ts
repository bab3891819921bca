// When the loop looks for the next command, and when it learns not to.
import { equal } from "node:assert/strict";
import { Spin } from "./spin.ts";

/** How often it looks for each of so many commands, none of which comes while it looks. */
function looksInVain(spin: Spin, commands: number): number[] {
  return Array.from({ length: commands }, () => {
    const looks = spin.looks();
    spin.missed();
    return looks;
  });
}

const long = (looks: readonly number[]) => looks.filter((looks) => looks > 1).length;

Deno.test("it looks long until that was in vain four times, then ever more seldom", () => {
  const spin = new Spin(2);
  equal(long(looksInVain(spin, 4)), 4);
  equal(long(looksInVain(spin, 4)), 0);
  equal(long(looksInVain(spin, 1)), 1);
  equal(long(looksInVain(spin, 8)), 0);
  looksInVain(spin, 10_000);
  equal(long(looksInVain(spin, 10_000)) < 12, true);
});

Deno.test("a command that came while it looked has it look long again", () => {
  const spin = new Spin(2);
  looksInVain(spin, 4);
  while (spin.looks() === 1) spin.missed();
  spin.found(20);
  equal(long(looksInVain(spin, 4)), 4);
});

Deno.test("a command that was there at once says nothing about looking", () => {
  const spin = new Spin(2);
  looksInVain(spin, 4);
  for (let command = 0; command < 4; command++) {
    equal(spin.looks(), 1);
    spin.found(0);
  }
  equal(long(looksInVain(spin, 1)), 1);
  equal(long(looksInVain(spin, 8)), 0);
});

Deno.test("with one processor it looks once", () => {
  equal(long(looksInVain(new Spin(1), 100)), 0);
});
