# tpm2_clock: how often the TPM was reset and restarted.
tpm2 readclock >clock
say resets "$(sed -n 's/^ *reset_count: //p' clock)"
say restarts "$(sed -n 's/^ *restart_count: //p' clock)"
