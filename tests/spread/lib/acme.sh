# pebble, a test authority for ACME, on this host. Sourced: . "$TESTSLIB/acme.sh"
# Its programs and its certificate come with the project, see tools/acme/files.py.
# Every name is answered with 127.0.0.1, where the challenges are then looked for.
# shellcheck shell=bash disable=SC2034 # the variables are for those who source it

ACME=/var/lib/acme-test
DIRECTORY=https://localhost:14000/dir
ACCOUNT=(--non-interactive --agree-tos --email admin@example.org --server "$DIRECTORY")

# The host's own OpenSSL judges what is issued; images of containers may have none.
command -v openssl > /dev/null || openssl() { certbot-fips.openssl "$@"; }

# acme_start [CERTIFICATE_VALIDITY_IN_SECONDS]
acme_start() {
    local validity=${1:-7776000}
    rm -rf "$ACME"
    mkdir -p "$ACME"
    (
        cd "$ACME" || exit
        cat > pebble.json <<CONFIG
{"pebble": {
    "listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:14001",
    "certificate": "$SUPPLIES/acme/server.pem", "privateKey": "$SUPPLIES/acme/server.key",
    "httpPort": 80, "tlsPort": 443, "ocspResponderURL": "", "certificateValidityPeriod": $validity
}}
CONFIG
        "$SUPPLIES/acme/pebble-challtestsrv" -dns01 127.0.0.1:14002 -management 127.0.0.1:14003 \
            -http01 "" -https01 "" -tlsalpn01 "" -defaultIPv6 "" > dns.log 2>&1 &
        echo $! > dns.pid
        PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 PEBBLE_AUTHZREUSE=0 \
            "$SUPPLIES/acme/pebble" -config pebble.json -dnsserver 127.0.0.1:14002 > pebble.log 2>&1 &
        echo $! > pebble.pid
    )
    # The host's trust store has to have it: what the snap looks into, and what its services do too.
    local bundle
    for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem; do
        if [ -e $bundle ]; then
            cp $bundle "$ACME/trusted-before"
            echo $bundle > "$ACME/bundle"
            cat "$SUPPLIES/acme/authority.pem" >> $bundle
        fi
    done
    local try
    for try in $(seq 600); do # an emulated machine is slow
        if grep -q "ACME directory available" "$ACME/pebble.log"; then
            return 0
        fi
        sleep 0.1
    done
    cat "$ACME"/*.log
    echo "pebble is not ready after $try tries"
    return 1
}

acme_stop() {
    local pid
    for pid in "$ACME"/*.pid; do
        [ -e "$pid" ] && kill "$(cat "$pid")" || true
    done
    if [ -e "$ACME/bundle" ]; then
        cp "$ACME/trusted-before" "$(cat "$ACME/bundle")"
    fi
    rm -rf "$ACME"
}
