#!/bin/sh
# Unpacks Debian packages of another architecture into a folder, for cross-compiling against them. The machine's own
# packages and its list of architectures stay as they are.
#
#   cross_sysroot.sh ARCHITECTURE FOLDER PACKAGE...
set -eu
architecture=$1 folder=$2
shift 2
stamp="$folder/.packages"
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$*" ] && exit 0
mkdir -p "$folder/.apt/lists/partial" "$folder/.apt/cache/archives/partial"
state=$(cd "$folder/.apt" && pwd)
touch "$state/status"
apt() {
  apt-get -qq -o APT::Architecture="$architecture" -o APT::Architectures="$architecture" -o Dir::State="$state" \
    -o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" -o Debug::NoLocking=1 "$@"
}
apt update
(cd "$state" && apt download "$@")
for package in "$state"/*.deb; do dpkg-deb -x "$package" "$folder"; done
rm -rf "$state"
echo "$*" >"$stamp"
