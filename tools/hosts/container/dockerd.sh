#!/bin/sh
# PID 1 of a private Docker daemon: starts dockerd in fresh mount and PID namespaces, says "ready PID" when it
# listens (on /mnt/docker.sock, seen from outside as /proc/PID/root/mnt/docker.sock), and lives until its
# standard input closes.  With it go the daemon, containerd, every container, every mount and every image,
# which are kept in memory.  Only the folders of cgroups can outlive it, when it is killed itself: the next
# one removes them.
set -eu
step="start"
# shellcheck disable=SC2154 # it is assigned in there
trap 'status=$?; [ $status = 0 ] || { echo "could not $step"; tail -n 3 /mnt/log; } >&2 2>/dev/null' EXIT
read -r pid rest </proc/self/stat # the old /proc still counts in the PIDs of the machine
prefix=certbot-fips-docker-

remove_cgroups() { # NAME, in each hierarchy that there is
    for folder in /sys/fs/cgroup/"$1" /sys/fs/cgroup/*/"$1"; do
        [ ! -d "$folder" ] || find "$folder" -depth -type d -exec rmdir {} + 2>/dev/null || :
    done
}

for folder in /sys/fs/cgroup/"$prefix"* /sys/fs/cgroup/*/"$prefix"*; do
    [ ! -d "$folder" ] || [ -e "/proc/${folder##*-}" ] || remove_cgroups "${folder##*/}"
done

step="mount a new /proc"
mount -t proc -o nosuid,nodev,noexec proc /proc
step="mount a tmpfs for the images"
mount -t tmpfs -o mode=0711 certbot-fips-docker /mnt # a folder that is there on every machine
cd /mnt
echo '{}' >config.json

step="start dockerd"
# The OOM score stays as it is: lowering it takes CAP_SYS_RESOURCE. No network of the machine is touched.
dockerd --config-file=/mnt/config.json --host=unix:///mnt/docker.sock --pidfile=/mnt/pid \
    --data-root=/mnt/data --exec-root=/mnt/exec --oom-score-adjust=0 \
    --bridge=none --iptables=false --ip-forward=false --ip-masq=false \
    --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent="/$prefix$pid" >log 2>&1 </dev/null &
daemon=$! tries=0
until grep -qs "API listen" log; do
    kill -0 "$daemon" 2>/dev/null || exit 1
    [ $((tries += 1)) -lt 600 ] || exit 1 # 30 seconds
    sleep 0.05
done
step="run"
echo "ready $pid"
cat >/dev/null

# Its user is done, or gone: end in order, so that the daemon takes away what it made.
kill "$daemon"
wait "$daemon" || :
remove_cgroups "$prefix$pid"
