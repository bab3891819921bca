# Resets the machine; the next thing the host reads is "up".
reboot -f
