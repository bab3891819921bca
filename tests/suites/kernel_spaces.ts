// The kernel's selftests of its resource manager: the class SpaceTest, with a connection to the
// managed address in the place of its device.

import type { Outcome } from "../support/process.ts";
import type { Result, Suite } from "./suite.ts";
import { mustRun } from "../peers/command.ts";

const PACKAGE = "linux-source-6.1";
const UNPACK_MS = 300_000;
const FOLDER = "tools/testing/selftests/tpm2";

export const KERNEL_SPACES: Suite = {
  name: "kernel-spaces",
  tpms: ["managed"],
  parts: async (sources) => {
    const tree = await sources.made("linux-selftests", async (folder) => {
      const unpacked = await sources.packages("linux-source", [PACKAGE]);
      await mustRun([
        ...["tar", "-x", "--strip-components=5", "-C", folder, "--wildcards"],
        ...["-f", `${unpacked}/usr/src/${PACKAGE}.tar.xz`, `*/${FOLDER}/*`],
      ], { timeoutMs: UNPACK_MS });
      await Deno.remove(unpacked, { recursive: true });
    });
    return [{
      name: "SpaceTest",
      command: ["python3", "-c", SCRIPT, "-v", "SpaceTest", "AsyncTest.test_flush_invalid_context"],
      env: { PYTHONPATH: tree },
      results,
    }];
  },
};

/** Its clients open /dev/tpmrm0: each opening is a connection, a write a command. */
const SCRIPT = `
import os, socket, struct, sys, unittest
import tpm2, tpm2_tests

class Device:
    def __init__(self, *_, **__):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(os.environ["SWTPM_RM"])
    def fileno(self):
        return self.socket.fileno()
    def write(self, command):
        self.socket.setblocking(True)
        self.socket.sendall(struct.pack(">IBI", 8, 0, len(command)) + command)
    def take(self, length):
        taken = self.socket.recv(length, socket.MSG_WAITALL)
        assert len(taken) == length, "the connection has ended"
        return taken
    def read(self):
        response = self.take(*struct.unpack(">I", self.take(4)))
        self.take(4)
        return response
    def close(self):
        self.socket.close()

tpm2.open = Device
unittest.main(module=tpm2_tests)
`;

/** A line is "test_flush_context (tpm2_tests.SpaceTest.test_flush_context) ... ok". */
function results({ stderr }: Outcome): Result[] {
  return [...stderr.matchAll(/^(test_\w+) .*\.\.\. (ok|FAIL|ERROR|skipped)/gm)].map((
    [, name, word],
  ) => ({
    name: name!,
    verdict: word === "ok" ? "pass" : word === "skipped" ? "skip" : "fail",
  }));
}
