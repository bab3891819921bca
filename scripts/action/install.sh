#!/bin/bash
# Gets swtpm for the steps of a job: the release that is asked for, or that the action's ref names, checked
# against its sums; from a checkout that is no release, one that is built. Its folder goes to GITHUB_PATH.
#
#   VERSION      such as v0.11.0; otherwise ACTION_REF, where that is a version
#   RELEASES     where releases are, each in a folder of its own
#   GITHUB_...   as in any step of a workflow; RUNNER_TEMP as well
set -euo pipefail

bin="$RUNNER_TEMP/swtpm/bin"

fail() {
	echo "::error::$*"
	exit 1
}

processor() {
	case "$(uname -m)" in
		x86_64) echo x64 ;;
		aarch64) echo arm64 ;;
		*) fail "there is no swtpm for the processor '$(uname -m)'; there is for x86_64 and aarch64" ;;
	esac
}

fetch() {
	curl --fail --silent --show-error --location --retry 3 --max-time 300 --output "$2" "$1" ||
		fail "the release $version cannot be had: $1"
}

download() {
	local name folder="$RUNNER_TEMP/swtpm/download"
	name="swtpm-linux-$(processor).gz"
	mkdir -p "$folder"
	fetch "$RELEASES/$version/SHA256SUMS" "$folder/SHA256SUMS"
	fetch "$RELEASES/$version/$name" "$folder/$name"
	grep -F "  $name" "$folder/SHA256SUMS" > "$folder/sum" ||
		fail "SHA256SUMS of $version does not name $name"
	(cd "$folder" && sha256sum --quiet --strict --check sum) ||
		fail "$name is not the one that SHA256SUMS of $version names"
	gunzip --stdout "$folder/$name" > "$bin/swtpm"
	chmod 0755 "$bin/swtpm"
	rm -r "$folder"
}

# The build takes the machine's libtpms into the program.
build() {
	if ! /sbin/ldconfig -p | grep 'libtpms\.so\.0' > /dev/null; then
		sudo apt-get update
		sudo apt-get install --yes --no-install-recommends libtpms0
	fi
	(cd "$GITHUB_ACTION_PATH" && npx --yes deno@2.7.11 task build)
	cp "$GITHUB_ACTION_PATH/dist/swtpm" "$bin/swtpm"
}

version="${VERSION:-}"
if [ -z "$version" ] && [[ "${ACTION_REF:-}" =~ ^v[0-9]+\.[0-9]+\.[0-9]+$ ]]; then
	version="$ACTION_REF"
fi
if [ -n "$version" ] && ! [[ "$version" =~ ^v?[0-9]+\.[0-9]+\.[0-9]+$ ]]; then
	fail "'$version' is no version; one looks like v0.11.0"
fi

mkdir -p "$bin"
if [ -n "$version" ]; then
	version="v${version#v}"
	download
else
	build
fi
"$bin/swtpm" install-tools "$bin" > /dev/null
echo "$bin" >> "$GITHUB_PATH"
"$bin/swtpm" --version
