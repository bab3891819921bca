// The machine's apt sources in the shapes they come in; nothing is downloaded.

import assert from "node:assert/strict";
import { join } from "node:path";
import {
  debianArchives,
  machineSources,
  parseDeb822,
  parseOneLine,
  renderStanza,
} from "./sources.ts";

Deno.test("the one-line format with options and a comment", () => {
  assert.deepEqual(
    parseOneLine(
      "# deb http://off.example/debian bookworm main\n" +
        "deb [arch=amd64 signed-by=/a.gpg,/b.gpg] http://m.example/debian bookworm main contrib # x\n",
    ),
    [{
      types: "deb",
      uris: "http://m.example/debian",
      suites: "bookworm",
      components: "main contrib",
      architectures: "amd64",
      "signed-by": "/a.gpg /b.gpg",
    }],
  );
});

Deno.test("the deb822 format keeps a key that is written into it", () => {
  const text = "Types: deb\nURIs: http://m.example/debian\nSuites: bookworm\nComponents: main\n" +
    "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDMEabc\n" +
    " -----END PGP PUBLIC KEY BLOCK-----\n";
  const [stanza] = parseDeb822(`# a comment\n${text}\n\n# another\n`);
  assert.ok(stanza !== undefined);
  assert.equal(stanza["uris"], "http://m.example/debian");
  assert.equal(stanza["signed-by"]?.split("\n").length, 5);
  assert.deepEqual(parseDeb822(renderStanza(stanza)), [stanza]);
});

Deno.test("Debian's archive comes before vendors that reuse its suite names", async () => {
  await withRoot({
    "etc/os-release": "ID=debian\nVERSION_CODENAME=bookworm\n",
    "etc/apt/sources.list": "deb http://vendor.example/node_20.x bookworm main\n" +
      "deb http://m.example/debian-security bookworm-security main\n",
    "etc/apt/sources.list.d/debian.sources":
      "Types: deb\nURIs: http://m.example/debian\nSuites: bookworm bookworm-updates\n" +
      "Components: main\n\nEnabled: no\nTypes: deb\nURIs: http://off.example/debian\n" +
      "Suites: bookworm\nComponents: main\n",
    "etc/apt/sources.list.d/old.list.disabled": "deb http://off.example/debian bookworm main\n",
  }, async (root) => {
    assert.equal((await machineSources(root)).length, 4);
    assert.deepEqual((await debianArchives(root)).map((stanza) => stanza["uris"]), [
      "http://m.example/debian",
      "http://vendor.example/node_20.x",
    ]);
  });
});

Deno.test("a machine without a Debian archive is told so", async () => {
  await withRoot({ "etc/os-release": "VERSION_CODENAME=bookworm\n" }, async (root) => {
    await assert.rejects(debianArchives(root), /names no Debian archive for "bookworm"/);
  });
});

async function withRoot(
  files: Record<string, string>,
  work: (root: string) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    for (const [path, text] of Object.entries(files)) {
      await Deno.mkdir(join(root, path, ".."), { recursive: true });
      await Deno.writeTextFile(join(root, path), text);
    }
    await work(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}
