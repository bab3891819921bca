#!/bin/sh
# Becomes libvirtd in folders of its own, in a mount namespace that was made for it: nothing of this
# machine's libvirt is touched, and all is gone with the process. $1 is a folder for what the caller
# looks at, $2 the swtpm that libvirt is to find. With "alone" as $3 it is all that there is, as on a
# machine without the packages swtpm and swtpm-tools: its tools are those that it installs itself,
# and libvirt runs them as a user of their own, as Debian has it. With "plain" it finds the machine's
# own, and what is put into an empty /usr/local/bin before them. With "package" the Debian package
# swtpm.deb beside $2/swtpm is installed in place of the machine's.
set -eu

# Whatever is written there, the machine's own stays below it.
cover() {
	mkdir -p "$1/layers"
	mount -t tmpfs tmpfs "$1/layers"
	layers=$1/layers
	shift
	for dir; do
		mkdir -p "$layers/upper$dir" "$layers/work$dir"
		mount -t overlay overlay "$dir" \
			-o "lowerdir=$dir,upperdir=$layers/upper$dir,workdir=$layers/work$dir"
	done
}

user=root
if [ "${3-}" = package ]; then
	# The user of Debian's swtpm-tools, whose configuration stays, with the authority that it names.
	user=tss
	cover "$1" /usr /etc /var
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
		-o APT::Sandbox::User=root "$(readlink -f "$2/swtpm.deb")" > "$1/apt.log" 2>&1 || {
		cat "$1/apt.log" >&2
		exit 1
	}
fi
if [ "${3-}" = alone ]; then
	user=swtpm
	cover "$1" /usr/bin /etc
	rm -rf /usr/bin/swtpm* /etc/swtpm*
	[ ! -d /usr/share/swtpm ] || mount -t tmpfs tmpfs /usr/share/swtpm
	# Whoever may not look into the checkout finds it as well.
	touch /usr/bin/swtpm
	mount --bind "$(readlink -f "$2/swtpm")" /usr/bin/swtpm
	swtpm install-tools /usr/bin
fi

[ "${3-}" != plain ] || mount -t tmpfs tmpfs /usr/local/bin

for dir in /etc/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt /var/log/swtpm \
	/var/lib/swtpm-localca /run/libvirt; do
	mkdir -p "$dir"
	mount -t tmpfs -o mode=755 tmpfs "$dir"
done

[ "$user" != tss ] || chown tss: /var/lib/swtpm-localca

# The users that libvirt wants to exist even where it is told to use another.
for file in passwd group; do
	cp "/etc/$file" "$1/$file"
done
echo "libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin" >> "$1/passwd"
echo "libvirt-qemu:x:64055:" >> "$1/group"
if [ "${3-}" = alone ]; then
	mkdir -p /var/lib/swtpm
	mount -t tmpfs -o mode=750,uid=64060,gid=64060 tmpfs /var/lib/swtpm
	echo "swtpm:x:64060:64060::/var/lib/swtpm:/usr/sbin/nologin" >> "$1/passwd"
	echo "swtpm:x:64060:" >> "$1/group"
fi
for file in passwd group; do
	mount --bind "$1/$file" "/etc/$file"
done

cat > /etc/libvirt/qemu.conf <<- EOF
	user = "root"
	group = "root"
	swtpm_user = "$user"
	swtpm_group = "$user"
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
if [ "${3-}" = plain ]; then
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
elif [ "$user" = root ]; then
	PATH="$2:$PATH"
else
	# As a service manager starts it.
	unset HOME
fi
export PATH
exec /usr/sbin/libvirtd --config /etc/libvirt/libvirtd.conf
