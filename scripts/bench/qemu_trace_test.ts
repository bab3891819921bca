// Waits out of a trace as QEMU 7.2 writes it.

import assert from "node:assert/strict";
import { parseWaits } from "./qemu_trace.ts";

Deno.test("a command lasts from its hand-over to its answer", () => {
  const trace = [
    "31112@1795404694.933466:tpm_util_show_buffer direction: To TPM len: 12",
    "80 01 00 00 00 0C 00 00 01 44 00 00",
    "31113@1795404694.933748:tpm_emulator_handle_request processing TPM command",
    "31109@1795404694.934582:tpm_util_show_buffer direction: From TPM len: 10",
    "80 01 00 00 00 0A 00 00 00 00",
    "31112@1795404694.999990:tpm_emulator_handle_request processing TPM command",
    "31109@1795404695.000240:tpm_util_show_buffer direction: From TPM len: 10",
    "31112@1795404695.100000:tpm_emulator_handle_request processing TPM command",
    "",
  ].join("\n");
  assert.deepEqual(parseWaits(trace), [834, 250]);
});

Deno.test("an answer without a command is none", () => {
  assert.deepEqual(
    parseWaits("7@1.000001:tpm_util_show_buffer direction: From TPM len: 10\n"),
    [],
  );
});
