// What the Dockerfile starts, run in a root as bare as its image.

import assert from "node:assert/strict";
import { octal } from "../devices/bytes.ts";
import { hex } from "../support/bytes.ts";
import { checkoutPath } from "../support/programs.ts";
import { tpm2 } from "../support/tpm2.ts";
import { MinimalRoot } from "./minimal_root.ts";
import { said } from "./runner.ts";

/** What stands behind an instruction of a Dockerfile, its continued lines joined. */
function instruction(dockerfile: string, name: string): string {
  const line = "[^\\\\\\n]*";
  const found = new RegExp(`^${name} (${line}(?:\\\\\\n${line})*)$`, "m").exec(dockerfile)?.[1];
  assert.ok(found !== undefined, `no ${name} in the Dockerfile`);
  return found.replaceAll("\\\n", "");
}

Deno.test("Dockerfile: its command serves a TPM, as its user", async () => {
  const dockerfile = await Deno.readTextFile(checkoutPath("Dockerfile"));
  assert.equal(instruction(dockerfile, "USER"), "65534:65534");
  assert.equal(instruction(dockerfile, "COPY"), "dist/swtpm /usr/local/bin/swtpm");
  const words: string[] = [
    ...JSON.parse(instruction(dockerfile, "ENTRYPOINT")),
    ...JSON.parse(instruction(dockerfile, "CMD")),
  ];
  const [data] = instruction(dockerfile, "EXPOSE").split(" ");
  const root = await MinimalRoot.get();
  const script = `
    "$@" & swtpm=$!
    until exec 3<> /dev/tcp/127.0.0.1/${data}; do kill -0 $swtpm; sleep 0.01; done 2> /dev/null
    printf '${octal(hex(tpm2.getRandom(4)))}' >&3
    head -c 10 <&3 | od -An -v -tx1
    kill $swtpm
    wait $swtpm`;
  const outcome = await root.run(["bash", "-ec", script, "bash", ...words], { network: true });
  assert.equal(outcome.code, 0, said(outcome));
  assert.equal(outcome.stdout.trim(), "80 01 00 00 00 10 00 00 00 00");
});
