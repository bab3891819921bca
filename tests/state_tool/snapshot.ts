// What lies in a folder, to the byte and the time: to see that nothing was touched.

import { createHash } from "node:crypto";

export function snapshot(folder: string): Record<string, string> {
  const entries = [...Deno.readDirSync(folder)].map(({ name }) => {
    const path = `${folder}/${name}`;
    const { mode, mtime, size, isFile } = Deno.lstatSync(path);
    const digest = isFile
      ? createHash("sha256").update(Deno.readFileSync(path)).digest("hex")
      : Object.entries(snapshot(path)).join();
    return [name, `${mode} ${size} ${mtime?.getTime()} ${digest}`] as const;
  });
  return Object.fromEntries(entries.sort());
}
