// Starts a program again and again by posix_spawn, with as little as possible done between the clock's
// look and the call.

import { addressOf, type Libc } from "./libc.ts";

const O_RDONLY = 0;
const O_WRONLY_CREAT_APPEND = 0o2001 | 0o100;
/** sizeof(posix_spawn_file_actions_t) is 80 */
const FILE_ACTIONS_SIZE = 128;

/** Where what the program says goes. */
export interface Output {
  /** Path of a file for standard error, and for standard output unless `fd` takes that. */
  readonly log: string;
  /** A descriptor of ours that becomes its standard output. */
  readonly fd?: number;
}

/** What posix_spawn wants to know, laid out once. */
export class Spawner {
  readonly #pid = new Int32Array(1);
  readonly #actions = new Uint8Array(FILE_ACTIONS_SIZE);
  readonly #path: Uint8Array<ArrayBuffer>;
  readonly #arguments: Strings;
  readonly #environment: Strings;

  /** `words` begin with the absolute path of the executable, `env` is added to our environment. */
  constructor(
    private readonly libc: Libc,
    words: readonly string[],
    env: Readonly<Record<string, string>>,
    output: Output,
  ) {
    const [path] = words;
    if (path === undefined) throw new Error("there is no program to start");
    this.#path = cString(path);
    this.#arguments = new Strings(words);
    this.#environment = new Strings(
      Object.entries({ ...Deno.env.toObject(), ...env }).map(([name, value]) => `${name}=${value}`),
    );
    const { call } = libc;
    call.posix_spawn_file_actions_init(this.#actions);
    const open = (fd: number, file: string, flags: number) =>
      call.posix_spawn_file_actions_addopen(this.#actions, fd, cString(file), flags, 0o600);
    open(0, "/dev/null", O_RDONLY);
    if (output.fd === undefined) open(1, output.log, O_WRONLY_CREAT_APPEND);
    else call.posix_spawn_file_actions_adddup2(this.#actions, output.fd, 1);
    open(2, output.log, O_WRONLY_CREAT_APPEND);
  }

  spawn(): number {
    const failure = this.libc.call.posix_spawn(
      new Uint8Array(this.#pid.buffer),
      this.#path,
      this.#actions,
      null,
      this.#arguments.pointers,
      this.#environment.pointers,
    );
    if (failure !== 0) throw new Error(`posix_spawn failed, errno ${failure}`);
    return this.#pid[0]!;
  }
}

/** `char *const []`: pointers to strings, then NULL; the strings live as long as this does. */
class Strings {
  readonly pointers: Uint8Array<ArrayBuffer>;
  readonly #texts: readonly Uint8Array<ArrayBuffer>[];

  constructor(texts: readonly string[]) {
    this.#texts = texts.map(cString);
    const values = this.#texts.map(addressOf);
    this.pointers = new Uint8Array(BigUint64Array.from([...values, 0n]).buffer);
  }
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}
