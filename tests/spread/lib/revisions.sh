# What a host goes through with a lineage that is due. Sourced, after acme.sh and host.sh: . "$TESTSLIB/revisions.sh"
# shellcheck shell=bash

_renews() { # NAME: the service renews it once, and runs the administrator's hook for it
    local before
    before=$(serial "$1")
    rm -f /var/tmp/hooked
    systemctl start snap.certbot-fips.renew.service
    [ "$before" != "$(serial "$1")" ]
    grep -c "^/etc/letsencrypt/live/$1\$" /var/tmp/hooked | MATCH "^1$"
}

through_revisions() { # NAME: refresh and revert; each revision renews
    local first hook=/etc/letsencrypt/renewal-hooks/deploy/hooked
    # shellcheck disable=SC2016 # Certbot sets it for its hook
    printf '#!/bin/sh\necho "$RENEWED_LINEAGE" >> /var/tmp/hooked\n' > "$hook"
    chmod 755 "$hook"
    first=$(readlink "$CURRENT")
    _renews "$1"
    snap install --dangerous --classic "$SNAP_FILE"
    [ "$(readlink "$CURRENT")" != "$first" ]
    _renews "$1"
    snap revert certbot-fips
    [ "$(readlink "$CURRENT")" = "$first" ]
    _renews "$1"
    rm -f "$hook" /var/tmp/hooked
}

revoked_and_removed() { # NAME: the certificate, and the snap; what the administrator has in /etc stays
    certbot-fips revoke --non-interactive --server "$DIRECTORY" --cert-name "$1" --delete-after-revoke
    [ ! -e "/etc/letsencrypt/live/$1" ]
    remove_snap
    [ ! -e /snap/bin/certbot-fips ]
    [ ! -e /var/snap/certbot-fips ]
    # Not the scopes that snapd ran its apps in: systemd forgets an empty one when it comes to that.
    [ -z "$(systemctl list-unit-files --no-legend "snap.certbot-fips.*.service" "snap.certbot-fips.*.timer")" ]
    if grep -Fqs /snap.certbot-fips. /proc/[0-9]*/cgroup; then # a process of any of them
        return 1
    fi
    find /etc/letsencrypt/accounts -name private_key.json | MATCH .
}
