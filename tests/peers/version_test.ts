// Which versions of the C program are taken, and their order.

import assert from "node:assert/strict";
import { isSince, versionFor } from "./version.ts";

Deno.test("any version that is near enough is taken, whatever a suite moves to", () => {
  const says = (version: string) => `TPM emulator version ${version}, Copyright (c) 2014-2022\n`;
  for (const version of ["0.7.1", "0.7.3", "0.7.12"]) {
    assert.equal(versionFor("0.7.1", says(version)), version);
    assert.equal(versionFor("0.10", says(version)), undefined);
  }
  for (const version of ["0.10.0", "0.10.2", "0.11.0", "0.11.14"]) {
    assert.equal(versionFor("0.10", says(version)), version);
    assert.equal(versionFor("0.7.1", says(version)), undefined);
  }
  for (const version of ["0.8.3", "0.12.0", "0.1.7", "1.0.7", "10.10.2", "3.0.10.2", "0.110.1"]) {
    assert.equal(versionFor("0.7.1", says(version)), undefined, version);
    assert.equal(versionFor("0.10", says(version)), undefined, version);
  }
});

Deno.test("versions are ordered by their numbers", () => {
  assert.ok(isSince("0.11.0", "0.11"));
  assert.ok(isSince("0.11.3", "0.11"));
  assert.ok(isSince("0.10.2", "0.10.2"));
  assert.ok(isSince("0.10.2", "0.7.1"));
  assert.ok(isSince("1.0.0", "0.11"));
  assert.ok(isSince("0.11.0-dev", "0.11.0"));
  assert.ok(!isSince("0.10.2", "0.11"));
  assert.ok(!isSince("0.10.1", "0.10.2"));
  assert.ok(!isSince("0.9.1", "0.10"));
});
