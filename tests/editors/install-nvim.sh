#!/usr/bin/env bash
# The newest Debian Neovim in a folder of its own, on any Debian host: nothing is compiled and the
# host's packages stay as they are. Usage: install-nvim.sh FOLDER [SUITE]
# Needs patchelf (installed when this runs as root). DEBIAN_URI overrides the archive.
set -euo pipefail
base=$1
suite=${2:-sid}
mkdir -p "$base"
base=$(cd "$base" && pwd)
keyring=${DEBIAN_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}

for tool in apt-get dpkg-deb; do
  command -v "$tool" >/dev/null || { echo "$tool: not found; this needs a Debian host (or set NVIM to a Neovim 0.12)"; exit 1; }
done
[ -r "$keyring" ] || { echo "$keyring: not found; this needs a Debian host (or set NVIM to a Neovim 0.12)"; exit 1; }
if ! command -v patchelf >/dev/null; then
  [ "$(id -u)" = 0 ] && { apt-get install -y -q --no-install-recommends patchelf || { apt-get update -q && apt-get install -y -q --no-install-recommends patchelf; }; }
  command -v patchelf >/dev/null || { echo "patchelf: not found; install it"; exit 1; }
fi
# The archive the host itself uses, leaving out its security archive.
uri=${DEBIAN_URI:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | sort -u | head -1)}
[ -n "$uri" ] || { echo "no Debian archive in this host's apt configuration; set DEBIAN_URI"; exit 1; }

state=$base/apt-$suite
root=$base/root-$suite
mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$state/etc" "$root"
: >"$state/status"
echo "deb [signed-by=$keyring] $uri $suite main" >"$state/etc/sources.list"
private_apt() {
  apt-get -o Dir::Etc::SourceList="$state/etc/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State::Lists="$state/lists" -o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" \
    -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=2 \
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false "$@"
}
private_apt update -q
private_apt install -y -q --no-install-recommends --download-only neovim
for package in "$state"/cache/archives/*.deb; do dpkg-deb -x "$package" "$root"; done

libraries=$root/usr/lib/$(uname -m)-linux-gnu
loader=$(find "$libraries" -maxdepth 1 -name 'ld-linux*.so.*' | head -1)
# Neovim uses the unpacked libc; what it starts stays an ordinary process of the host.
patchelf --set-interpreter "$loader" --force-rpath --set-rpath "$libraries" "$root/usr/bin/nvim"
cat >"$base/nvim" <<WRAPPER
#!/bin/sh
own=$base/xdg; export XDG_STATE_HOME="\$own" XDG_CACHE_HOME="\$own" XDG_DATA_HOME="\$own" XDG_CONFIG_HOME="\$own"
VIMRUNTIME=$root/usr/share/nvim/runtime exec $root/usr/bin/nvim -n "\$@"
WRAPPER
chmod +x "$base/nvim"
"$base/nvim" --version | head -1
