# What the tasks share. Sourced: . "$TESTSLIB/host.sh"
# shellcheck shell=bash disable=SC2034 # the variables are for those who source it

# shellcheck disable=SC2012 # the newest: `find` has no order, and the names are ours
SNAP_FILE=$(ls -t "$SPREAD_PATH"/dist/certbot-fips_*.snap | head -n 1)
CURRENT=/snap/certbot-fips/current
CONTEXT='import ssl; ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)'

# HOST_...: what tools/hosts/hosts.yaml says of this system; what the host itself says, the tasks find out.

flagged() { # Is this a FIPS host?
    [ "$HOST_FIPS" = yes ]
}

with_snapd() { # Does snapd itself run here? In containers and namespaces a stand-in for `snap run` is all there is.
    [ "$HOST_SNAPD" = yes ]
}

install_snap() {
    if with_snapd && ! [ -e /snap/bin/certbot-fips ]; then
        snap install --dangerous --classic "$SNAP_FILE"
    fi
}

remove_snap() {
    if with_snapd && [ -e /snap/bin/certbot-fips ]; then
        snap remove --purge certbot-fips
    fi
}

# What health snapd has on record for the snap: STATUS CODE.
health() {
    python3 "$TESTSLIB/health.py"
}

# Have the service report health now. Tasks ask more often than systemd's limit for starts in 10 s allows.
report_health() {
    systemctl reset-failed snap.certbot-fips.health.service 2> /dev/null || true # fails where it was never loaded
    systemctl start snap.certbot-fips.health.service
}
