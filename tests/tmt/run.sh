#!/bin/sh
# On a machine that tmt has prepared: run all tasks on the machine itself, with a Python that is new enough.
set -eu
cd "$(dirname "$0")/../.."
for python in python3.12 python3.11 python3; do
    if command -v "$python" >/dev/null; then
        exec "$python" -m tools.spread here
    fi
done
echo "run.sh: no Python on this machine: plans/main.fmf installs one" >&2
exit 1
