// TSS.MSR's client in JavaScript from npm, driven by its project's one program for it: the TPM's part
// of a device's registration, which is served the other part by the same TPM.

import { join } from "node:path";
import { mustRun } from "../peers/command.ts";
import type { Suite } from "./suite.ts";

const INSTALL_MS = 180_000;
const PACKAGES = ["tss.js@2.0.0", "typescript@4.9.5"];
const PROGRAM = "TSS.JS/test/Test_Azure_IoT_Provisioning.ts";

export const TSS_JS: Suite = {
  name: "tss.js",
  tpms: ["mssim", "managed-tcp"],
  parts: async (sources) => {
    const source = join(
      await sources.elsewhere("tss-msr", "github.com/microsoft/TSS.MSR"),
      PROGRAM,
    );
    const folder = await sources.made("built/tss.js", async (folder) => {
      await Deno.writeTextFile(join(folder, "package.json"), "{}");
      // Its native parts are for Windows alone.
      await mustRun(["npm", "install", "--ignore-scripts", "--no-audit", ...PACKAGES], {
        cwd: folder,
        timeoutMs: INSTALL_MS,
      });
      const program = (await Deno.readTextFile(source))
        .replaceAll("../lib/index.js", "tss.js")
        .replace("new Tpm(useTpmSim)", "new Tpm(useTpmSim, '127.0.0.1', Number(process.argv[3]))");
      await Deno.writeTextFile(join(folder, "registration.ts"), program);
      // Its types are those of an older Node, which the compiler says and goes on.
      const compile = "node_modules/.bin/tsc --module commonjs --target es2020 registration.ts";
      await mustRun(["sh", "-c", `${compile}; test -s registration.js`], {
        cwd: folder,
        timeoutMs: INSTALL_MS,
      });
    });
    return [{
      name: "registration",
      command: ["sh", "-c", SCRIPT, "suites", join(folder, "registration.js")],
    }];
  },
};

/** The program ends with 0 whatever has happened, and says so in its last line. */
const SCRIPT = `node --no-deprecation "$1" sim "$MSSIM_PORT" | tee /dev/stderr |
grep "Node.JS demo successfully finished!"`;
