// Tests of cutting a base executable out of a program, on small files made here: each thing that
// is checked before a download is trusted has its refusal.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { cutBase, type DonorFacts, fileInArchive, insertBehindBase, obtainBase } from "./denort.ts";

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
    assert.equal(base.path, Deno.realPathSync(path));
    await assert.rejects(obtainBase("arm64", folder), { message: /another processor/ });
  } finally {
    if (before === undefined) Deno.env.delete("DENORT_BIN");
    else Deno.env.set("DENORT_BIN", before);
    Deno.removeSync(folder, { recursive: true });
  }
});
