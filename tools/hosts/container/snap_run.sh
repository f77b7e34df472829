#!/bin/sh
# Stand-in for `snap run` in a container, which may have no Python: as snap_run.py, with these differences:
# a shell drops variables whose names it would not take, and what ld.so reads (LD_PRELOAD ...) meets the shell.
set -eu
fail() {
    echo "error: $1" >&2
    exit 1
}
called=${0##*/}
if [ "$called" = snap ]; then
    [ "${1-}" = run ] || fail "no snapd runs on this host; only \`snap run\` is understood"
    shift
else
    set -- "$called" "$@"
fi
options='' hook=no
while :; do
    case ${1-} in
    --shell) options="$options --command=shell" ;;
    --hook=*) options="$options $1" hook=yes ;;
    -*) fail "unknown flag \`$1\`" ;;
    '') fail "need the application to run as argument" ;;
    *) break ;;
    esac
    shift
done
name=${1%%.*}
current=$(readlink -f "/snap/$name/current") || fail "snap \"$name\" is not installed"
[ -d "$current" ] || fail "snap \"$name\" is not installed"
revision=${current##*/}
user=$(id -un)
home=$(eval "echo ~$user")
effective=$(id -u) real=$(id -ru)
version=$(sed -n "s/^version: *['\"]\{0,1\}\([^'\"]*\).*/\1/p" "$current/meta/snap.yaml")
architecture=$(sed -n '/^architectures:/{n;s/^ *- *//p;}' "$current/meta/snap.yaml")
export SNAP="$current" SNAP_ARCH="$architecture" SNAP_COMMON="/var/snap/$name/common" SNAP_CONTEXT=stand-in \
    SNAP_COOKIE=stand-in SNAP_DATA="/var/snap/$name/$revision" SNAP_EUID="$effective" SNAP_INSTANCE_KEY="" \
    SNAP_INSTANCE_NAME="$name" SNAP_NAME="$name" SNAP_REAL_HOME="$home" SNAP_REEXEC="${SNAP_REEXEC-}" \
    SNAP_LIBRARY_PATH=/var/lib/snapd/lib/gl:/var/lib/snapd/lib/gl32:/var/lib/snapd/void \
    SNAP_REVISION="$revision" SNAP_UID="$real" SNAP_USER_COMMON="$home/snap/$name/common" \
    SNAP_USER_DATA="$home/snap/$name/$revision" SNAP_VERSION="$version"
if [ $hook = no ]; then
    app=${1#*.}
    export SNAP_APP_NAME="$app"
    (umask 077 && mkdir -p "$SNAP_USER_DATA" "$SNAP_USER_COMMON")
fi
for program in /usr/lib/snapd/snap-exec /usr/libexec/snapd/snap-exec /usr/local/lib/snapd/snap-exec; do
    # shellcheck disable=SC2086 # options are words
    [ ! -x "$program" ] || exec "$program" $options -- "$@"
done
fail "snap-exec is nowhere"
