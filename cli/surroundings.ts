// What command lines of this process are read against: its users, its environment, its descriptors.
import { descriptorKind } from "../daemon/start/background.ts";
import type { System } from "../daemon/system.ts";
import type { Surroundings } from "./line.ts";

export function surroundingsOf(system: System): Surroundings {
  const { users } = system;
  return {
    names: { user: (name) => users.user(name)?.uid, group: (name) => users.group(name) },
    variable: (name) => Deno.env.get(name),
    descriptor: (fd) => descriptorKind(system, fd),
  };
}
