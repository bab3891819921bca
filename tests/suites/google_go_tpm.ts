// google's go-tpm, the tests of its TPM 2 commands as Debian's package has them, with a connection in
// the place of the simulator that they would compile.

import { join } from "node:path";
import { compiled, copied, goTests, prefixed } from "./go_programs.ts";
import type { Part, Suite } from "./suite.ts";

export const GOOGLE_GO_TPM: Suite = {
  name: "google-go-tpm",
  tpms: ["mssim", "managed-tcp"],
  parts: async (sources) => {
    const name = "github.com/google/go-tpm";
    const programs = await compiled(sources, "go-tpm", name, async (workspace, packaged) => {
      const copy = join(workspace, "src", name);
      await copied(join(packaged, "src", name), copy);
      await Deno.mkdir(join(copy, "tpm2/transport/simulator"), { recursive: true });
      await Deno.writeTextFile(join(copy, "tpm2/transport/simulator/simulator.go"), SIMULATOR);
    }, ["tpm2/test", "tpm2"]);
    return programs.map(({ name, path }): Part => ({
      name,
      command: [path, "-test.v"],
      results: (outcome) => prefixed(name, goTests(outcome)),
    }));
  },
};

/** What its tests call for a TPM: ours, turned off and on, started up and cleared by its platform. */
const SIMULATOR = `package simulator

import (
	"encoding/binary"
	"os"
	"strconv"

	"github.com/google/go-tpm/tpm2/transport"
	"github.com/google/go-tpm/tpm2/transport/tcp"
)

// Older versions of libtpms ask for this at the first use of a key that dictionary attacks concern.
const retry = 0x922

type patient struct{ *tcp.TPM }

func (tpm patient) Send(command []byte) ([]byte, error) {
	for {
		response, err := tpm.TPM.Send(command)
		if err != nil || len(response) < 10 || binary.BigEndian.Uint32(response[6:]) != retry {
			return response, err
		}
	}
}

func OpenSimulator() (transport.TPMCloser, error) {
	port, err := strconv.Atoi(os.Getenv("MSSIM_PORT"))
	if err != nil {
		return nil, err
	}
	tpm, err := tcp.Open(tcp.Config{
		CommandAddress:  "127.0.0.1:" + strconv.Itoa(port),
		PlatformAddress: "127.0.0.1:" + strconv.Itoa(port+1),
	})
	if err != nil {
		return nil, err
	}
	if err := tpm.PowerOff(); err != nil {
		return nil, err
	}
	if err := tpm.PowerOn(); err != nil {
		return nil, err
	}
	startup := []byte{0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x44, 0, 0}
	clear := []byte{0x80, 2, 0, 0, 0, 27, 0, 0, 1, 0x26, 0x40, 0, 0, 12,
		0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0}
	for _, command := range [][]byte{startup, clear} {
		if _, err := tpm.Send(command); err != nil {
			return nil, err
		}
	}
	return patient{tpm}, nil
}
`;
