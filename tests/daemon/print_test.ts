// Options that only print something and end: nobody else notices, whatever sockets they are told of.

import assert from "node:assert/strict";
import { Emulator } from "../support/emulator.ts";
import { exists } from "../support/exists.ts";
import { peerProgram, withNewLibtpms } from "../support/peer_programs.ts";
import { run } from "../support/process.ts";

for (const option of ["--print-states", "--print-profiles"]) {
  Deno.test(`${option} opens no sockets, the C program 0.10 does [print-no-sockets]`, async () => {
    for (
      const [program, keeps] of [
        [await withNewLibtpms(), true],
        [await peerProgram("0.10"), false],
      ] as const
    ) {
      await using emulator = await Emulator.start();
      const { controlAddress } = emulator;
      assert.ok(controlAddress.transport === "unix");
      const socket = controlAddress.path;
      const { ino } = Deno.statSync(socket);
      using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const print = (...words: string[]) =>
        run(program, [
          ...["socket", "--tpm2", "--tpmstate", `dir=${emulator.stateDir}`, option, ...words],
        ]);
      const plain = await print();
      assert.equal(plain.code, 0, plain.stderr);
      // Whoever opens a Unix socket removes what is there, and whoever opens a port needs it free.
      const unix = await print("--ctrl", `type=unixio,path=${socket}`);
      assert.equal(unix.code, 0, unix.stderr);
      assert.equal(unix.stdout, plain.stdout, program.name);
      assert.equal(exists(socket) && Deno.statSync(socket).ino === ino, keeps, program.name);
      const tcp = await print("--server", `type=tcp,port=${taken.addr.port}`);
      assert.equal(tcp.code === 0, keeps, `${program.name}: ${tcp.stderr}`);
    }
  });
}
