// swtpm_bios, the C project's stand-in for a firmware, against our data channel: both TPM versions,
// both transports. It opens a connection for each TPM command.

import assert from "node:assert/strict";
import { Emulator } from "../support/emulator.ts";
import { peerProgram } from "../support/peer_programs.ts";
import { run } from "../support/process.ts";

for (const tpm2 of [true, false]) {
  for (const transport of ["unix", "tcp"] as const) {
    Deno.test(`swtpm_bios, ${tpm2 ? "TPM 2" : "TPM 1.2"} over ${transport}`, async () => {
      const program = await peerProgram("0.7.1", "bios");
      await using emulator = await Emulator.start({
        tpm2,
        transport,
        flags: ["not-need-init"],
        dataOptions: transport === "tcp" ? ["disconnect"] : [],
      });
      const { dataAddress: address } = emulator;
      const where = address.transport === "unix"
        ? ["--unix", address.path]
        : ["--tcp", `${address.hostname}:${address.port}`];
      const version = tpm2 ? ["--tpm2"] : [];
      const bios = (...args: string[]) => run(program, [...where, ...version, ...args]);

      const started = await bios("-c");
      assert.equal(started.code, 0, started.stdout + started.stderr);
      const again = await bios("-c");
      assert.equal(again.code, 128);
      assert.match(
        again.stdout + again.stderr,
        tpm2 ? /TPM2_Startup.* 0x00000100/ : /TPM_Startup.* 0x00000026/,
      );
      for (const args of [["-n"], ["-n", "-cs"], ["-n", "-u"]]) {
        const { code, stdout, stderr } = await bios(...args);
        assert.equal(code, 0, `${args.join(" ")}: ${stdout}${stderr}`);
      }
      assert.equal((await emulator.stop()).code, 0);
    });
  }
}
