// IBM's TSS' regression script, section by section, with the installed utilities as a simulator's
// clients: its own `powerup` turns the TPM on.

import type { Part, Suite } from "./suite.ts";

/** All but those under development, as `reg.sh -h` has them. */
const SECTIONS = [...Array.from({ length: 29 }, (_, n) => n + 1), 35, 50];

export const IBM_TSS: Suite = {
  name: "ibm-tss",
  tpms: ["mssim"],
  parts: async (sources) => {
    const tree = await sources.tree("tss2");
    return SECTIONS.map((section): Part => ({
      name: `section${section}`,
      command: ["bash", "-c", SCRIPT, tree, String(section), "{port}"],
    }));
  },
};

/** Its utilities are called so, and they write where they are run. */
const SCRIPT = `set -e
cp -r "$0/utils" work
cd work
sed -i 's|^PREFIX=.*|PREFIX=/usr/bin/tss|' reg.sh
export TPM_INTERFACE_TYPE=socsim TPM_SERVER_TYPE=mssim TPM_SERVER_NAME=127.0.0.1
export TPM_COMMAND_PORT="$2" TPM_PLATFORM_PORT=$(($2 + 1)) TPM_DATA_DIR="$PWD"
tsspowerup
tssstartup
exec ./reg.sh "-$1"
`;
