// TPM devices in a real kernel: its vTPM proxy and CUSE, in guests under software emulation, with
// the program under test, the C project's swtpm_ioctl, tpm2-tools and raw users of the devices.

import { inLanes } from "../vm/lanes.ts";
import { cuseConversation } from "./cuse_conversation.ts";
import { confinedCuse, confinedVtpm, unconfinedCuse } from "./confinement_scenario.ts";
import { cuseTpm12, cuseTpm2 } from "./cuse_scenario.ts";
import { prepareDeviceImage } from "./image.ts";
import { DeviceMachine } from "./machine.ts";
import { withoutModules, withoutRights } from "./refusal_scenario.ts";
import { Shell } from "./shell.ts";
import { cuseTools } from "./tools_scenario.ts";
import { passedDevices, vtpmDevices } from "./vtpm_scenario.ts";

/** Parallel steps share nothing but the image; their child processes overlap in time. */
const parallel = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };

Deno.test("TPM devices in a kernel", parallel, async (t) => {
  const image = await prepareDeviceImage();
  const step = async (name: string, work: () => Promise<void>) => {
    if (!await t.step({ name, fn: work, ...parallel })) throw new Error(`"${name}" failed`);
  };
  const booted = async (
    name: string,
    work: (shell: Shell, load: () => Promise<void>) => Promise<void>,
  ) => {
    await using machine = await DeviceMachine.start(image, name);
    await work(new Shell(machine.guest), async () => void await machine.guest.run("modules"));
    await machine.powerOff();
  };
  // A guest keeps one core busy.
  await inLanes(2, [
    () =>
      booted("cuse", async (shell, load) => {
        await load();
        await step("CUSE: a TPM 2, every control command, states", () => cuseTpm2(shell));
        await step("CUSE: a TPM 1.2", () => cuseTpm12(shell));
        await step("CUSE: swtpm_ioctl and swtpm_bios of our own", () => cuseTools(shell));
        await step("CUSE: what the C program answers", () => cuseConversation(shell));
        await step("CUSE: what the process gave up", () => confinedCuse(shell));
        await step("CUSE: the filter can be left out", () => unconfinedCuse(shell));
      }),
    () =>
      booted("vtpm", async (shell, load) => {
        await step("without the kernel modules", () => withoutModules(shell));
        await load();
        await step("vTPM proxy: a TPM 2 and a TPM 1.2 beside it", () => vtpmDevices(shell));
        await step("devices that others opened", () => passedDevices(shell));
        await step("vTPM proxy: what the process gave up", () => confinedVtpm(shell));
        await step("without node, permission or a free name", () => withoutRights(shell));
      }),
  ]);
});
