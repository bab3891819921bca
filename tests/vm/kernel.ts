// The guest's kernel: Debian's package for virtual machines, unpacked below .cache/vm/.
// Not installed, because an installation runs the hooks of initramfs-tools; found through the
// metapackage on each run, because Debian drops old versions from its mirrors.

import { run } from "./command.ts";

const metapackage = "linux-image-cloud-amd64";

/** An unpacked kernel package. */
export interface Kernel {
  /** As `uname -r` says it. */
  readonly release: string;
  /** The bootable image. */
  readonly image: string;
  /** The folder of its modules, which has no modules.dep. */
  readonly modules: string;
}

/** The kernel apt offers today, downloaded unless `cache` has it already. */
export async function findKernel(cache: string): Promise<Kernel> {
  try {
    return await cachedKernel(cache);
  } catch (first) {
    // The package lists are absent or older than the mirror: fetch them and ask once more.
    try {
      await run("apt-get", ["-q", "update"]);
      return await cachedKernel(cache);
    } catch (second) {
      throw new AggregateError([first, second], `no kernel: ${first}; then ${second}`);
    }
  }
}

async function cachedKernel(cache: string): Promise<Kernel> {
  const record = await run("apt-cache", ["--no-all-versions", "show", metapackage]);
  const version = /^Version: (\S+)$/m.exec(record)?.[1];
  const image = /^Depends: linux-image-(\S+)/m.exec(record)?.[1];
  if (!version || !image) throw new Error(`apt-cache does not say what ${metapackage} depends on`);
  const folder = `${cache}/kernel-${image}_${version.replaceAll(":", "%3a")}`;
  const kernel: Kernel = {
    release: image,
    image: `${folder}/boot/vmlinuz-${image}`,
    modules: `${folder}/lib/modules/${image}`,
  };
  if (!await exists(kernel.image)) {
    await unpack(cache, folder, `linux-image-${image}`, kernel);
    await removeOthers(cache, folder);
  }
  return kernel;
}

/** Downloads and unpacks beside the final place, so that a broken run leaves nothing half done. */
async function unpack(cache: string, folder: string, name: string, kernel: Kernel): Promise<void> {
  await Deno.mkdir(cache, { recursive: true });
  const scratch = await Deno.makeTempDir({ dir: cache, prefix: "download-" });
  try {
    await run("apt-get", ["-q", "download", name], { cwd: scratch });
    const archives = [...Deno.readDirSync(scratch)].map((entry) => entry.name);
    const archive = archives.find((file) => file.endsWith(".deb"));
    if (!archive) throw new Error(`apt-get download ${name} left no .deb file`);
    await run("dpkg-deb", ["--extract", `${scratch}/${archive}`, `${scratch}/unpacked`]);
    await Deno.rename(`${scratch}/unpacked`, folder).catch(async (error) => {
      // Another test of the same run may have been quicker.
      if (!await exists(kernel.image)) throw error;
    });
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** An unpacked kernel takes 100 MB: only the newest is kept. */
async function removeOthers(cache: string, folder: string): Promise<void> {
  for (const { name } of [...Deno.readDirSync(cache)]) {
    const other = name.startsWith("kernel-") && `${cache}/${name}` !== folder;
    if (other) await Deno.remove(`${cache}/${name}`, { recursive: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
