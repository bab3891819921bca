// What is expected of the C project's test scripts (0.10.2) that need a kernel with the modules: the
// two for its vTPM proxy, two for CUSE alone, and of all others the part that they run for CUSE.

import type { Expectation } from "../upstream/expected.ts";

/** One row of the table. */
export interface DeviceExpectation extends Pick<Expectation, "expect" | "since" | "steps"> {
  /** Belongs to the short run. */
  readonly short?: true;
}

/** Why some stay out: what they test needs no device, and the stage upstream runs it for sockets. */
const needsSetup = { skip: "runs swtpm_setup, and wants the profiles of libtpms 0.10" };
const needsUser = { skip: "runs swtpm_setup as another user, which takes a whole system" };

/**
 * Every script by its name, slow ones first. The short run has both for the vTPM proxy, and of those
 * for CUSE some that reach what the scenarios beside this file do not: another root, states that
 * earlier versions stored, the lock on the way of a state to another process.
 */
export const DEVICE_SCRIPTS: Readonly<Record<string, DeviceExpectation>> = {
  _test_tpm2_save_load_state_da_timeout: { expect: "pass", steps: 1 },
  _test_save_load_encrypted_state: { expect: "pass", steps: 4 },
  _test_resume_volatile: { expect: "pass", steps: 3 },
  _test_tpm2_save_load_encrypted_state: { expect: "pass", steps: 4 },
  _test_migration_key: { expect: "pass", steps: 4 },
  _test_tpm2_hashing2: { expect: "pass", steps: 1 },
  _test_tpm2_encrypted_state: { expect: "pass", steps: 1 },
  _test_tpm2_resume_volatile: { expect: "pass", steps: 3, short: true },
  _test_tpm2_avoid_da_lockout: { expect: "pass", steps: 1 },
  _test_tpm2_locality: { expect: "pass", steps: 1 },
  _test_tpm2_save_load_state_locking: { expect: "pass", steps: 1, short: true },
  _test_swtpm_bios: { expect: "pass", steps: 1 },
  _test_save_load_state: { expect: "pass", steps: 1 },
  _test_tpm2_hashing3: { expect: "pass", steps: 1 },
  _test_tpm2_migration_key: { expect: "pass", steps: 4 },
  _test_encrypted_state: { expect: "pass", steps: 1 },
  test_tpm2_chroot_cuse: { expect: "pass", steps: 2, short: true },
  _test_hashing2: { expect: "pass", steps: 1 },
  _test_tpm2_derived_keys: { expect: "pass", steps: 10 },
  _test_tpm2_swtpm_bios: { expect: "pass", steps: 1 },
  _test_init: { expect: "pass", steps: 1 },
  _test_tpm2_getcap: { expect: "pass", steps: 1 },
  _test_tpm2_init: { expect: "pass", steps: 1 },
  _test_tpm2_hashing: { expect: "pass", steps: 1 },
  test_tpm2_partial_reads: { expect: "pass", steps: 1 },
  _test_tpm2_volatilestate: { expect: "pass", steps: 1 },
  _test_tpm_probe: { expect: "pass", steps: 1 },
  _test_volatilestate: { expect: "pass", steps: 1 },
  _test_tpm2_save_load_state: { expect: "pass", steps: 1 },
  _test_hashing: { expect: "pass", steps: 1, short: true },
  _test_tpm2_probe: { expect: "pass", steps: 1 },
  _test_tpm2_setbuffersize: { expect: "pass", steps: 1 },
  _test_tpm2_savestate: { expect: "pass", steps: 1 },
  test_tpm2_vtpm_proxy: { expect: "pass", steps: 1, short: true },
  _test_tpm2_wrongorder: { expect: "pass", steps: 1 },
  _test_getcap: { expect: "pass", steps: 1 },
  _test_setbuffersize: { expect: "pass", steps: 1 },
  _test_wrongorder: { expect: "pass", steps: 8 },
  test_vtpm_proxy: { expect: "pass", steps: 1, short: true },
  _test_locality: { expect: "pass", steps: 1 },
  _test_tpm2_pcap: { expect: "pass", since: "0.11", steps: 3 },
  _test_tpm2_print_states: { expect: "pass", steps: 2 },
  _test_print_states: { expect: "pass", steps: 2 },
  _test_print_capabilities: { expect: needsSetup },
  _test_tpm2_print_capabilities: { expect: needsSetup },
  _test_tpm2_file_permissions: { expect: needsUser },
};
