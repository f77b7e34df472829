# shellcheck shell=sh
# What DockerHost does inside its container, as root with CAP_SYS_ADMIN; read by `sh -s` from its input.
#
#   prepare                     folders of snapd's, and the base snap core24, whose usr is at /run/core24-usr
#   install FOLDER [COMMAND...] put /run/installing there, as snapd mounts a revision; commands of its apps
set -eu

prepare() {
    . /etc/os-release
    case " $ID ${ID_LIKE-} " in # snap-exec goes by the name of the system: Red Hat's have the snaps elsewhere
    *" fedora "* | *" rhel "*) mkdir -p /var/lib/snapd/snap && ln -s /var/lib/snapd/snap /snap ;;
    esac
    mkdir -p /snap/bin /snap/core24/base/usr
    mount --bind /run/core24-usr /snap/core24/base/usr
    for name in bin lib lib64; do ln -s "usr/$name" "/snap/core24/base/$name"; done
    ln -s base /snap/core24/current
}

install() {
    folder=$1 revision=${1##*/} name=${1%/*}
    name=${name##*/}
    shift
    mkdir -p "${folder%/*}"
    mv /run/installing "$folder"
    mount --bind "$folder" "$folder"
    mount -o remount,bind,ro "$folder"
    mkdir -p "/var/snap/$name/$revision" "/var/snap/$name/common"
    ln -sfn "$revision" "/snap/$name/current"
    ln -sfn "$revision" "/var/snap/$name/current"
    for command in "$@"; do ln -sfn /usr/local/bin/snap "/snap/bin/$command"; done
}

"$@"
