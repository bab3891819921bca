// Unit tests of reading control messages for whoever looks on.
import { deepStrictEqual } from "node:assert/strict";
import { readTraffic } from "./traffic.ts";

Deno.test("a control command and its response are read by the table", () => {
  deepStrictEqual(readTraffic(Uint8Array.of(0, 0, 0, 2, 0, 0, 0, 1), new Uint8Array(4)), {
    name: "CMD_INIT",
    request: { flags: 1 },
    result: 0,
    response: {},
  });
  const blob = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 9, 0, 0, 0, 1, 0x73);
  const request = Uint8Array.of(0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 8);
  deepStrictEqual(readTraffic(request, blob), {
    name: "CMD_GET_STATEBLOB",
    request: { flags: 0, type: 1, offset: 8 },
    result: 0,
    response: { flags: 2, totalLength: 9, length: 1 },
  });
});

Deno.test("what is short, unknown or without a response is told as far as it goes", () => {
  const refused = Uint8Array.of(0, 0, 0, 10);
  deepStrictEqual(readTraffic(Uint8Array.of(0, 0, 0, 0x77), refused), {
    name: "CMD_0x77",
    request: {},
    result: 10,
    response: {},
  });
  deepStrictEqual(readTraffic(Uint8Array.of(0, 0, 0, 4), refused), {
    name: "CMD_GET_TPMESTABLISHED",
    request: {},
    result: 10,
    response: {},
  });
  deepStrictEqual(readTraffic(Uint8Array.of(0, 0, 0, 2, 0), undefined), {
    name: "CMD_INIT",
    request: {},
    result: undefined,
    response: {},
  });
  deepStrictEqual(readTraffic(Uint8Array.of(0), undefined).name, "no control command");
});
