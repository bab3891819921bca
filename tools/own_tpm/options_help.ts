// The part of a help page that says what TPM is wanted: the same for all tools that have one of their
// own and let others connect to it.

export const TPM_OPTIONS =
  ` --tpm12               a TPM 1.2; without it, or with --tpm2, it is a TPM 2
 --tcp                 two neighbouring TCP ports of 127.0.0.1 in place of Unix
                       sockets; IBM's TSS wants them. Other users of the machine
                       can connect to them
 --tpmstate dir=DIR|backend-uri=URI[,...]
                       keep the state there; without it, in memory only
 --key, --migration-key, --profile, --locality, --log, --pcap ARGUMENT
                       as for 'swtpm socket'
 --trace FILE|fd=FD|-[,format=text|json][,secrets]
                       write down all commands in words, a line each
 --libtpms system|embedded|PATH
                       the libtpms to use; SWTPM_LIBTPMS does the same`;
