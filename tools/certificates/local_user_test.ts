// Whose folders they are: with HOME, without it, and with one that is another user's.

import assert from "node:assert/strict";
import { Errno, SystemError } from "../../ffi/libc.ts";
import { configFolder, localUser, stateFolder } from "./local_user.ts";

/** What is below /root cannot be looked at. */
const files = {
  statusOf(path: string) {
    if (!path.startsWith("/root/")) return undefined;
    throw new SystemError("stat", Errno.EACCES, "EACCES", "refused", path);
  },
};
const usersWith = (home: string | undefined) => ({
  effective: { uid: 64060, gid: 64060 },
  nameOf: () => "swtpm",
  homeOf: () => home,
});

const only = (name: string, value: string) => (asked: string) => asked === name ? value : undefined;
const nothing = () => undefined;

Deno.test("a user's home is HOME, or the system's where that is none of theirs", () => {
  const users = usersWith("/var/lib/swtpm");
  const homes = [
    ...[nothing, only("HOME", ""), only("HOME", "/root"), only("HOME", "/tmp")],
    only("HOME", "/nonexistent"),
  ].map((variable) => localUser(users, files, variable).home);
  assert.deepEqual(homes, [
    ...["/var/lib/swtpm", "/var/lib/swtpm", "/var/lib/swtpm", "/tmp", "/nonexistent"],
  ]);
  const homeless = usersWith(undefined);
  assert.equal(localUser(homeless, files, nothing).home, undefined);
  assert.equal(localUser(homeless, files, only("HOME", "/root")).home, "/root");
});

Deno.test("states are where XDG_STATE_HOME says, else in the home", () => {
  const user = { uid: 1, name: "one", home: "/home/one" };
  assert.equal(stateFolder(only("XDG_STATE_HOME", "/states"), user), "/states");
  assert.equal(stateFolder(nothing, user), "/home/one/.local/state");
  assert.equal(stateFolder(nothing, { ...user, home: undefined }), undefined);
});

Deno.test("a configuration is where XDG_CONFIG_HOME says, else below HOME", () => {
  assert.equal(configFolder(only("XDG_CONFIG_HOME", "/conf")), "/conf");
  assert.equal(configFolder(only("HOME", "/home/one")), "/home/one/.config");
  assert.equal(configFolder(only("HOME", "")), undefined);
});
