# What the tasks on web servers share. Sourced, after acme.sh: . "$TESTSLIB/web.sh"
# shellcheck shell=bash

web() { # get, certificate, load, untouched, idle: see there
    python3 "$TESTSLIB/web.py" "$@"
}

serves_newest() { # NAME [ADDRESS]: Does the server give the certificate that Certbot has newest?
    [ "$(web certificate "$@" | openssl x509 -noout -serial)" = "$(serial "$1")" ]
}

is_its_own_service() { # UNIT PID: not a part of the session, service or snap in which Certbot ran
    systemctl is-active "$1" && grep -q "/$1\$" "/proc/$2/cgroup"
}

renew_by_service() { # NAME...: what the timer does; certificates of a day are due at once
    for name in "$@"; do
        sed -i "1i renew_before_expiry = 30 days" "/etc/letsencrypt/renewal/$name.conf"
    done
    # Certbot sleeps up to eight minutes before it renews without a terminal; that is not what is tested.
    echo "no-random-sleep-on-renew = true" > /etc/letsencrypt/cli.ini
    systemctl start snap.certbot-fips.renew.service
}

load_begin() { # NAME: clients ask for https://NAME/ without a pause
    rm -f /var/tmp/load-stop
    setsid python3 "$TESTSLIB/web.py" load "$1" /var/tmp/load-stop > /var/tmp/load 2>&1 < /dev/null &
    load=$!
    until grep -q begun /var/tmp/load; do kill -0 "$load"; sleep 0.1; done
}

load_end() { # No request has failed.
    touch /var/tmp/load-stop
    wait "$load" || { cat /var/tmp/load; return 1; }
    cat /var/tmp/load
}

roll_back() { # PLUGIN: all that Certbot has done to the configuration
    certbot-fips rollback --installer "$1" --non-interactive \
        --checkpoints "$(find /var/lib/letsencrypt/backups -mindepth 1 -maxdepth 1 | wc -l)"
}

files_below() { # FOLDER: what is in it, to compare
    (cd "$1" && find . ! -xtype d -printf '%p %l ' -exec sh -c 'sha256sum < "$1"' - {} \; | sort)
}

answer_with() { # NAME ADDRESS: the test authority's DNS has the name at that IPv6 address, too
    python3 - "$@" <<'PYTHON'
import json, sys, urllib.request
name, address = sys.argv[1:]
said = json.dumps({"host": name, "addresses": [address]}).encode()
urllib.request.urlopen("http://127.0.0.1:14003/add-aaaa", said).read()
PYTHON
}
