#!/bin/sh
# Show a FIPS flag: put over /proc/sys a tmpfs with all that is there, and crypto/fips_enabled as it is to be.
# /proc takes no new files, and a kernel without FIPS support has no crypto there, hence all of that anew.
#
#   fips_flag.sh CONTENT [FOLDER]
#
# CONTENT  of the file, or "absent": there is no such file, nor its folder
# FOLDER   to be made, and to show this there, while /proc/sys stays as it is
set -eu
folder=${2:-/run/fips-flag}
mkdir "$folder"
mount -t tmpfs -o mode=0555 fips-flag "$folder"
mount --make-private "$folder" # else what is unmounted or moved here would go at /proc/sys as well
for path in /proc/sys/*; do
    name=${path##*/}
    [ "$name" != crypto ] || continue
    mkdir "$folder/$name"
    mount --bind "$path" "$folder/$name"
done
if [ "$1" != absent ]; then
    mkdir -m 0755 "$folder/crypto"
    printf %s "$1" >"$folder/crypto/fips_enabled"
    chmod 0444 "$folder/crypto/fips_enabled"
    chmod 0555 "$folder/crypto"
fi
[ $# = 1 ] || exit 0
mount --rbind "$folder" /proc/sys
mount --make-rprivate "$folder"
umount -l "$folder"
rmdir "$folder"
