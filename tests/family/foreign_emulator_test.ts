// What swtpm_setup knows of the program that `--tpm` names is what that says of itself, and not what the
// libtpms here can do.

import assert from "node:assert/strict";
import { run } from "../support/process.ts";
import { TempDir } from "../support/temp_dir.ts";
import { linksIn } from "./links.ts";

/** Answers questions, and is no emulator. */
const ANSWERS = `#!/bin/sh
case "$*" in
*--print-capabilities*)
	echo '{ "type": "swtpm", "features": [ "tpm-2.0", "rsa-keysize-2048", "rsa-keysize-4096" ],' \\
		'"profiles": { "names": [ "made-up" ] }, "version": "0.10.0" }' ;;
*--print-profiles*) echo '{"AvailableProfiles":[{"Name":"made-up"}]}' ;;
*) exit 7 ;;
esac
`;

Deno.test("another emulator's RSA keys and profiles are its own affair", async () => {
  await using folder = new TempDir();
  const link = await linksIn(folder);
  const other = folder.join("other");
  Deno.writeTextFileSync(other, ANSWERS, { mode: 0o755 });
  const state = folder.join("state");
  Deno.mkdirSync(state);
  const setup = async (...words: string[]) =>
    await run(link("swtpm_setup"), ["--tpm2", "--tpm", `${other} socket`, ...words], {
      cwd: folder.path,
      env: { HOME: folder.path, XDG_CONFIG_HOME: folder.path },
    });
  const make = async (bits: string) =>
    await setup("--tpm-state", state, "--createek", "--rsa-keysize", bits);

  const capabilities = JSON.parse((await setup("--print-capabilities")).stdout);
  assert.deepEqual(capabilities.profiles, ["made-up"]);
  assert.ok(capabilities.features.includes("tpm2-rsa-keysize-4096"));
  const profiles = JSON.parse((await setup("--print-profiles")).stdout);
  assert.deepEqual(profiles.builtin, [{ Name: "made-up" }]);
  const missing = await make("3072");
  assert.equal(missing.code, 1);
  assert.equal(missing.stderr, "3072 bit RSA keys are not supported by libtpms.\n");
  // It goes on, and ends as it is no emulator.
  const there = await make("4096");
  assert.equal(there.code, 1);
  assert.match(
    there.stderr,
    /^swtpm process terminated unexpectedly\.\nCould not start the TPM 2\./,
  );
});
