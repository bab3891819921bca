// A libtpms that takes larger commands than today's, as the next one will: what it says it takes
// reaches it whole. It is a layer over the machine's libtpms, which only answers for the size.

import assert from "node:assert/strict";
import { TPM_CC } from "../../tcg/tpm2/command_codes.ts";
import { TPM_ST } from "../../tcg/tpm2/constants.ts";
import { Emulator } from "../support/emulator.ts";
import { run } from "../support/process.ts";
import { plainProgram } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { fields, repeated, u16, u32 } from "../support/bytes.ts";
import { readAnswer, tpm2, withLocality } from "../support/tpm2.ts";

const LARGEST = 8192;
const FOLDER = `/usr/lib/${Deno.build.arch}-linux-gnu`;

/** Says the largest command of TPM 2 (property 16), and answers to a large one with its size. */
const LAYER = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

uint32_t TPMLIB_GetTPMProperty(int property, int *value)
{
    uint32_t (*below)(int, int *) = dlsym(RTLD_NEXT, "TPMLIB_GetTPMProperty");
    if (property != 16)
        return below(property, value);
    *value = ${LARGEST};
    return 0;
}

uint32_t TPMLIB_Process(unsigned char **response, uint32_t *size, uint32_t *buffer_size,
                        unsigned char *command, uint32_t command_size)
{
    uint32_t (*below)(unsigned char **, uint32_t *, uint32_t *, unsigned char *, uint32_t) =
        dlsym(RTLD_NEXT, "TPMLIB_Process");
    if (command_size <= 4096)
        return below(response, size, buffer_size, command, command_size);
    unsigned char answer[14] = { 0x80, 0x01, 0, 0, 0, 14, 0, 0, 0, 0, 0, 0,
                                 command_size >> 8, command_size & 0xff };
    if (*buffer_size < sizeof answer) {
        *response = realloc(*response, sizeof answer);
        *buffer_size = sizeof answer;
    }
    memcpy(*response, answer, sizeof answer);
    *size = sizeof answer;
    return 0;
}
`;

async function layerOver(folder: TempDir): Promise<string> {
  Deno.writeTextFileSync(folder.join("layer.c"), LAYER);
  const layer = folder.join("libtpms.so.0");
  const { code, stderr } = await run(plainProgram("gcc", "/usr/bin/gcc"), [
    ...["-shared", "-fPIC", "-Wall", "-o", layer, folder.join("layer.c")],
    ...["-Wl,--no-as-needed", `${FOLDER}/libtpms.so.0`],
  ]);
  assert.equal(code, 0, stderr);
  return layer;
}

function large(size: number): Uint8Array {
  return fields(u16(TPM_ST.NO_SESSIONS), u32(size), u32(TPM_CC.GetRandom), repeated(1, size - 10));
}

Deno.test("commands as large as libtpms takes are collected whole, and captured", async () => {
  await using folder = new TempDir();
  await using emulator = await Emulator.start({
    flags: ["startup-clear"],
    args: ["--libtpms", await layerOver(folder), "--pcap", `file=${folder.join("pcap")}`],
  });
  using data = await emulator.connectData();
  for (const size of [4097, 5000, LARGEST]) {
    const command = large(size);
    await data.wire.sendSplit(command, [4096, command.length]);
    const answer = await data.answer();
    assert.equal(readAnswer(answer).code, 0, `${size} bytes`);
    assert.equal(new DataView(answer.buffer, answer.byteOffset).getUint32(10), size);
  }
  await data.wire.send(withLocality(0, large(LARGEST)));
  assert.equal((await data.wire.receive(4 + 14 + 4)).length, 22);
  assert.equal(readAnswer(await data.command(tpm2.getRandom(8))).code, 0);
  assert.equal((await emulator.stop()).code, 0);
  const { code, stdout, stderr } = await run(plainProgram("tshark", "/usr/bin/tshark"), [
    ...["-r", folder.join("pcap"), "-T", "fields", "-e", "tcp.len"],
  ]);
  assert.equal(code, 0, stderr);
  const captured = stdout.split("\n").map(Number);
  for (const size of [4097, 5000, LARGEST, LARGEST + 9]) assert.ok(captured.includes(size), stdout);
});
