// Unit tests of command lines as configurations: what counts, what is refused, and in which order.
import { deepEqual, equal, throws } from "node:assert/strict";
import type { DaemonConfig, Interface } from "../daemon/config.ts";
import { readCommandLine } from "./command_line.ts";
import type { UsageError } from "./usage_error.ts";

const kinds: Record<number, string> = { 0: "character", 5: "socket", 6: "file", 7: "character" };

function read(which: Interface, words: string[], variables: Record<string, string> = {}) {
  const complaints: string[] = [];
  const asked = readCommandLine(
    which,
    words,
    {
      names: { user: () => undefined, group: () => undefined },
      variable: (name) => variables[name],
      descriptor: (fd) => kinds[fd],
    },
    (error: UsageError) => complaints.push(error.message),
  );
  if (asked.kind !== "run") return { asked: asked.kind, complaints };
  return { line: asked.line, config: () => asked.line.config(asked.line.log()), complaints };
}

function config(words: string, variables: Record<string, string> = {}): DaemonConfig {
  return read("socket", words.split(" ").filter((word) => word !== ""), variables).config!();
}

Deno.test("nothing said: a TPM 1.2 without channels, under the seccomp profile", () => {
  const { tpm2, data, control, state, seccomp, startNow, autoShutdown } = config("");
  deepEqual({ tpm2, data, control, state, seccomp, startNow, autoShutdown }, {
    tpm2: false,
    data: undefined,
    control: undefined,
    state: undefined,
    seccomp: "kill",
    startNow: false,
    autoShutdown: true,
  });
});

Deno.test("-p and --server: the later one counts, and -p leaves its port", () => {
  const tcp = (port: number) => ({ kind: "tcp", host: "127.0.0.1", port });
  deepEqual(config("-p 7").data, { source: tcp(7), disconnect: true, terminate: false });
  const server = config("-p 7 --server type=tcp").data;
  deepEqual(server?.source, { ...tcp(7), ifname: undefined });
  equal(server?.disconnect, false);
  deepEqual(config("--server type=tcp,port=8 -p 7").data?.source, tcp(7));
});

Deno.test("TPM_PORT is the port of a --server without one", () => {
  const source = config("--server type=tcp", { TPM_PORT: " 9x" }).data?.source;
  deepEqual(source, { kind: "tcp", host: "127.0.0.1", port: 9, ifname: undefined });
  throws(() => config("--server type=tcp"), /Missing port/);
  equal(config("", { TPM_PORT: "9" }).data, undefined);
});

Deno.test("a passed descriptor: what it is decides what it can be", () => {
  deepEqual(config("--ctrl type=unixio,fd=5").control?.source, { kind: "listening", fd: 5 });
  deepEqual(config("--ctrl type=unixio,clientfd=5").control?.source, { kind: "connected", fd: 5 });
  deepEqual(config("--server type=tcp,fd=5").data, {
    source: { kind: "connected", fd: 5 },
    disconnect: false,
    terminate: true,
  });
  throws(() => config("--ctrl type=unixio,fd=6"), /descriptor 6 is a file/);
  throws(() => config("--ctrl type=unixio,fd=9"), /descriptor 9 is not open/);
  throws(() => config("--fd 6"), /is a file/);
  equal(config("--fd 7").data?.terminate, true);
  throws(() => config("--fd 0"), /0, 1 and 2/);
});

for (const option of ["mssim", "rm"] as const) {
  Deno.test(`--${option}: the platform port is beside the command port`, () => {
    const ports = config(`--tpm2 --${option} type=tcp,port=2321`)[option];
    const tcp = { kind: "tcp", host: "127.0.0.1", ifname: undefined };
    deepEqual(ports, { command: { ...tcp, port: 2321 }, platform: { ...tcp, port: 2322 } });
    const paths = config(`--tpm2 --${option} type=unixio,path=m,mode=0600`)[option];
    const unix = { kind: "unix", mode: 0o600, uid: undefined, gid: undefined };
    deepEqual(paths, { command: { ...unix, path: "m" }, platform: { ...unix, path: "m.ctrl" } });
    equal(config("--tpm2")[option], undefined);
    const refused: [string, RegExp][] = [
      [`--${option} type=tcp,port=2321`, /is for a TPM 2; use --tpm2/],
      [`--tpm2 --${option} port=2321`, /Missing type/],
      [`--tpm2 --${option} type=vsock`, /Unsupported type 'vsock'/],
      [`--tpm2 --${option} type=tcp`, /Missing port/],
      [`--tpm2 --${option} type=unixio`, /Missing path/],
      [`--tpm2 --${option} type=tcp,port=0`, /port 0 has no neighbour/],
      [`--tpm2 --${option} type=tcp,port=65535`, /port 65536 is outside/],
      [`--tpm2 --${option} type=unixio,path=${"m".repeat(105)}`, /is longer than/],
      [`--tpm2 --${option} type=tcp,port=1,fd=5`, new RegExp(`${option} options`)],
    ];
    for (const [words, message] of refused) throws(() => config(words), { message });
  });
}

Deno.test("the state is where dir says, else backend-uri, else TPM_PATH", () => {
  const place = (words: string, variables = {}) => config(words, variables).state?.place;
  deepEqual(place("--tpmstate backend-uri=file://f,dir=d"), { kind: "directory", path: "d" });
  const file = config("--tpmstate backend-uri=file://f").state;
  deepEqual([file?.place, file?.lock], [{ kind: "file", path: "f" }, false]);
  deepEqual(place("", { TPM_PATH: "/t" }), { kind: "directory", path: "/t" });
});

Deno.test("start-up flags: clear before state before deactivated, and each starts the TPM", () => {
  deepEqual(config("--flags startup-state,startup-clear").startup, "clear");
  const deactivated = config("--flags startup-deactivated");
  deepEqual([deactivated.startup, deactivated.startNow], ["deactivated", true]);
  deepEqual(config("--flags startup-none").startNow, false);
});

Deno.test("the level of a log is at least 1, but for descriptor 0", () => {
  equal(config("--log file=x,level=0").log?.level, 1);
  equal(config("--log fd=0").log?.level, 0);
});

Deno.test("what is wrong first is told first", () => {
  const order: [string, RegExp][] = [
    ["-p x --bogus", /port number 'x'/],
    ["--bogus -p x", /unrecognized/],
    ["--vtpm-proxy", /unrecognized option '--vtpm-proxy' \(it is one of 'swtpm chardev'\)/],
    ["operand --log bogus", /Unknown parameter/],
    ["--log bogus --ctrl bogus", /logging options/],
    ["--ctrl bogus --server bogus=1 --key bogus", /ctrl options/],
    ["--server bogus=1 --key bogus", /server options/],
    ["--pcap bogus --key bogus", /key options/],
    ["--pid bogus --flags bogus", /pid options/],
  ];
  for (const [words, message] of order) throws(() => config(words), { message });
});

Deno.test("help is given before anything behind it is looked at", () => {
  equal(read("socket", ["--help", "--bogus"]).asked, "help");
  equal(read("socket", ["-dh"]).asked, "help");
  throws(() => read("socket", ["--bogus", "--help"]), /unrecognized/);
});

Deno.test("what is printed is decided before the options that it does not need", () => {
  equal(config("--print-capabilities --ctrl bogus").print?.what, "capabilities");
  throws(() => config("--print-profiles --ctrl bogus"), /ctrl options/);
  equal(config("--print-profiles --key bogus").print?.what, "profiles");
  throws(() => config("--print-states"), /--tpmstate option is required/);
  throws(() => config("--print-states", { TPM_PATH: "/t" }), /--tpmstate option is required/);
  deepEqual(config("--print-info 0x20").print, { what: "info", flags: 32 });
  equal(config("--print-info 0").print, undefined);
});

Deno.test("a pid file is known as soon as it was understood, for its removal", () => {
  const { line, config } = read("socket", ["--pid", "file=p", "--flags", "bogus"]);
  throws(() => config!());
  deepEqual(line?.pid, { file: "p" });
});

Deno.test("chardev: the first device counts, and one there must be", () => {
  equal(read("chardev", ["-c", "/dev/a", "-c", "/dev/b"]).line?.device, "/dev/a");
  throws(() => read("chardev", []).config!(), /No device/);
  throws(() => read("chardev", ["--vtpm-proxy", "--fd", "7"]).config!(), /neither -c nor -f/);
  equal(read("chardev", ["--vtpm-proxy"]).config!().vtpmProxy, true);
});

Deno.test("cuse: unknown options are told of and passed over; exit codes are its own", () => {
  const line = ["--bogus", "--tpmstate", "dir=d"];
  const { complaints, config } = read("cuse", [...line, "-n", "a", "-n", "b", "-M", "10"]);
  deepEqual(config!().cuse, { name: "a", major: 10, minor: 0 });
  deepEqual(complaints, ["cuse: unrecognized option '--bogus'"]);
  const exits: [string[], number][] = [
    [["-M", "x"], 255],
    [["-n", "a", "-M", "65536"], 255],
    [[...line], 254],
    [["-n", "a", "--key", "bogus"], 253],
    [["-n", "a"], 255],
  ];
  for (const [words, exitCode] of exits) {
    throws(() => read("cuse", words).config!(), (error: UsageError) => {
      equal(error.details.exitCode, exitCode, words.join(" "));
      return true;
    });
  }
});
