#!/bin/sh
# Becomes libvirtd in folders of its own, in a mount namespace that was made for it: nothing of this
# machine's libvirt is touched, and all is gone with the process. $1 is a folder for what the caller
# looks at, $2 a folder with the swtpm that libvirt is to find.
set -eu

for dir in /etc/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt /var/log/swtpm \
	/var/lib/swtpm-localca /run/libvirt; do
	mkdir -p "$dir"
	mount -t tmpfs -o mode=755 tmpfs "$dir"
done

# The user that libvirt wants to exist even where it is told to use another.
for file in passwd group; do
	cp "/etc/$file" "$1/$file"
done
echo "libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin" >> "$1/passwd"
echo "libvirt-qemu:x:64055:" >> "$1/group"
for file in passwd group; do
	mount --bind "$1/$file" "/etc/$file"
done

cat > /etc/libvirt/qemu.conf <<- EOF
	user = "root"
	group = "root"
	swtpm_user = "root"
	swtpm_group = "root"
	security_driver = "none"
	cgroup_controllers = []
	namespaces = []
	stdio_handler = "file"
	remember_owner = 0
EOF
cat > /etc/libvirt/libvirtd.conf <<- EOF
	auth_unix_rw = "none"
	auth_unix_ro = "none"
	log_outputs = "1:file:$1/libvirtd.log"
	log_filters = "1:qemu 1:util.command 3:rpc 3:event 3:object"
EOF
PATH="$2:$PATH"
export PATH
exec /usr/sbin/libvirtd --config /etc/libvirt/libvirtd.conf
