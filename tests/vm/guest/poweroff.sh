# Switches the machine off; nothing is answered.
poweroff -f
