# pebble, a test authority for ACME, on this host. Sourced: . "$TESTSLIB/acme.sh"
# What it is made of comes with the project, see tools/acme/files.py.
# shellcheck shell=bash disable=SC2034 # the variables are for those who source it

ACME=/var/lib/acme-test
DIRECTORY=https://localhost:14000/dir
ACCOUNT=(--non-interactive --agree-tos --email admin@example.org --server "$DIRECTORY")

# The host's own OpenSSL judges what is issued; images of containers may have none.
command -v openssl > /dev/null || openssl() { certbot-fips.openssl "$@"; }

serial() { # NAME: of the lineage's newest certificate
    openssl x509 -in "/etc/letsencrypt/live/$1/cert.pem" -noout -serial
}

# acme_start [CERTIFICATE_VALIDITY_IN_SECONDS]
acme_start() {
    rm -rf "$ACME"
    "$SUPPLIES/acme/pebble.sh" start "$ACME" 14000 80 "${1:-7776000}" || { cat "$ACME"/*.log; return 1; }
    "$SUPPLIES/acme/pebble.sh" trust "$ACME"
}

acme_stop() {
    "$SUPPLIES/acme/pebble.sh" stop "$ACME"
    rm -rf "$ACME"
}
