// The help pages of `swtpm run`, `swtpm start` and `swtpm stop`.

const TPM_OPTIONS = ` --tpm12               a TPM 1.2; without it, or with --tpm2, it is a TPM 2
 --tcp                 two neighbouring TCP ports of 127.0.0.1 in place of Unix
                       sockets; IBM's TSS wants them. Other users of the machine
                       can connect to them
 --tpmstate dir=DIR|backend-uri=URI[,...]
                       keep the state there; without it, in memory only
 --key, --migration-key, --profile, --locality, --log, --pcap ARGUMENT
                       as for 'swtpm socket'
 --libtpms system|embedded|PATH
                       the libtpms to use; SWTPM_LIBTPMS does the same`;

export const RUN_HELP = `Usage: swtpm run [options] [--] COMMAND [ARGS...]
       swtpm run [options]

Runs COMMAND with a TPM of its own, which ends with it; without COMMAND, a
shell. The TPM is on and started up, and TPM software finds it by its variables:
tpm2-tools, OpenSSL's tpm2 provider, the PKCS #11 module, IBM's TSS, trousers.

 swtpm run -- tpm2_getrandom --hex 16
 swtpm run -- make check
 swtpm run --tcp -- tssgetrandom -by 16
 swtpm run --tpm12 -- sh -c 'tcsd && tpm_version'

${TPM_OPTIONS}
 --keep-on-failure     when COMMAND fails, keep the TPM's state and log, and say
                       where they are
 --json                messages about the run as JSON on stderr, one per line
 -h|--help             print this page and exit

In ARGS, {tcti}, {sock}, {ctrl} and {port} become the TPM's addresses, but for
those that it has not, such as {port} without --tcp, and those behind a '$';
{{sock}} becomes {sock}. COMMAND also finds them in SWTPM_SOCK and SWTPM_CTRL,
or in SWTPM_PORT (the control channel is at the next port). Several clients may
be connected at a time.

Signals go to COMMAND. The exit code is COMMAND's, or 128 and the number of the
signal that ended it; 125 when the TPM could not be started, 126 when COMMAND
could not be, 127 when it was not found.
`;

export const START_HELP = `Usage: swtpm start [options]

Starts a TPM in the background, on and started up, and prints the variables by
which TPM software finds it. 'swtpm stop' ends it.

 eval "$(swtpm start)" || exit
 tpm2_getrandom --hex 16
 swtpm stop

Where there is no TPM it prints 'false', so that a script does not go on without
and reach the machine's own.

${TPM_OPTIONS}
 --json                print the TPM's addresses and variables as JSON
 --github-env          add the variables to the file that GITHUB_ENV names, for
                       the next steps of a GitHub workflow
 -h|--help             print this page and exit
`;

export const STOP_HELP = `Usage: swtpm stop

Ends the TPM that 'swtpm start' started, in order: the one that SWTPM_CTRL or
SWTPM_PORT names.

 -h|--help             print this page and exit
`;
