// The examples that only others' programs read: the compose file as the Compose Specification has it, the
// pod as far as it is YAML of the shape that Kubernetes wants.

import assert from "node:assert/strict";
import { checkoutPath } from "../support/programs.ts";
import { faultsOf } from "./validators.ts";

Deno.test("compose.yaml: as the Compose Specification has it", async () => {
  assert.deepEqual(await faultsOf("compose", checkoutPath("examples", "compose.yaml")), []);
});

Deno.test("sidecar.yaml: a pod with a sidecar", async () => {
  assert.deepEqual(await faultsOf("pod", checkoutPath("examples", "sidecar.yaml")), []);
});

Deno.test("a compose file with a fault is told", async () => {
  assert.notEqual((await faultsOf("compose", checkoutPath("examples", "sidecar.yaml"))).length, 0);
});
