// What a start loads: nothing of the specifications, of which it would use next to nothing, and nothing
// that serves the simulator's ports. They come when a trace, a tool or an option wants them.

import { deepStrictEqual, ok } from "node:assert/strict";
import { ROOT } from "./checkout.ts";

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly isDynamic?: boolean;
    readonly code?: { readonly specifier?: string };
  }[];
}

Deno.test("main.ts loads by itself only what all starts need", async () => {
  const info = new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "main.ts"],
    cwd: ROOT,
  });
  const { success, stdout, stderr } = await info.output();
  ok(success, new TextDecoder().decode(stderr));
  const { roots, modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    readonly roots: readonly string[];
    readonly modules: readonly Module[];
  };
  const bySpecifier = new Map(modules.map((module) => [module.specifier, module]));
  const loaded = new Set(roots);
  for (const specifier of loaded) {
    for (const { isDynamic, code } of bySpecifier.get(specifier)?.dependencies ?? []) {
      if (isDynamic !== true && code?.specifier !== undefined) loaded.add(code.specifier);
    }
  }
  ok([...loaded].some((specifier) => specifier.endsWith("/wire/codes.ts")));
  // Below the checkout: it may itself be in a folder of such a name.
  const paths = [...loaded].map((specifier) => specifier.replace(`file://${ROOT}`, ""));
  deepStrictEqual(paths.filter((path) => /\/(tcg|trace|resources)\//.test(path)), []);
  deepStrictEqual(paths.filter((path) => /\/(simulator|platform|platform_port)\.ts$/.test(path)), [
    "/wire/simulator.ts",
  ]);
});
