// What the kernel offers, and what it keeps from us: devices, system call filters, AppArmor, SELinux.
import type { System } from "../../daemon/system.ts";
import { Access, type Machine } from "../../ffi/machine.ts";
import { type Check, type Finding, ok, warn } from "./finding.ts";
import { systemFile } from "../own_tpm/system_file.ts";

const ACTIONS = "/proc/sys/kernel/seccomp/actions_avail";
const APPARMOR_SWITCH = "/sys/module/apparmor/parameters/enabled";
const APPARMOR_PROFILE = "/etc/apparmor.d/usr.bin.swtpm";
/** Where a distribution installs the C program, which its AppArmor profile is written for. */
const DISTRIBUTION_PATH = "/usr/bin/swtpm";
const SELINUX_SWITCH = "/sys/fs/selinux/enforce";
const OWN_LABEL = "/proc/self/attr/current";

/** Devices and their users. */
const DEVICES = [
  { path: "/dev/vtpmx", user: "'swtpm chardev --vtpm-proxy'", module: "tpm_vtpm_proxy" },
  { path: "/dev/cuse", user: "'swtpm cuse'", module: "cuse" },
] as const;

export function kernelChecks(system: System, machine: Machine): Check[] {
  return [
    ...DEVICES.map((device) => ({
      check: device.path,
      find: () => deviceFinding(system, machine, device),
    })),
    { check: "seccomp", find: () => seccompFinding(system) },
    { check: "confinement", find: () => confinementFinding(system) },
  ];
}

function deviceFinding(
  { files }: System,
  machine: Machine,
  { path, user, module }: (typeof DEVICES)[number],
): Finding {
  if (files.statusOf(path) === undefined) {
    return warn(path, `not there: ${user} cannot be used`, `'modprobe ${module}' as root`);
  }
  if (!machine.may(path, Access.READ | Access.WRITE)) {
    return warn(path, `there, but we may not open it: ${user} cannot be used`, "be root");
  }
  return ok(path, "there, and we may open it");
}

function seccompFinding({ files }: System): Finding {
  const actions = systemFile(files, ACTIONS);
  if (actions === undefined) {
    return warn(
      "seccomp",
      "this kernel filters no system calls",
      "use --seccomp action=none where a filter is asked for",
    );
  }
  const mode = /^Seccomp:\s*(\d)/m.exec(systemFile(files, "/proc/self/status") ?? "")?.[1];
  const log = actions.split(" ").includes("log") ? "kill and log" : "kill, not log";
  return ok("seccomp", mode === "2" ? `${log}; we are under a filter already` : log);
}

function confinementFinding({ files }: System): Finding {
  const label = systemFile(files, OWN_LABEL);
  const selinux = systemFile(files, SELINUX_SWITCH);
  if (selinux !== undefined) {
    const mode = selinux === "1" ? "enforcing" : "permissive";
    return ok("SELinux", `${mode}; we are ${label ?? "without a context"}`);
  }
  if (systemFile(files, APPARMOR_SWITCH) !== "Y") return ok("confinement", "none");
  if (label !== undefined && label !== "unconfined") {
    return warn(
      "AppArmor",
      `confines us: ${label}; what that profile does not name is refused`,
      `look for 'apparmor="DENIED"' in the kernel's log, and add it to the profile`,
    );
  }
  if (files.statusOf(APPARMOR_PROFILE) !== undefined && Deno.execPath() === DISTRIBUTION_PATH) {
    return warn(
      "AppArmor",
      `'${APPARMOR_PROFILE}' is written for the C program, and this one is in its place`,
      "put this program elsewhere, or let the profile be: 'aa-complain swtpm'",
    );
  }
  return ok("AppArmor", "does not confine us");
}
