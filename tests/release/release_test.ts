// A release, made twice: the same bytes, sums that coreutils accept, a parts list that CycloneDX accepts,
// packages that Debian's tools read. The second run has the first one's executables, as building them
// twice is looked at by itself.

import assert from "node:assert/strict";
import { run } from "../support/process.ts";
import { checkoutPath, plainProgram } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { faultsOf } from "./validators.ts";

/** Measured 60 s for a release on two processors. */
const RELEASE_MS = 900_000;

const deno = plainProgram("deno", Deno.execPath());
const sh = plainProgram("sh", "/bin/sh");

async function must(program: typeof deno, words: readonly string[], cwd = checkoutPath()) {
  const { code, stdout, stderr } = await run(program, words, { cwd, timeoutMs: RELEASE_MS });
  assert.equal(code, 0, `${words.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

Deno.test("release: two of them have the same bytes, and are what they say", async (t) => {
  await using folder = new TempDir("swtpm-release-");
  const [one, other] = [folder.join("one"), folder.join("other")];
  const release = ["run", "-A", "scripts/release.ts", "--to"];
  await must(deno, [...release, one]);
  const sums = Deno.readTextFileSync(`${one}/SHA256SUMS`);

  await t.step("twice", async () => {
    const build = ["run", "-A", "scripts/build.ts", "--force"];
    await must(deno, build);
    const given = ["--x64", `${one}/swtpm-linux-x64`, "--arm64", `${one}/swtpm-linux-arm64`];
    await must(deno, [...release, other, ...given]);
    assert.equal(Deno.readTextFileSync(`${other}/SHA256SUMS`), sums);
    const [own] = (await must(sh, ["-c", "sha256sum dist/swtpm"])).split(" ");
    assert.ok(sums.includes(own!), "the executable of another build");
  });

  await t.step("sums", async () => {
    await must(sh, ["-c", "sha256sum --quiet --strict -c SHA256SUMS"], one);
    const listed = sums.trimEnd().split("\n").map((line) => line.slice(66));
    const there = [...Deno.readDirSync(one)].map(({ name }) => name);
    assert.deepEqual([...listed, "SHA256SUMS"].sort(), there.sort());
    for (const arch of ["x64", "arm64"]) {
      const name = `swtpm-linux-${arch}`;
      await must(sh, [
        "-c",
        `zcat ${name}.gz | cmp - ${name} && zstdcat ${name}.zst | cmp - ${name}`,
      ], one);
    }
  });

  await t.step("parts", async () => {
    const text = Deno.readTextFileSync(`${one}/swtpm.cdx.json`);
    assert.deepEqual(await faultsOf("parts", `${one}/swtpm.cdx.json`), []);
    const { components } = JSON.parse(text);
    const names = components.map(({ name }: { name: string }) => name);
    for (const name of ["deno", "v8", "libtpms", "asn1js", "swtpm-linux-x64"]) {
      assert.ok(names.includes(name), `${name} in ${names}`);
    }
    for (const { name, licenses, type } of components) {
      assert.ok(type === "file" || licenses.length === 1, `${name} has no licence`);
      assert.ok(
        type === "file" || Deno.readTextFileSync(`${one}/LICENSES.txt`).includes(name),
        name,
      );
    }
  });

  await t.step("packages", async () => {
    for (const arch of ["amd64", "arm64"]) {
      const deb = [...Deno.readDirSync(one)].find(({ name }) =>
        name.endsWith(`_${arch}.deb`)
      )!.name;
      const fields = await must(sh, ["-c", `dpkg-deb -f ${deb}`], one);
      assert.match(fields, new RegExp(`^Architecture: ${arch}$`, "m"));
      assert.match(fields, /^Provides: swtpm \(= .*\), swtpm-tools \(= .*\)$/m);
      const contents = await must(sh, ["-c", `dpkg-deb -c ${deb}`], one);
      for (
        const line of [
          /^-rwxr-xr-x root\/root .* \.\/usr\/bin\/swtpm$/m,
          /\.\/usr\/bin\/swtpm_setup -> swtpm$/m,
          /\.\/usr\/share\/man\/man8\/swtpm\.8\.gz$/m,
          /\.\/usr\/share\/bash-completion\/completions\/swtpm$/m,
          /\.\/usr\/share\/doc\/swtpm-ts\/copyright$/m,
        ]
      ) assert.match(contents, line);
      assert.doesNotMatch(contents, /^[^l].{4}w|^[^l].{7}w/m, "others may write");
    }
    const pages = await must(sh, ["-c", "tar -tf swtpm-pages.tar.gz"], one);
    assert.match(pages, /\/man\/man8\/swtpm\.8$/m);
    assert.match(pages, /\/completions\/_swtpm$/m);
  });
});
