// Unit tests of where a trace goes: a medium that takes nothing is told of once, and what was lost
// when it takes something again.
import { deepEqual } from "node:assert/strict";
import { TraceFile } from "./trace_file.ts";

type Mood = "takes" | "has no room" | "fails";

function setup() {
  const medium = { mood: "takes" as Mood, text: "" };
  const told: string[] = [];
  const file = new TraceFile(
    {
      write(bytes: Uint8Array<ArrayBuffer>) {
        if (medium.mood === "fails") throw new Error("No space left");
        if (medium.mood === "takes") medium.text += new TextDecoder().decode(bytes);
        return medium.mood === "takes";
      },
    },
    (count) => `lost ${count}\n`,
    (message) => void told.push(message),
  );
  return { medium, told, file };
}

Deno.test("lines without room are counted and told of", () => {
  const { medium, told, file } = setup();
  file.write("one\n", 1);
  medium.mood = "has no room";
  file.write("two\nthree\n", 2);
  file.write("four\n", 1);
  medium.mood = "takes";
  file.write("five\n", 1);
  deepEqual(medium.text, "one\nlost 3\nfive\n");
  deepEqual(told, []);
  medium.mood = "has no room";
  file.write("six\n", 1);
  medium.mood = "takes";
  file.close();
  deepEqual(medium.text, "one\nlost 3\nfive\nlost 1\n");
});

Deno.test("a medium that fails is told of once, and again after it has worked", () => {
  const { medium, told, file } = setup();
  medium.mood = "fails";
  for (const line of ["one\n", "two\n", "three\n"]) file.write(line, 1);
  deepEqual(told.length, 1);
  medium.mood = "takes";
  file.write("four\n", 1);
  // A line may have been cut.
  deepEqual(medium.text, "\nlost 3\nfour\n");
  medium.mood = "fails";
  file.write("five\n", 1);
  deepEqual(told.length, 2);
});
