// What is read of a profile's file.

import { equal } from "node:assert/strict";
import { readProfile } from "./profile.ts";
import { openSystem } from "../system.ts";

Deno.test({
  name: "a profile's text ends with its file, or a NUL byte",
  // Functions of the C library stay open from their first use on.
  sanitizeResources: false,
  async fn() {
    const file = Deno.makeTempFileSync();
    const config = { source: { file }, removeDisabled: undefined };
    const read = (text: string) => {
      Deno.writeTextFileSync(file, text);
      return readProfile(openSystem(), config, { info: () => undefined }, () => {});
    };
    try {
      equal(await read('{"Name":"default-v1"}\n'), '{"Name":"default-v1"}');
      equal(await read('{"Name":"default-v1"}\0{"Name":"null"}'), '{"Name":"default-v1"}');
      equal(await read("\0"), "");
    } finally {
      Deno.removeSync(file);
    }
  },
});
