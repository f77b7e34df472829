#!/bin/sh
# On a machine that tmt has prepared: run all tasks on the machine itself, with a Python that is new enough.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=/dev/null
. /etc/os-release
python=$(command -v python3.12 || command -v python3.11 || command -v python3) || {
    echo "run.sh: no Python on this machine: plans/main.fmf installs one" >&2
    exit 1
}
exec "$python" -m tools.spread "$ID-${VERSION_ID%%.*}"
