// What each program does, as its pages and the list of them say it.
import type { Program } from "./programs.ts";

/** In words that go on from the program's name. */
export const ABOUT: Readonly<Record<Program, string>> = {
  socket: "TPM commands come through TCP or Unix sockets",
  chardev: "they come through a character device or a vTPM proxy",
  cuse: "they come through a device of its own, /dev/NAME",
  run: "runs a command with a TPM of its own",
  start: "starts a TPM in the background, for a script's next lines",
  stop: "ends it",
  ping: "says whether a TPM answers, for health checks",
  doctor: "says what this machine offers a TPM, and what it lacks",
  decode: "says what a TPM was asked, or what a firmware measured",
  state: "looks into a TPM's state, checks it, brings it elsewhere",
  ioctl: "gives a running TPM a control command",
  bios: "does with a TPM what a firmware does",
  setup: "makes a TPM with keys and certificates",
  cert: "makes a certificate for a TPM's key",
  localca: "makes a certificate for a TPM's key as a local authority",
  "install-tools": "makes links to this program named swtpm_ioctl and so on",
  completions: "prints a script for your shell: bash, zsh or fish",
};
