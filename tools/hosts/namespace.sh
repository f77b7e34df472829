#!/bin/sh
# PID 1 of a NamespaceHost: makes its root in fresh mount, network and PID namespaces, says
# "ready PID", and lives until its standard input closes.  With it go all its processes and mounts,
# so nothing is left behind even when whoever holds the other end is killed.
#
#   namespace.sh STAGE FLAG FLAG_SCRIPT SNAP_COMMAND [SOURCE=TARGET ...]
#
# STAGE         an empty folder of this machine to build the root on
# FLAG          content of /proc/sys/crypto/fips_enabled, or "absent"
# FLAG_SCRIPT   fips_flag.sh, which then is at /run/fips-flag.sh
# SNAP_COMMAND  the program that stands in for /usr/bin/snap
# SOURCE=TARGET a folder of this machine to be seen, read-only, at TARGET
set -eu
stage=$1 flag=$2 flag_script=$3 snap_command=$4
shift 4
step="start"
# shellcheck disable=SC2154 # it is assigned in there
trap 'status=$?; [ $status = 0 ] || echo "could not $step" >&2' EXIT
# The old /proc still counts in the PIDs of the machine: that is the number nsenter needs.
read -r outer_pid rest < /proc/self/stat

readonly_bind() { # SOURCE TARGET
    mkdir -p "$2"
    mount --rbind "$1" "$2"
    mount -o remount,bind,ro "$2"
}

step="bring up the loopback interface (is iproute2 installed?)"
ip link set lo up

step="mount a tmpfs as the root"
mount -t tmpfs -o mode=0755 certbot-fips-host "$stage"
cd "$stage"
mkdir -p dev etc home mnt opt proc root run/lock srv sys tmp var/cache var/lib/snapd/snaps var/log var/snap snap/bin
chmod 1777 tmp
chmod 0700 root
mkdir -m 1777 var/tmp
ln -s /run var/run
ln -s /run/lock var/lock

step="show the programs of this machine, read-only"
readonly_bind /usr usr
for name in bin sbin lib lib32 lib64 libx32; do
    if [ -L "/$name" ]; then
        cp -P "/$name" "$name"
    elif [ -d "/$name" ]; then
        readonly_bind "/$name" "$name"
    fi
done
mount --rbind /dev dev
mount --rbind /sys sys

step="copy /etc"
cp -a /etc/. etc/
rm -rf etc/letsencrypt
printf '127.0.0.1 localhost\n::1 localhost\n' > etc/hosts
rm -f etc/resolv.conf && : > etc/resolv.conf # there is no network: a look-up must fail at once

step="mount a new /proc"
mount -t proc -o nosuid,nodev,noexec proc proc

# Classic snaps name the base's program loader by its path under /snap/core24.  A machine with the real
# base shows that; elsewhere the machine's own /usr and /lib stand in for it (same loader, other libc).
step="show the base snap core24"
if [ -e /snap/core24/current/usr/lib/os-release ]; then
    readonly_bind /snap/core24/current/ snap/core24/real
    ln -s real snap/core24/current
else
    mkdir -p snap/core24/stand-in
    readonly_bind /usr snap/core24/stand-in/usr
    for name in bin sbin lib lib64; do
        if [ -L "/$name" ]; then
            cp -P "/$name" "snap/core24/stand-in/$name"
        elif [ -d "/$name" ]; then
            readonly_bind "/$name" "snap/core24/stand-in/$name"
        fi
    done
    ln -s stand-in snap/core24/current
fi

step="put the stand-in for \`snap run\` in place (is snapd installed?)"
[ -e usr/bin/snap ]
cp "$flag_script" run/fips-flag.sh
cp "$snap_command" run/snap
chmod 0755 run/snap
mount --bind run/snap usr/bin/snap

for pair in "$@"; do
    step="show ${pair%%=*} at ${pair#*=}"
    readonly_bind "${pair%%=*}" "$stage${pair#*=}"
done

step="make it the root"
pivot_root . .
umount -l .
cd /
step="build /proc/sys with the FIPS flag"
sh /run/fips-flag.sh "$flag"
step="run"
echo "ready $outer_pid"
exec cat > /dev/null
