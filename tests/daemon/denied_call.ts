// A process that confines itself as an emulator does and then makes a call that a TPM never makes.
// Started by seccomp_test.ts: deno run denied_call.ts kill|log|none CALL

import { confine } from "../../daemon/powers/confine.ts";
import { openSystem } from "../../daemon/system.ts";
import { Children } from "../../ffi/children.ts";
import { openLibc } from "../../ffi/libc.ts";
import { Seccomp } from "../../ffi/seccomp.ts";

const system = openSystem();
const [action, call] = Deno.args;
const c = openLibc(
  {
    prctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
    setpriority: { parameters: ["i32", "i32", "i32"], result: "i32" },
    syscall: { parameters: ["i64"], result: "i64" },
  } as const,
);
/** They have the same number on all architectures. */
const SETXATTRAT = 463n;
const PR_SET_SECCOMP = 22;
const SECCOMP_MODE_FILTER = 2n;
const calls: Record<string, () => void> = {
  setsid: () => void system.process.newSession(),
  "a new process": () => void system.spawner.start("/bin/true", new Uint8Array([0])),
  "a signal to another process": () => new Children(system.libc, system.signals).signal(1, 0),
  "another root": () => system.users.setRoot("/"),
  "another user": () => system.users.setUser(system.users.effective.uid),
  "another filter": () => new Seccomp(system.libc).install(new Uint8Array(8)),
  "another filter by prctl": () =>
    void c.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, new Uint8Array(16)),
  "another priority": () => void c.setpriority(0, 0, 1),
  "another label for a file": () => void c.syscall(SETXATTRAT),
};
const chosen = calls[call ?? ""];
if (chosen === undefined || (action !== "kill" && action !== "log" && action !== "none")) {
  throw new Error(`what is "${Deno.args.join(" ")}"?`);
}
confine(system, action, (message) => console.error(message));
console.log("confined");
try {
  chosen();
} catch (error) {
  console.log(`it threw ${(error as Error).message}`);
}
console.log("alive");
Deno.exit(0);
