// What a guest for the device tests holds: the executable under test, clients of its devices, the
// kernel modules that offer them. How it is packed is the virtual machine tests' initramfs.ts.

import { type Program, unstableRoot, wrapperScript } from "../peers/peers.ts";
import { run } from "../vm/command.ts";
import { emulatorProgram } from "../vm/emulator.ts";
import { buildInitramfs, type GuestFile } from "../vm/initramfs.ts";
import { findKernel, type Kernel } from "../vm/kernel.ts";

/** What QEMU boots. */
export interface DeviceImage {
  readonly kernel: string;
  readonly initramfs: string;
}

const CACHE = new URL("../../.cache/vm", import.meta.url).pathname;
/** Debian's name of the folder for this machine's libraries. */
const LIBRARIES = "/usr/lib/x86_64-linux-gnu";

/** The modules that offer the devices; what they depend on comes along. */
const MODULES = ["tpm_vtpm_proxy", "cuse"];

/** What an image holds beside the rest. */
export interface MoreContent {
  /** Images are kept in the cache by name. */
  readonly name: string;
  readonly programs: readonly string[];
  readonly files: readonly GuestFile[];
  /** Programs of the C project, of the version that is compared with. */
  readonly peers: readonly Program[];
}

const nothingMore: MoreContent = { name: "devices", programs: [], files: [], peers: [] };

/** Gets the kernel and the guest's file system ready. */
export async function prepareDeviceImage(more = nothingMore): Promise<DeviceImage> {
  const kernel = await findKernel(CACHE);
  const scratch = await Deno.makeTempDir({ prefix: "swtpm-devices-image-" });
  try {
    const files = [
      ...guestScripts(),
      ...await moduleFiles(kernel, scratch),
      ...await peerFiles(scratch, ["swtpm_ioctl", ...more.peers]),
      ...await pythonFiles(),
      { from: emulatorProgram(), to: "/usr/bin/swtpm", executable: true },
      // For --runas, whose users are the machine's own.
      ...["passwd", "group", "nsswitch.conf"].map((name) => (
        { from: `/etc/${name}`, to: `/etc/${name}`, executable: false }
      )),
      ...more.files,
    ];
    const initramfs = await buildInitramfs(CACHE, {
      name: more.name,
      programs: [
        ...[
          "/bin/busybox",
          "/bin/bash",
          "/usr/bin/tpm2",
          "/usr/bin/strace",
          "/usr/bin/setpriv",
          PYTHON,
        ],
        ...more.programs,
      ],
      libraries: [
        "libtpms.so.0",
        "libtss2-tcti-device.so.0",
        ...await librariesOf(emulatorProgram()),
      ],
      files,
    });
    return { kernel: kernel.image, initramfs };
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** The scripts of guest/, and the first process that runs them, which all guests share. */
function guestScripts(): GuestFile[] {
  const folder = new URL("guest/", import.meta.url).pathname;
  const ours = [...Deno.readDirSync(folder)].map(({ name }) => (
    { from: folder + name, to: `/guest/${name}`, executable: false }
  ));
  const shared = new URL("../vm/guest/", import.meta.url).pathname;
  return [
    ...ours,
    { from: `${shared}init.sh`, to: "/init", executable: true },
    { from: `${shared}poweroff.sh`, to: "/guest/poweroff.sh", executable: false },
  ];
}

/** The modules with a list of them in the order of loading. */
async function moduleFiles(kernel: Kernel, scratch: string): Promise<GuestFile[]> {
  const places = new Map<string, string>();
  for (const path of pathsBelow(kernel.modules)) {
    const name = /([^/]+)\.ko$/.exec(path)?.[1];
    if (name !== undefined) places.set(name.replaceAll("-", "_"), path);
  }
  const ordered: string[] = [];
  const add = async (name: string) => {
    if (ordered.includes(name)) return;
    const place = places.get(name);
    if (place === undefined) throw new Error(`the kernel's package has no module "${name}"`);
    const depends = (await run("modinfo", ["-F", "depends", place])).trim();
    for (const other of depends === "" ? [] : depends.split(",")) await add(other);
    ordered.push(name);
  };
  for (const name of MODULES) await add(name);
  const list = `${scratch}/modules`;
  await Deno.writeTextFile(list, ordered.map((name) => `${name}\n`).join(""));
  return [
    { from: list, to: "/modules/order", executable: false },
    ...ordered.map((name) => (
      { from: places.get(name)!, to: `/modules/${name}.ko`, executable: false }
    )),
  ];
}

function* pathsBelow(folder: string): Iterable<string> {
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* pathsBelow(path);
    else yield path;
  }
}

/** Programs of the C project of the version that knows all commands, with their own libc. */
async function peerFiles(scratch: string, programs: readonly Program[]): Promise<GuestFile[]> {
  const root = await unstableRoot();
  const libraries = `${LIBRARIES.slice(1)}`;
  const parts = [`${libraries}/ld-linux-x86-64.so.2`, `${libraries}/libc.so.6`];
  const files: GuestFile[] = [];
  for (const program of programs) {
    const wrapper = `${scratch}/${program}`;
    await Deno.writeTextFile(wrapper, wrapperScript("/peers", program));
    files.push({ from: wrapper, to: `/usr/bin/${program}`, executable: true });
    parts.push(`usr/bin/${program}`);
  }
  const seen = parts.map((part) => (
    { from: `${root}/${part}`, to: `/peers/${part}`, executable: true }
  ));
  return [...files, ...seen];
}

const PYTHON = "/usr/bin/python3";

/** What python needs beside its own executable to run device.py, which uses built-in modules. */
async function pythonFiles(): Promise<GuestFile[]> {
  const script = "import sys, encodings.utf_8, encodings.ascii, encodings.latin_1\n" +
    "print('\\n'.join(getattr(m, '__file__', None) or '' for m in list(sys.modules.values())))";
  const loaded = await run(PYTHON, ["-I", "-S", "-c", script]);
  return loaded.split("\n").filter((path) => path.startsWith("/usr/lib/python3"))
    .map((path) => ({ from: path, to: path, executable: false }));
}

/** Sonames of what a program is linked with; it lies elsewhere in the guest than here. */
async function librariesOf(program: string): Promise<string[]> {
  const listing = await run("ldd", [program]);
  return [...listing.matchAll(/^\t(\S+) => \//gm)].map(([, soname = ""]) => soname);
}
