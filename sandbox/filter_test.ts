// Unit tests of the filter: its programs are run here as the kernel runs them.
import { deepEqual, equal, ok } from "node:assert/strict";
import {
  type Architecture,
  DENIED_PRCTL,
  deniedCalls,
  NEWEST_CALL,
  NEWEST_PRCTL,
} from "./denied_calls.ts";
import { AUDIT_ARCH, buildFilter, SECCOMP_RET } from "./filter.ts";

const PID = 4321;
const ARCHITECTURES: readonly Architecture[] = ["x86_64", "aarch64"];
/** Beyond the highest number of a call that any kernel has. */
const NUMBER_MAX = 600;
const ENOSYS = SECCOMP_RET.errno | 38;
const EINVAL = SECCOMP_RET.errno | 22;

interface Call {
  number: number;
  architecture?: number;
  arguments?: readonly bigint[];
}

/** What the kernel would do with a call. */
function run(program: Uint8Array<ArrayBuffer>, call: Call, architecture: Architecture): number {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, call.number, true);
  data.setUint32(4, call.architecture ?? AUDIT_ARCH[architecture], true);
  call.arguments?.forEach((value, index) => data.setBigUint64(16 + 8 * index, value, true));
  const view = new DataView(program.buffer);
  let word = 0;
  for (let at = 0; at < program.length;) {
    const code = view.getUint16(at, true);
    const value = view.getUint32(at + 4, true);
    const jump = (holds: boolean) => at += 8 * view.getUint8(at + (holds ? 2 : 3));
    switch (code) {
      case 0x20:
        word = data.getUint32(value, true);
        break;
      case 0x05:
        at += 8 * value;
        break;
      case 0x15:
        jump(word === value);
        break;
      case 0x35:
        jump(word >= value);
        break;
      case 0x45:
        jump((word & value) !== 0);
        break;
      case 0x06:
        return value;
      default:
        throw new Error(`the program has an unknown instruction 0x${code.toString(16)}`);
    }
    at += 8;
  }
  throw new Error("the program ends without a return");
}

for (const architecture of ARCHITECTURES) {
  const calls = deniedCalls(PID);
  const killer = buildFilter(calls, architecture, "kill");
  const byNumber = new Map(calls.map((call) => [call.numbers[architecture], call]));
  const numberOf = (name: string) =>
    calls.find((call) => call.name === name)!.numbers[architecture]!;

  Deno.test(`${architecture}: denies what is listed without conditions, and nothing else`, () => {
    for (let number = 0; number <= NEWEST_CALL; number++) {
      const call = byNumber.get(number);
      if (call?.when !== undefined) continue;
      const expected = call === undefined
        ? SECCOMP_RET.allow
        : call.missing
        ? ENOSYS
        : SECCOMP_RET.killProcess;
      equal(run(killer, { number }, architecture), expected, `call ${number} ${call?.name}`);
    }
  });

  Deno.test(`${architecture}: what is newer than the list is answered as by an older kernel`, () => {
    for (let number = NEWEST_CALL + 1; number < NUMBER_MAX; number++) {
      equal(run(killer, { number }, architecture), ENOSYS, `call ${number}`);
    }
    for (const number of [0x10000, 0x3fffffff]) {
      equal(run(killer, { number }, architecture), ENOSYS, `call ${number}`);
    }
  });

  Deno.test(`${architecture}: prctl is judged by what it is asked for`, () => {
    const prctl = (request: number) =>
      run(killer, { number: numberOf("prctl"), arguments: [BigInt(request)] }, architecture);
    for (const [name, value] of DENIED_PRCTL) equal(prctl(value), SECCOMP_RET.killProcess, name);
    const denied = new Set(DENIED_PRCTL.map(([, value]) => value));
    for (let request = 0; request <= NEWEST_PRCTL; request++) {
      if (!denied.has(request)) equal(prctl(request), SECCOMP_RET.allow, `request ${request}`);
    }
    equal(prctl(0x53564d41), SECCOMP_RET.allow, "PR_SET_VMA");
    for (const request of [NEWEST_PRCTL + 1, 1000, 0xffffffff]) {
      equal(prctl(request), EINVAL, `request ${request}`);
    }
  });

  Deno.test(`${architecture}: the log action only logs`, () => {
    const logger = buildFilter(calls, architecture, "log");
    equal(run(logger, { number: numberOf("ptrace") }, architecture), SECCOMP_RET.log);
    equal(run(logger, { number: numberOf("clone3") }, architecture), ENOSYS);
    equal(run(logger, { number: NEWEST_CALL }, architecture), SECCOMP_RET.allow);
  });

  Deno.test(`${architecture}: other architectures' calls are denied`, () => {
    const other = AUDIT_ARCH[architecture] ^ 0x80000000;
    equal(
      run(killer, { number: 1, architecture: other >>> 0 }, architecture),
      SECCOMP_RET.killProcess,
    );
  });

  const cases: [string, bigint[], boolean][] = [
    ["clone", [0x003d0f00n], true], // as the C library makes threads
    ["clone", [0x01200011n], false], // as it forks
    ["clone", [0x003d0f00n | 0x10000000n], false], // a thread in a new user namespace
    ["clone", [0x003d0f00n | 0x80n], false],
    ["socket", [1n, 2n], true], // AF_UNIX
    ["socket", [2n, 1n], false], // AF_INET
    ["socket", [16n, 3n], false], // AF_NETLINK
    ["socket", [17n, 3n], false], // AF_PACKET
    ["ioctl", [0n, 0x5401n], true], // TCGETS
    ["ioctl", [0n, 0x5412n], false], // TIOCSTI
    ["ioctl", [0n, 0x541cn], false], // TIOCLINUX
    ["tgkill", [BigInt(PID), 1n, 6n], true],
    ["tgkill", [1n, 1n, 9n], false],
    ["prlimit64", [0n, 3n, 0n, 0x7fff00000000n], true],
    ["prlimit64", [0n, 3n, 0x7fff00000000n, 0n], false],
    ["prlimit64", [0n, 3n, 0x1000n, 0n], false],
  ];
  for (const [name, values, allowed] of cases) {
    const text = values.map((value) => `0x${value.toString(16)}`).join(", ");
    Deno.test(`${architecture}: ${name}(${text}) is ${allowed ? "allowed" : "denied"}`, () => {
      const result = run(killer, { number: numberOf(name), arguments: values }, architecture);
      equal(result, allowed ? SECCOMP_RET.allow : SECCOMP_RET.killProcess);
    });
  }
}

Deno.test("x86_64: calls of the x32 interface are denied", () => {
  const program = buildFilter(deniedCalls(PID), "x86_64", "kill");
  equal(run(program, { number: 0x40000000 }, "x86_64"), SECCOMP_RET.killProcess);
});

Deno.test("every call stands in the list once, with a number and a reason", () => {
  const calls = deniedCalls(PID);
  const names = calls.map(({ name }) => name);
  deepEqual(names, [...new Set(names)]);
  for (const architecture of ARCHITECTURES) {
    const numbers = calls.map((call) => call.numbers[architecture]).filter((n) => n !== undefined);
    deepEqual(numbers, [...new Set(numbers)]);
  }
  for (const { name, numbers, reason } of calls) {
    ok(numbers.x86_64 !== undefined || numbers.aarch64 !== undefined, name);
    ok(reason.length >= 8, name);
  }
});
