// Where states are kept, by the words of the command line.
import { deepEqual } from "node:assert/strict";
import { placeOf } from "./place.ts";

Deno.test("a URI names a directory, a file or the memory", () => {
  deepEqual(placeOf("dir:///var/lib/tpm"), { kind: "directory", path: "/var/lib/tpm" });
  deepEqual(placeOf("dir://tpm"), { kind: "directory", path: "tpm" });
  deepEqual(placeOf("file:///dev/vdb"), { kind: "file", path: "/dev/vdb" });
  deepEqual(placeOf("memory://"), { kind: "memory" });
});

Deno.test("what names none of them is kept for the message", () => {
  for (const uri of ["/var/lib/tpm", "memory://more", "dir:/var", "DIR:///var", ""]) {
    deepEqual(placeOf(uri), { kind: "unknown", uri });
  }
});
