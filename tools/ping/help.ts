// The help page of `swtpm ping`.

export const PING_HELP = `Usage: swtpm ping [options] [PATH]

Asks a TPM emulator over its control channel whether it is there, and waits no
longer than a few seconds: for health checks and probes. The exit code is 0 when
it answers, else 1. Whether a guest has switched its TPM on makes no difference.

An emulator has one control connection at a time. While a hypervisor holds it,
nobody else is answered.

 --ctrl WORDS          the words of the emulator's own option:
                       type=unixio,path=… or type=tcp,port=…[,bindaddr=…]
 --unix PATH           the Unix socket of its control channel
 --tcp [HOST]:[PORT]   the TCP port of its control channel; without them
                       127.0.0.1 and 6546
 --tpm-device DEVICE   the device of 'swtpm cuse'
 PATH                  a socket or a device

Without any of these, the TPM of 'swtpm start' is asked: SWTPM_CTRL or
SWTPM_PORT in the environment.

 --timeout SECONDS     how long all of it may take, 3 where none is given; a
                       device is waited for as long as it takes
 -h|--help             print this page and exit
`;
