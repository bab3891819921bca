// A command line, understood step by step in the C program's order, so that the first thing wrong is
// the one that is reported: words, then root and user, the log, all the rest. Nothing is opened or
// read here.
import {
  blankConfig,
  type DaemonConfig,
  type DataConfig,
  type Interface,
  type LogConfig,
} from "../daemon/config.ts";
import {
  controlConfig,
  dataOfDescriptor,
  dataOfPort,
  dataOfServer,
  simulatorConfig,
} from "./channels.ts";
import {
  flagsConfig,
  keyConfig,
  libtpmsChoice,
  localityPolicy,
  logConfig,
  pcapConfig,
  pidConfig,
  profileConfig,
  seccompAction,
  stateConfig,
  traceConfig,
} from "./configuration.ts";
import { getopt } from "./getopt.ts";
import { Line, type Surroundings } from "./line.ts";
import { integer } from "./number.ts";
import { interfaceWith, optionsOf } from "./options.ts";
import { UsageError } from "./usage_error.ts";

const PORT_MAX = 65535;
const INT_MAX = 2 ** 31 - 1;
const DEVICE_NUMBER_MAX = 65535;
/** Descriptors below are the standard streams. */
const DESCRIPTOR_MIN = 3;

/** The C program's cuse interface ends with negative numbers; these are their low eight bits. */
const cuseExit = { number: 255, name: 254, structured: 253, state: 255 } as const;

/** What a command line asks for: a run, or a text that is printed at once. */
export type Asked = { kind: "run"; line: CommandLine } | { kind: "help" } | { kind: "version" };

/** Reads the words behind the interface's name. Throws {@linkcode UsageError}. */
export function readCommandLine(
  which: Interface,
  words: readonly string[],
  surroundings: Surroundings,
  /** Told of errors that do not end the reading: unknown options of the cuse interface. */
  complain: (error: UsageError) => void,
): Asked {
  const line = new CommandLine(which, surroundings);
  const operands: string[] = [];
  const steps = getopt(words, optionsOf(which), {
    program: which,
    operandEnds: surroundings.variable("POSIXLY_CORRECT") !== undefined,
    elsewhere: (name) => {
      const other = interfaceWith(name);
      return other && `swtpm ${other}`;
    },
  });
  for (const step of steps) {
    if (step.kind === "operand") operands.push(step.word);
    else if (step.kind === "option") {
      if (step.name === "help" || step.name === "version") return { kind: step.name };
      line.take(step.name, step.argument);
    } else if (which === "cuse") complain(step.error);
    else throw step.error;
  }
  if (operands[0] !== undefined) throw new UsageError(`Unknown parameter '${operands[0]}'`);
  return { kind: "run", line };
}

export class CommandLine {
  readonly #line: Line;
  /** What `-p` left for a `--server` without a port. */
  #port: number | undefined;
  /** `-p` came after the last `--server`. */
  #portCounts = false;
  #fd: number | undefined;
  #device: string | undefined;
  #info = 0;
  #pid: DaemonConfig["pid"];

  constructor(private readonly which: Interface, surroundings: Surroundings) {
    this.#line = new Line(surroundings, which === "cuse" ? cuseExit.structured : 1);
  }

  /** Takes one option; some act at once. */
  take(name: string, argument: string): void {
    switch (name) {
      case "port":
        this.#port = portNumber(argument);
        this.#portCounts = true;
        break;
      case "server":
        this.#portCounts = false;
        break;
      case "fd":
        this.#takeDescriptor(argument);
        break;
      case "chardev":
        if (this.#fd === undefined) this.#device ??= argument;
        break;
      case "name":
        if (this.#line.has("name")) return;
        break;
      case "maj":
      case "min":
        deviceNumber(name, argument);
        break;
      case "print-info":
        this.#info = infoFlags(argument, this.which);
        break;
    }
    this.#line.set(name, argument);
  }

  #takeDescriptor(argument: string): void {
    const fd = integer(argument, 10);
    if (fd === undefined || fd < 0 || fd > INT_MAX) {
      throw new UsageError(`Cannot parse file descriptor '${argument}'`);
    }
    const found = this.#line.surroundings.descriptor(fd);
    if (found === undefined) throw new UsageError(`File descriptor ${fd} is not open`);
    if (found === "file" || found === "directory" || found === "block") {
      throw new UsageError(
        `File descriptor ${fd} is a ${found}; TPM commands come through a socket or a ` +
          "character device",
      );
    }
    const taken = this.which === "chardev" &&
      (this.#fd !== undefined || this.#device !== undefined);
    if (!taken) this.#fd = fd;
  }

  /** The cuse interface has no option for it: its device serves in the background. */
  get background(): boolean {
    return this.#line.has("daemon") || (this.which === "cuse" && !this.#prints);
  }

  get tpm2(): boolean {
    return this.#line.has("tpm2");
  }

  /** The kernel's vTPM proxy makes the device, before root and user change. */
  get vtpmProxy(): boolean {
    const refused = this.#device !== undefined || this.#fd !== undefined;
    return this.#line.has("vtpm-proxy") && !this.#prints && !refused;
  }

  /** Something is printed in place of serving. */
  get #prints(): boolean {
    const options = ["print-capabilities", "print-states", "print-profiles"];
    return this.#info !== 0 || options.some((option) => this.#line.has(option));
  }

  get chroot(): string | undefined {
    return this.#line.text("chroot");
  }

  get runas(): string | undefined {
    return this.#line.text("runas");
  }

  get libtpms(): string | undefined {
    return libtpmsChoice(this.#line);
  }

  /** The character device of `-c`, which is opened before root and user change. */
  get device(): string | undefined {
    return this.#device;
  }

  /** What `--pid` names, once it was understood: it is removed at every end. */
  get pid(): DaemonConfig["pid"] {
    return this.#pid;
  }

  /** What `--log` asks for. */
  log(): LogConfig | undefined {
    try {
      return logConfig(this.#line);
    } catch (error) {
      // The one structured option with which the cuse interface ends as the others do.
      throw error instanceof UsageError ? new UsageError(error.message) : error;
    }
  }

  /** All the rest; `device` is the descriptor of {@linkcode device}. */
  config(log: LogConfig | undefined, device?: number): DaemonConfig {
    const blank = blankConfig(this.which, this.tpm2);
    const config = { ...blank, log, terminate: this.#line.has("terminate") };
    switch (this.which) {
      case "socket":
        return this.#socketConfig(config);
      case "chardev":
        return this.#deviceConfig(config, device ?? this.#fd);
      case "cuse":
        return this.#cuseConfig(config);
    }
  }

  #socketConfig(config: DaemonConfig): DaemonConfig {
    const line = this.#line;
    this.#refuseStandardStream();
    if (line.has("print-capabilities")) return { ...config, print: { what: "capabilities" } };
    config.control = controlConfig(line);
    const server = this.#portCounts ? undefined : dataOfServer(line, this.#serverPort());
    config.data = this.#dataConfig() ?? server;
    config.mssim = simulatorConfig(line, "mssim");
    config.rm = simulatorConfig(line, "rm");
    return this.#printed(config) ?? this.#common(config);
  }

  #dataConfig(): DataConfig | undefined {
    if (this.#fd !== undefined) return dataOfDescriptor(this.#fd);
    return this.#portCounts && this.#port !== undefined ? dataOfPort(this.#port) : undefined;
  }

  /** The port that `-p` or else TPM_PORT names; the variable may have something behind it. */
  #serverPort(): number | undefined {
    if (this.#port !== undefined) return this.#port;
    const match = /^\s*([+-]?\d+)/.exec(this.#line.surroundings.variable("TPM_PORT") ?? "");
    return match === null ? undefined : Number(match[1]);
  }

  #deviceConfig(config: DaemonConfig, fd: number | undefined): DaemonConfig {
    const line = this.#line;
    config.policy = localityPolicy(line);
    config.vtpmProxy = line.has("vtpm-proxy");
    if (config.vtpmProxy && fd !== undefined) {
      throw new UsageError("--vtpm-proxy makes its own device: it goes with neither -c nor -f");
    }
    if (line.has("print-capabilities")) return { ...config, print: { what: "capabilities" } };
    const printed = this.#printed(config);
    if (printed !== undefined) return printed;
    if (fd === undefined && !config.vtpmProxy && this.#info === 0) {
      throw new UsageError("No device to serve: use --chardev, --fd or --vtpm-proxy");
    }
    this.#refuseStandardStream();
    if (fd !== undefined) config.data = dataOfDescriptor(fd);
    config.control = controlConfig(line);
    const whole = this.#common(config);
    return whole.vtpmProxy ? this.#proxied(whole) : whole;
  }

  /** What the kernel's driver needs: a TPM that is on, started up, and obeys its vendor command. */
  #proxied(config: DaemonConfig): DaemonConfig {
    const none = this.#line.structured("flags")?.["startup-none"] ?? false;
    return {
      ...config,
      startNow: true,
      startup: config.startup ?? (none ? undefined : "clear"),
      policy: { ...config.policy, allowSetLocality: true },
    };
  }

  #cuseConfig(config: DaemonConfig): DaemonConfig {
    const line = this.#line;
    if (line.has("print-capabilities")) return { ...config, print: { what: "capabilities" } };
    const printed = this.#printed(config);
    if (printed !== undefined) return printed;
    const name = line.text("name");
    if (name === undefined) {
      throw new UsageError("The name of the device is missing: use --name", {
        exitCode: cuseExit.name,
      });
    }
    const number = (option: "maj" | "min") => deviceNumber(option, line.text(option) ?? "0");
    config.cuse = { name, major: number("maj"), minor: number("min") };
    const whole = this.#common(config);
    if (whole.state === undefined) {
      throw new UsageError("The TPM needs a place for its state: use --tpmstate or TPM_PATH", {
        exitCode: cuseExit.state,
      });
    }
    return whole;
  }

  #refuseStandardStream(): void {
    if (this.#fd !== undefined && this.#fd < DESCRIPTOR_MIN) {
      throw new UsageError("File descriptors 0, 1 and 2 cannot be used for TPM commands");
    }
  }

  /** For what is printed without a look at the other options. */
  #printed(config: DaemonConfig): DaemonConfig | undefined {
    const line = this.#line;
    if (line.has("print-states")) {
      const state = line.has("tpmstate") ? stateConfig(line) : undefined;
      if (state === undefined) {
        throw new UsageError("The --tpmstate option is required for --print-states");
      }
      return { ...config, state, print: { what: "states" } };
    }
    if (line.has("print-profiles")) return { ...config, print: { what: "profiles" } };
    return undefined;
  }

  #common(config: DaemonConfig): DaemonConfig {
    const line = this.#line;
    config.key = keyConfig(line, "key");
    config.migrationKey = keyConfig(line, "migration-key");
    config.pid = this.#pid = pidConfig(line);
    config.policy = localityPolicy(line);
    config.state = stateConfig(line);
    config.seccomp = seccompAction(line);
    Object.assign(config, flagsConfig(line));
    config.incoming = line.structured("migration")?.incoming ?? false;
    config.profile = profileConfig(line);
    config.pcap = pcapConfig(line);
    config.trace = traceConfig(line, this.background);
    if (this.#info !== 0) config.print = { what: "info", flags: this.#info };
    return config;
  }
}

function portNumber(text: string): number {
  const port = integer(text);
  if (port === undefined || port < 0) {
    throw new UsageError(`Cannot parse socket port number '${text}'`);
  }
  if (port > PORT_MAX) throw new UsageError(`Port ${port} is outside valid range [0..${PORT_MAX}]`);
  return port;
}

/** A device number as sscanf(3) reads it: what stands behind the digits does not count. */
function deviceNumber(option: "maj" | "min", text: string): number {
  const digits = /^\s*\+?(\d+)/.exec(text)?.[1];
  const what = option === "maj" ? "major" : "minor";
  if (digits === undefined) {
    throw new UsageError(`Cannot parse ${what} device number '${text}'`, {
      exitCode: cuseExit.number,
    });
  }
  if (Number(digits) > DEVICE_NUMBER_MAX) {
    throw new UsageError(
      `The ${what} device number ${digits} is outside valid range [0..${DEVICE_NUMBER_MAX}]`,
      { exitCode: cuseExit.number },
    );
  }
  return Number(digits);
}

function infoFlags(text: string, which: Interface): number {
  const flags = integer(text);
  if (flags !== undefined) return flags;
  throw new UsageError(`Cannot parse the flags '${text}' of --print-info`, {
    exitCode: which === "cuse" ? cuseExit.number : 1,
  });
}
