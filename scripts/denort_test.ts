// Tests of cutting a base executable out of a program, on small files made here: each thing that
// is checked before a download is trusted has its refusal.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { deflateRawSync, gzipSync } from "node:zlib";
import { fileInArchive, fileInZip } from "./archives.ts";
import { cutBase, type DonorFacts, insertBehindBase, obtainBase, officialBase } from "./denort.ts";

const BASE_LENGTH = 200;
const SECTION_TABLE = 136; // with one entry of 64 bytes the file ends where its table ends

function elf(machine = 0x3e): Uint8Array {
  const base = new Uint8Array(BASE_LENGTH);
  base.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  const view = new DataView(base.buffer);
  view.setUint16(0x12, machine, true);
  view.setBigUint64(0x28, BigInt(SECTION_TABLE), true);
  view.setUint16(0x3a, 64, true);
  view.setUint16(0x3c, 1, true);
  return base;
}

function program(base: Uint8Array, section = "d3n0l4nd and more"): Uint8Array {
  const appended = new TextEncoder().encode(section);
  const bytes = new Uint8Array(base.length + appended.length + 16);
  bytes.set(base);
  bytes.set(appended, base.length);
  const view = new DataView(bytes.buffer, base.length + appended.length);
  view.setUint32(0, 0x501e, true);
  view.setUint32(4, 0x2a7, true);
  view.setBigUint64(8, BigInt(appended.length + 16), true);
  return bytes;
}

function factsOf(base: Uint8Array): DonorFacts {
  return {
    package: "donor@1.0.0",
    file: "package/bin/donor",
    integrity: "",
    baseLength: base.length,
    baseSha256: createHash("sha256").update(base).digest("hex"),
  };
}

/** A tar archive of one file (POSIX ustar). */
function archive(name: string, content: Uint8Array, sizeText?: string): Uint8Array {
  const tar = new Uint8Array(512 + Math.ceil(content.length / 512) * 512 + 1024);
  const text = (value: string, at: number) => tar.set(new TextEncoder().encode(value), at);
  text(name, 0);
  text(sizeText ?? content.length.toString(8).padStart(11, "0"), 124);
  tar.set(content, 512);
  return gzipSync(tar);
}

/** A zip archive of files, packed or not (APPNOTE.TXT 4.3), without the checksums. */
function zip(files: readonly [string, Uint8Array][], method = 8): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let length = 0;
  const record = (size: number, signature: number, fields: [number, number, 2 | 4][]) => {
    const view = new DataView(new ArrayBuffer(size));
    view.setUint32(0, signature, true);
    for (const [at, value, width] of fields) {
      if (width === 2) view.setUint16(at, value, true);
      else view.setUint32(at, value, true);
    }
    return new Uint8Array(view.buffer);
  };
  for (const [name, content] of files) {
    const packed = method === 8 ? new Uint8Array(deflateRawSync(content)) : content;
    const nameBytes = new TextEncoder().encode(name);
    const common = (at: number): [number, number, 2 | 4][] => [
      [at + 8, method, 2],
      [at + 18, packed.length, 4],
      [at + 22, content.length, 4],
      [at + 26, nameBytes.length, 2],
    ];
    directory.push(record(46, 0x02014b50, [...common(2), [42, length, 4]]), nameBytes);
    const local = [record(30, 0x04034b50, common(0)), nameBytes, packed];
    parts.push(...local);
    length += local.reduce((sum, part) => sum + part.length, 0);
  }
  const end = record(22, 0x06054b50, [[10, files.length, 2], [16, length, 4]]);
  return Uint8Array.from([...parts, ...directory, end].flatMap((part) => [...part]));
}

Deno.test("a file is found in Deno's archive by its name, packed or not", () => {
  const files: [string, Uint8Array][] = [["a", new Uint8Array(3)], ["denort", elf()]];
  for (const method of [0, 8]) {
    assert.deepEqual(new Uint8Array(fileInZip(zip(files, method), "denort")), elf());
  }
  assert.throws(() => fileInZip(zip(files), "b"), { message: 'the archive has no file "b"' });
  assert.throws(() => fileInZip(zip(files, 9), "denort"), { message: /packed by method 9/ });
  assert.throws(() => fileInZip(zip(files).subarray(0, -1), "a"), { message: /not a whole zip/ });
  assert.throws(() => fileInZip(new Uint8Array(3), "a"), { message: /not a whole zip/ });
});

Deno.test("Deno's download is refused when it is not exactly the expected base", () => {
  const folder = Deno.makeTempDirSync({ prefix: "swtpm-denort-" });
  try {
    const path = `${folder}/denort.zip`;
    Deno.writeFileSync(path, zip([["denort", elf()]]));
    const base = officialBase(path, "x64", factsOf(elf()));
    assert.equal(base.route, "official");
    assert.throws(() => officialBase(path, "x64"), {
      message: /has sha256 [0-9a-f]{64}, not f12d/,
    });
    const changed = elf();
    changed[100] = 1;
    Deno.writeFileSync(path, zip([["denort", changed]]));
    assert.throws(() => officialBase(path, "x64", factsOf(elf())), { message: /has sha256/ });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("the base is what stands before the appended section", () => {
  const base = elf();
  assert.deepEqual(cutBase(program(base), factsOf(base)), base);
});

Deno.test("a program that is not exactly the expected one is refused", () => {
  const base = elf();
  const facts = factsOf(base);
  const spoiled = (change: (bytes: Uint8Array) => void) => {
    const bytes = program(base);
    change(bytes);
    return bytes;
  };
  const refuses = (bytes: Uint8Array, message: RegExp, expected = facts) =>
    assert.throws(() => cutBase(bytes, expected), { message });

  refuses(new Uint8Array(79), /has only 79 bytes/);
  refuses(spoiled((bytes) => bytes[bytes.length - 16] = 0), /does not end like/);
  refuses(spoiled((bytes) => bytes[bytes.length - 8] = 1), /has 232 bytes, not 200/);
  refuses(program(base, "d3n0l4nD"), /does not begin with "d3n0l4nd"/);
  refuses(spoiled((bytes) => bytes[0] = 0), /not a 64-bit ELF/);
  refuses(spoiled((bytes) => bytes[0x3c] = 2), /speaks of 264 bytes, not 200/);
  refuses(spoiled((bytes) => bytes[100] = 1), /has sha256 [0-9a-f]{64}, not/);
  refuses(program(base), /has 200 bytes, not 201/, { ...facts, baseLength: 201 });
});

Deno.test("an archive stands between the base and what deno compile put behind it", () => {
  const base = elf();
  const before = program(base);
  const archive = Uint8Array.of(1, 2, 3);
  const after = insertBehindBase(before, archive);
  assert.deepEqual(after.subarray(0, base.length), base);
  assert.deepEqual(after.slice(base.length, base.length + archive.length), archive);
  assert.deepEqual(after.slice(base.length + archive.length), before.slice(base.length));
  assert.throws(() => insertBehindBase(after, archive), /something behind its ELF file already/);
  assert.throws(() => insertBehindBase(base, archive), /does not end like/);
});

Deno.test("a file is found in a package by its name", () => {
  const content = new Uint8Array(700).fill(7);
  assert.deepEqual(
    new Uint8Array(fileInArchive(archive("package/a", content), "package/a")),
    content,
  );
});

Deno.test("a package that is damaged or lacks the file is refused", () => {
  const content = new Uint8Array(10);
  assert.throws(() => fileInArchive(archive("package/a", content), "package/b"), {
    message: 'the archive has no file "package/b"',
  });
  assert.throws(() => fileInArchive(archive("a", content, "7777777"), "a"), {
    message: "the archive ends in the middle of a file",
  });
  assert.throws(() => fileInArchive(archive("a", content, "-1"), "a"), {
    message: 'archive entry of size "-1"',
  });
  assert.throws(() => fileInArchive(new Uint8Array([1, 2, 3]), "a"));
});

Deno.test("DENORT_BIN wins, and is refused when it cannot serve", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "swtpm-denort-" });
  const before = Deno.env.get("DENORT_BIN");
  try {
    const path = `${folder}/denort`;
    Deno.env.set("DENORT_BIN", path);
    await assert.rejects(obtainBase("x64", folder), { message: /^DENORT_BIN names ".*": / });

    Deno.writeTextFileSync(path, "#!/bin/sh\n");
    await assert.rejects(obtainBase("x64", folder), { message: /not a 64-bit ELF executable/ });

    Deno.writeFileSync(path, elf());
    await assert.rejects(obtainBase("x64", folder), { message: /not denort 2\.7\.11/ });

    Deno.writeTextFileSync(path, "d3n0l4nd Deno/2.7.11", { append: true });
    const base = await obtainBase("x64", folder);
    assert.equal(base.route, "DENORT_BIN");
    assert.deepEqual(new Uint8Array(base.bytes), Deno.readFileSync(path));
    await assert.rejects(obtainBase("arm64", folder), { message: /another processor/ });
  } finally {
    if (before === undefined) Deno.env.delete("DENORT_BIN");
    else Deno.env.set("DENORT_BIN", before);
    Deno.removeSync(folder, { recursive: true });
  }
});
