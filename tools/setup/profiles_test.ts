// Which profile is chosen, from which source, and what is refused.

import assert from "node:assert/strict";
import { Files } from "../../ffi/files.ts";
import { Libc } from "../../ffi/libc.ts";
import type { System } from "../../daemon/system.ts";
import { KeyValues } from "../certificates/key_values.ts";
import { chooseProfile, listProfiles, type ProfileWish } from "./profiles.ts";

const files = new Files(new Libc());

/** Functions of a library stay open from their first use on. */
function test(name: string, fn: () => void): void {
  Deno.test({ name, fn, sanitizeResources: false });
}

const NOTHING: ProfileWish = {
  ...{ json: undefined, name: undefined, file: undefined, fd: undefined },
  removeDisabled: undefined,
};

function places(configuration = "") {
  const values = new KeyValues(configuration, () => undefined);
  return { system: { files } as unknown as System, values, builtin: ["default-v1", "null"] };
}

const choose = (wish: Partial<ProfileWish>, configuration = "") =>
  chooseProfile({ ...NOTHING, ...wish }, places(configuration));

test("a profile is the one that is said, else the configuration's", () => {
  const json = '{"Name":"default-v1"}';
  assert.equal(choose({}), undefined);
  assert.deepEqual(choose({ json, removeDisabled: "check" }), {
    ...{ source: { json }, removeDisabled: "check", told: json },
  });
  assert.deepEqual(choose({ fd: 7 })?.source, { fd: 7 });
  assert.equal(choose({}, `profile = ${json}`)?.told, json);
  assert.deepEqual(choose({ name: "builtin:null", removeDisabled: "fips-host" }), {
    ...{ source: { json: '{"Name":"null"}' }, removeDisabled: "fips-host" },
    told: '{"Name":"null"}',
  });
});

test("what is no profile is refused", () => {
  assert.throws(() => choose({ json: "{}", fd: 7 }), /Only one of --profile/);
  assert.throws(() => choose({ json: "x" }), /it is no JSON/);
  for (const json of ["{}", "null", "[]", '{"Name":1}']) {
    assert.throws(() => choose({ json }), /Failed to get 'Name'/, json);
  }
  assert.throws(() => choose({ json: `{"Name":"${"x".repeat(33)}"}` }), /must not exceed 32/);
  assert.throws(() => choose({ name: "../x" }), /unacceptable characters/);
  assert.throws(() => choose({ name: "local:x" }), /Could not find or access profile 'local:x'/);
  assert.throws(() => choose({ file: "/nonexistent/x" }), /Could not open profile file/);
});

test("a folder's profiles have their files' names", () => {
  const folder = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${folder}/mine.json`, '{"Name":"other","Algorithms":"rsa"}\n');
    Deno.writeTextFileSync(`${folder}/notes.txt`, "{}");
    const configuration = `local_profiles_dir = ${folder}`;
    const listed = JSON.parse(listProfiles(places(configuration), [{ Name: "null" }]));
    assert.deepEqual(listed.local, [{ Name: "mine", Algorithms: "rsa" }]);
    assert.deepEqual(listed.builtin, [{ Name: "null" }]);
    const found = choose({ name: "mine" }, configuration);
    assert.deepEqual(found?.source, { json: '{"Name":"other","Algorithms":"rsa"}' });
    assert.deepEqual(choose({ name: "local:mine" }, configuration), found);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
