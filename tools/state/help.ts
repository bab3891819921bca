// The page on `swtpm state`.
import type { Page } from "../../cli/page.ts";
import { ABOUT } from "../../cli/about.ts";
import { LIBTPMS_VARIABLE } from "../own_tpm/options_help.ts";

export function statePage(): Page {
  return {
    program: "swtpm state",
    about: ABOUT.state,
    usage: ["show|check [options] STATE", "convert|clone [options] STATE TARGET"],
    description: [
      "Says what a TPM's state holds, and whether it is whole, without starting the TPM that it belongs " +
      "to; copies it to another place. STATE is a directory, a file or a block device with all states " +
      "of a TPM in it, by its path or as dir://DIRECTORY or file://FILE. It is never written to; show " +
      "and check do not lock it either.",
      {
        rows: [
          [
            "show",
            "whose state it is and how large, how it is encrypted, who holds its lock, which libtpms " +
            "reads it; and what is in the TPM, of which a copy is run in memory, in a process of its " +
            "own: persistent keys, NV indices, endorsement keys and their certificates, counters of " +
            "failed passwords, the clock, the PCRs where they were saved",
          ],
          [
            "check",
            "whether a TPM could be started with it: each of its states is read as a start would do " +
            "it, and told to be whole, or what is wrong with it",
          ],
          ["convert", "the same TPM at TARGET, with another key (--new-key) or with none"],
          [
            "clone",
            "the same TPM at TARGET, each state as it is: no key is needed. Two TPMs with the same " +
            "keys should not both be used",
          ],
        ],
      },
      "TARGET is made: a directory, or a file where it is written as file://FILE. An empty directory is " +
      "replaced, and a block device is used if it begins with zeros. It appears whole or not at all; " +
      "what a killed process leaves beside it is called TARGET.new-... . STATE is locked meanwhile. A " +
      "backup (its name ends in .bak) is not copied.",
    ],
    options: [{
      rows: [
        ["--key ARGUMENT", "the state's key, as for 'swtpm socket'"],
        ["--json", "print it as JSON"],
        ["--nv INDEX", "print what an NV index holds, where it can be read without a password"],
        [
          "--ek pem",
          "print the endorsement keys and their certificates in PEM, and no more; where none is kept, " +
          "those that everybody uses are made of the seed",
        ],
        ["--new-key ARGUMENT", "the key that TARGET is encrypted with"],
        ["--mode MODE", "the mode of TARGET's files, such as 0600"],
        ["--tpm2|--tpm12", "only this TPM of a directory that holds both"],
        ["--libtpms system|embedded|PATH", "the libtpms to use; SWTPM_LIBTPMS does the same"],
        ["-h|--help", "print this page and exit"],
      ],
    }],
    environment: [LIBTPMS_VARIABLE],
    exit: ["0, or 1 where something cannot be read or done."],
    examples: [{
      lines: [
        "swtpm state show /var/lib/libvirt/swtpm/UUID/tpm2",
        "swtpm state check --json /srv/tpms/7",
        "swtpm state convert --new-key file=key,mode=aes-256-cbc /srv/tpms/7 file:///srv/7",
        "swtpm state show --key pwdfile=phrase --nv 0x1c00002 file:///srv/tpm",
      ],
    }],
  };
}
