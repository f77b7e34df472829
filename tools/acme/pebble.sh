#!/bin/sh
# pebble, a test authority for ACME, on the host where this runs. Beside this file lie its programs and the
# certificate of its TLS (files.py); STATE is a folder for its config, its logs and its process numbers.
# Every name is answered with 127.0.0.1, where the challenges are then looked for; PEBBLE_DNS=ADDRESS:PORT in the
# environment names another DNS server for it to ask.
#
#   pebble.sh start STATE PORT HTTP_PORT VALIDITY [KEY_ID HMAC_KEY]
#                          listen on PORT and the three after it; returns when it does. VALIDITY of what it
#                          issues in seconds; with a key, external account binding is wanted of every account
#   pebble.sh trust STATE  have the host trust it, as its `update-ca-certificates` or `update-ca-trust` would
#   pebble.sh stop STATE   end it, and have the host trust it no more
set -eu
action=$1 state=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
# Debian's family, which has a link by hash for each authority as well; Red Hat's.
bundles="/etc/ssl/certs/ca-certificates.crt /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"
detach=$(command -v setsid || command -v nohup) # small images may lack the first
link=/etc/ssl/certs/$(cat "$here/authority.hash").0

begin() { # NAME READY COMMAND...: in the background; returns once its log says READY
    name=$1 ready=$2
    shift 2
    : >"$name.log" # the process opens it when it comes to it
    "$detach" "$@" >"$name.log" 2>&1 </dev/null &
    echo $! >"$name.pid"
    tries=0 why=
    until grep -q "$ready" "$name.log"; do
        kill -0 $! 2>/dev/null || why="ended at once"
        [ $((tries += 1)) -lt 3000 ] || why="is not ready after a minute" # an emulated machine is slow
        if [ "$why" ]; then
            echo "$name $why: $(tail -n 1 "$name.log")" >&2
            exit 1
        fi
        sleep 0.02
    done
}

start() {
    port=$1 http=$2 validity=$3 bound=false keys=
    if [ $# = 5 ]; then
        bound=true keys="\"$4\": \"$5\""
    fi
    mkdir -p "$state"
    cd "$state"
    cat >pebble.json <<CONFIG
{"pebble": {
    "listenAddress": "127.0.0.1:$port", "managementListenAddress": "127.0.0.1:$((port + 1))",
    "certificate": "$here/server.pem", "privateKey": "$here/server.key",
    "httpPort": $http, "tlsPort": 443, "ocspResponderURL": "", "certificateValidityPeriod": $validity,
    "externalAccountBindingRequired": $bound, "externalAccountMACKeys": {$keys}
}}
CONFIG
    dns=127.0.0.1:$((port + 2))
    begin dns "Starting management server" "$here/pebble-challtestsrv" -dns01 "$dns" \
        -management "127.0.0.1:$((port + 3))" -http01 "" -https01 "" -tlsalpn01 "" -defaultIPv6 ""
    # No sleep before validation, no nonce refused at random, no authorization reused at random.
    export PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 PEBBLE_AUTHZREUSE=0
    begin pebble "ACME directory available at" "$here/pebble" -config pebble.json -dnsserver "${PEBBLE_DNS:-$dns}"
}

trust() {
    mkdir -p "$state/before"
    # Where one bundle is a link to the other, the second has it already.
    for bundle in $bundles; do
        if [ -e "$bundle" ] && ! grep -qF "$(sed -n 2p "$here/authority.pem")" "$bundle"; then
            cp "$bundle" "$state/before/"
            cat "$here/authority.pem" >>"$bundle"
        fi
    done
    # Red Hat has a link of this name to a folder of its own.
    if [ -d /etc/ssl/certs ] && [ ! -L /etc/ssl/certs ]; then
        ln -s "$here/authority.pem" "$link"
    fi
}

stop() {
    for pid in "$state"/*.pid; do
        [ ! -e "$pid" ] || kill "$(cat "$pid")" 2>/dev/null || :
    done
    for bundle in $bundles; do
        [ ! -e "$state/before/${bundle##*/}" ] || cp "$state/before/${bundle##*/}" "$bundle"
    done
    [ "$(readlink "$link")" != "$here/authority.pem" ] || rm "$link"
    rm -rf "$state"/*.pid "$state/before"
}

"$action" "$@"
