// What a process behind a device has given up, seen from outside: the user, system calls, other
// programs. strace lists what it opened and started on the way.

import assert from "node:assert/strict";
import { exchange, getRandom2, pcrRead12 } from "./bytes.ts";
import type { Shell } from "./shell.ts";

/** What the runtime, the C library and libtpms read at their start on any Linux. */
const readAtStart = [
  /^\/(usr\/)?lib(64)?\//,
  /^\/etc\/(ld\.so\.cache|passwd|group|nsswitch\.conf)$/,
  /^\/proc\/(self|\d+)\/(maps|cgroup|cmdline|mountinfo)$/,
  // In the background, to let go of the starter's outputs wherever they are open as well.
  /^\/proc\/self\/fd$/,
  /^\/proc\/(meminfo|sys\/kernel\/ngroups_max)$/,
  /^\/sys\/(devices\/system\/cpu|fs\/cgroup)\//,
  /^\/usr\/bin\/swtpm$/,
  // The libraries inside: read in the executable, opened in memory.
  /^\/proc\/self\/exe$/,
  /^\/proc\/(self|\d+)\/fd\/\d+$/,
];

/**
 * A device of the kernel's, served by nobody in particular. A TPM 1.2, because the kernel gives the
 * self-test of a TPM 2 two seconds only, which is not enough under strace.
 */
export async function confinedVtpm(shell: Shell): Promise<void> {
  const folder = "/tmp/confined-vtpm";
  await shell.run(`
    mkdir -m 777 ${folder}
    background traced ${strace("vtpm")} swtpm chardev --vtpm-proxy --runas nobody \\
      --tpmstate dir=${folder} --log file=${folder}/log --pid file=${folder}/pid
    within 50 grep -q New /tmp/traced.out`);
  const device = /\/dev\/tpm\d+/.exec(await shell.run("cat /tmp/traced.out"))?.[0];
  assert.ok(device);
  await shell.run(`within 50 test -c ${device}`);
  const pid = await shell.run(`cat ${folder}/pid`);
  await checkPowers(shell, pid);
  assert.match(await shell.run(exchange(device, pcrRead12(16))), /^00c40000001e00000000/);
  await shell.run(`kill -TERM ${pid}; within 20 gone ${device}; ended traced`);
  const trace = await shell.run(`grep -v ENOENT ${tracePath("vtpm")}`);
  checkPrograms(trace, 1);
  checkOpened(trace, folder, ["/dev/urandom", "/dev/vtpmx"]);
}

/** A device of our own; the launcher starts the program once more, to stay in the background. */
export async function confinedCuse(shell: Shell): Promise<void> {
  const folder = "/tmp/confined-cuse";
  await shell.run(`
    mkdir -m 777 ${folder}
    background traced ${strace("cuse")} swtpm cuse -n confined --tpm2 --runas nobody \\
      --flags startup-clear --tpmstate dir=${folder}/state --log file=${folder}/log \\
      --pid file=${folder}/pid
    within 50 test -s ${folder}/pid
    within 10 grep -q '^Uid:.65534' /proc/$(cat ${folder}/pid)/status`);
  const pid = await shell.run(`cat ${folder}/pid`);
  await checkPowers(shell, pid);
  assert.match(await shell.run(exchange("/dev/confined", getRandom2)), /^80010000001400000000/);
  // Root started the TPM and made the folder, the user has them now: the state can be read and
  // written again.
  await shell.run(`
    swtpm_ioctl --save permanent /tmp/confined.state /dev/confined
    swtpm_ioctl --stop /dev/confined
    swtpm_ioctl -i /dev/confined
    swtpm_ioctl --save savestate /tmp/confined.savestate /dev/confined
    swtpm_ioctl --lock-storage 0 /dev/confined
    swtpm_ioctl -s /dev/confined; within 20 gone /dev/confined; ended traced`);
  const trace = await shell.run(`grep -v ENOENT ${tracePath("cuse")}`);
  checkPrograms(trace, 2);
  checkOpened(trace, folder, ["/dev/cuse", "/dev/null", "/dev/urandom"]);
}

/**
 * The same without a system call filter, which only an option does away with, and for a user by
 * number [cuse-runas].
 */
export async function unconfinedCuse(shell: Shell): Promise<void> {
  await shell.run(`
    swtpm cuse -n open --tpm2 --tpmstate dir=/tmp/open --pid file=/tmp/open.pid \\
      --seccomp action=none --runas 65534`);
  const status = await shell.run("cat /proc/$(cat /tmp/open.pid)/status");
  assert.match(status, /^Seccomp:\s0$/m);
  assert.match(status, /^Uid:\s65534\s65534\s65534\s65534$/m);
  // A name is taken as long as its device is there.
  await shell.refused(
    "swtpm cuse -n open --tpm2 --tpmstate dir=/tmp/open2",
    /A device '\/dev\/open' exists already/,
    255,
  );
  const pid = await shell.run("cat /tmp/open.pid");
  await shell.run(`swtpm_ioctl -s /dev/open; within 10 gone /proc/${pid}`);
}

function tracePath(name: string): string {
  return `/tmp/trace-${name}`;
}

function strace(name: string): string {
  return `strace -f -o ${tracePath(name)} -e trace=%process,%file -e signal=none`;
}

/** The user, his groups and his powers; the filter on every thread. */
async function checkPowers(shell: Shell, pid: string): Promise<void> {
  const status = await shell.run(`cat /proc/${pid}/status`);
  assert.match(status, /^Uid:\s65534\s65534\s65534\s65534$/m);
  assert.match(status, /^Gid:\s65534\s65534\s65534\s65534$/m);
  assert.match(status, /^Groups:\s65534\s*$/m);
  assert.match(status, /^CapEff:\s0{16}$/m);
  const filters = await shell.run(`cat /proc/${pid}/task/*/status | grep Seccomp: | sort -u`);
  assert.match(filters, /^Seccomp:\s2$/);
}

/** How many programs ran; what else was made are threads. */
function checkPrograms(trace: string, count: number): void {
  const lines = trace.split("\n");
  const programs = lines.filter((line) => /^\d+ +execve(at)?\(/.test(line));
  assert.equal(programs.length, count, programs.join("\n"));
  for (const line of programs) assert.match(line, /execve\("\/usr\/bin\/swtpm", \["swtpm", /);
  const made = lines.filter((line) => /^\d+ +(clone3?|v?fork)\(/.test(line));
  const processes = made.filter((line) => !line.includes("CLONE_THREAD"));
  assert.ok(made.length > processes.length, "strace shows the threads");
  assert.equal(processes.length, count - 1, processes.join("\n"));
}

/** Which files were opened: those of the start, the device nodes, and what the options name. */
function checkOpened(trace: string, folder: string, devices: readonly string[]): void {
  const opened = new Set(
    [...trace.matchAll(/ (?:open|openat2?|creat)\((?:AT_FDCWD, )?"([^"]*)"/g)].map((
      [, path = ""],
    ) => path),
  );
  const nodes = [...opened].filter((path) => path.startsWith("/dev/")).sort();
  assert.deepEqual(nodes, devices);
  const others = [...opened].filter((path) =>
    !path.startsWith("/dev/") && path !== folder && !path.startsWith(`${folder}/`) &&
    !readAtStart.some((pattern) => pattern.test(path))
  );
  assert.deepEqual(others, []);
}
