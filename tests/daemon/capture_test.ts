// A packet capture, read by tshark: it knows the commands and responses of a TPM, and finds nothing
// wrong with the packets around them.

import assert from "node:assert/strict";
import { CMD, payload } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { run } from "../support/process.ts";
import { plainProgram, type Program, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { tpm2, withLocality } from "../support/tpm2.ts";

interface Packet {
  protocol: string;
  toTpm: boolean;
  info: string;
  tcpChecksum: string;
  ipChecksum: string;
}

/** `1`: good, `2`: not checked, in tshark's fields. */
const GOOD = "1";

async function packetsOf(path: string): Promise<Packet[]> {
  const fields = ["_ws.col.Protocol", "tcp.dstport", "_ws.col.Info", "tcp.checksum.status"];
  const { code, stdout, stderr } = await run(plainProgram("tshark", "/usr/bin/tshark"), [
    ...["-r", path, "-T", "fields", "-o", "tcp.check_checksum:TRUE"],
    ...["-o", "ip.check_checksum:TRUE"],
    ...[...fields, "ip.checksum.status"].flatMap((field) => ["-e", field]),
  ]);
  assert.equal(code, 0, stderr);
  return stdout.trimEnd().split("\n").map((row) => {
    const [protocol = "", port, info = "", tcpChecksum = "", ipChecksum = ""] = row.split("\t");
    return { protocol, toTpm: port === "2321", info, tcpChecksum, ipChecksum };
  });
}

/** An emulator's capture of its own start, two commands of a client, and its end. */
async function capture(path: string, ...words: string[]): Promise<void> {
  await using emulator = await Emulator.start({
    flags: ["startup-clear"],
    args: ["--pcap", [`file=${path}`, ...words].join(",")],
  });
  using data = await emulator.connectData();
  await data.command(tpm2.getRandom(15));
  await data.wire.send(withLocality(0, tpm2.getRandom(16)));
  await data.wire.receive(4 + 10 + 2 + 16 + 4);
  assert.equal((await emulator.stop()).code, 0);
}

const CONVERSATION = [
  "TCP [SYN]",
  "TCP [SYN, ACK]",
  "TCP [ACK]",
  "TPM TPM2_CC_Startup",
  "TPM TPM2 Success",
  "TPM TPM2_CC_GetRandom",
  "TPM TPM2 Success",
  // What begins with a prefix is shown as it came, which tshark takes apart elsewhere.
  "TPM ",
  "TPM TPM2 Success",
  "TPM TPM2_CC_Shutdown",
  "TPM TPM2 Success",
  "TCP [FIN]",
  "TCP [FIN, ACK]",
  "TCP [ACK]",
];

function assertConversation(packets: readonly Packet[]): void {
  assert.equal(packets.length, CONVERSATION.length, JSON.stringify(packets));
  packets.forEach(({ protocol, info }, index) => {
    const [wanted, words] = CONVERSATION[index]!.split(/ (.*)/);
    assert.equal(protocol, wanted, info);
    assert.ok(info.includes(words!), `packet ${index + 1} is "${info}", not ${words}`);
  });
}

Deno.test("tshark reads a capture as TPM commands and responses [pcap-checksums]", async () => {
  await using folder = new TempDir();
  const path = folder.join("capture");
  await capture(path, "checksums");
  const packets = await packetsOf(path);
  assertConversation(packets);
  for (const { info, tcpChecksum, ipChecksum } of packets) {
    assert.deepEqual([tcpChecksum, ipChecksum], [GOOD, GOOD], info);
  }
  assert.equal(Deno.statSync(path).mode! & 0o777, 0o640);
});

for (const words of [[], ["checksums=false"]]) {
  const title = `without checksums they are left out: ${words.join() || "by default"}`;
  Deno.test(`${title} [pcap-checksums]`, async () => {
    await using folder = new TempDir();
    const path = folder.join("capture");
    await capture(path, "mode=0604", ...words);
    const packets = await packetsOf(path);
    assertConversation(packets);
    assert.ok(packets.every(({ tcpChecksum }) => tcpChecksum !== GOOD));
    assert.equal(Deno.statSync(path).mode! & 0o777, 0o604, "the mode is as asked for");
  });
}

Deno.test("a capture is added to, or begun anew with truncate", async () => {
  await using folder = new TempDir();
  const path = folder.join("capture");
  await capture(path);
  await capture(path);
  assert.equal((await packetsOf(path)).length, 2 * CONVERSATION.length);
  await capture(path, "truncate");
  assert.equal((await packetsOf(path)).length, CONVERSATION.length);
});

Deno.test("a capture is as long as the C program's at each step, and its mode changes", async () => {
  await using folder = new TempDir();
  const path = folder.join("capture");
  const found = () => {
    const { size, mode } = Deno.statSync(path);
    return [size, mode! & 0o777];
  };
  const begun = async (words: string, started: (emulator: Emulator) => Promise<void>) => {
    await using emulator = await Emulator.start({
      program: withCapture(path),
      args: ["--pcap", words],
    });
    using control = await emulator.connectControl();
    await control.command(CMD.INIT, payload.init());
    await started(emulator);
    await control.command(CMD.SHUTDOWN);
    assert.equal((await emulator.exit).code, 0);
  };
  await begun(`file=${path},mode=0654`, async (emulator) => {
    assert.deepEqual(found(), [312, 0o654]);
    using data = await emulator.connectData();
    await data.command(tpm2.startup());
    assert.deepEqual(found(), [508, 0o654]);
  });
  await begun(`file=${path},mode=0633,checksums`, async () => {
    // The first one's Shutdown and end came on top.
    assert.deepEqual(found(), [1280, 0o633]);
  });
  await begun("fd=9,mode=0765,truncate", async () => {
    assert.deepEqual(found(), [312, 0o765]);
  });
});

/** The program under test with descriptor 9 open to a file, as a shell opens it. */
function withCapture(path: string): Program {
  const { command, args, env } = programUnderTest();
  const script = 'exec "$@" 9<>"$0"';
  return { name: "sh", command: "/bin/sh", args: ["-c", script, path, command, ...args], env };
}
