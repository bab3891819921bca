// Runs the C project's own test scripts for devices, on the executable under test, in a guest whose
// kernel has the modules: those for the vTPM proxy, and the CUSE part of all that have one.
// What the scripts that need no device make of our executable is tests/upstream/'s knowledge.
//
// Usage: deno run -A tests/devices/upstream.ts [SCRIPT...]

import { upstreamTree } from "../peers/peers.ts";
import type { GuestFile } from "../vm/initramfs.ts";
import { inLanes } from "../vm/lanes.ts";
import { prepareDeviceImage } from "./image.ts";
import { DeviceMachine } from "./machine.ts";
import { Shell } from "./shell.ts";

/** Bound of one script; the slowest took 60 s under software emulation on an idle machine. */
const scriptLimitMs = 300_000;
const lanes = 2;

/** Scripts that are whole; of all others only the part for CUSE is run. */
const whole = [
  "test_vtpm_proxy",
  "test_tpm2_vtpm_proxy",
  "test_tpm2_chroot_cuse",
  "test_tpm2_partial_reads",
];

/** Real programs in place of busybox's, whose output the scripts take apart. */
const programs = [
  ..."awk basename bc cat chmod chown cmp cp cut date dd df dirname env expr gawk grep head id kill ln ls"
    .split(" "),
  ..."lsof mkdir mknod mktemp mv od ps readlink rm sed seq sha1sum sleep socat sort stat su tail tee"
    .split(" "),
  ..."touch tr uname wc which".split(" "),
];

function programPath(name: string): string {
  for (const folder of ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]) {
    const path = `${folder}/${name}`;
    try {
      return Deno.statSync(path).isFile ? path : "";
    } catch { /* elsewhere */ }
  }
  throw new Error(`there is no program "${name}"`);
}

/** Stand-ins for programs, before all others on the scripts' PATH. */
function shims(): GuestFile[] {
  return ["sleep", "python"].map((name) => ({
    from: new URL(`guest/${name}.sh`, import.meta.url).pathname,
    to: `/shim/${name}`,
    executable: true,
  }));
}

async function main(names: readonly string[]): Promise<number> {
  const { dir } = await upstreamTree();
  const tests = [...Deno.readDirSync(`${dir}/tests`)].filter(({ isFile }) => isFile)
    .map(({ name }) => name).sort();
  const parts = tests.filter((name) =>
    name.startsWith("_test_") &&
    Deno.readTextFileSync(`${dir}/tests/${name}`).includes("SWTPM_INTERFACE:-cuse")
  );
  const image = await prepareDeviceImage({
    name: "devices-upstream",
    programs: programs.map(programPath),
    peers: ["swtpm_bios"],
    files: [
      ...shims(),
      ...tests.map((name) => (
        { from: `${dir}/tests/${name}`, to: `/tree/tests/${name}`, executable: true }
      )),
    ],
  });
  const queue = names.length > 0 ? [...names] : [...whole, ...parts];
  const count = { PASS: 0, FAIL: 0, SKIP: 0 };
  await inLanes(
    lanes,
    Array.from({ length: lanes }, (_, lane) => async () => {
      await using machine = await DeviceMachine.start(image, `upstream-${lane}`);
      await machine.guest.run("modules");
      const shell = new Shell(machine.guest);
      for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
        const start = performance.now();
        await machine.guest.run("part", name, "SWTPM_INTERFACE=cuse", "SWTPM_IOCTL_BUFFERSIZE=100");
        let status = "";
        while (status === "" && performance.now() - start < scriptLimitMs) {
          status = (await shell.ran("within 30 test -e /tmp/part.status && cat /tmp/part.status"))
            .stdout.trim();
        }
        const word = status === "0" ? "PASS" : status === "77" ? "SKIP" : "FAIL";
        count[word]++;
        const seconds = ((performance.now() - start) / 1000).toFixed(1);
        console.log(`${word} ${name.padEnd(42)} ${seconds.padStart(6)} s`);
        if (word !== "PASS") console.log((await shell.ran("tail -n 15 /tmp/part.out")).stdout);
      }
      await machine.powerOff();
    }),
  );
  console.log(`${count.PASS} passed, ${count.FAIL} failed, ${count.SKIP} skipped`);
  return count.FAIL === 0 ? 0 : 1;
}

Deno.exit(await main(Deno.args));
