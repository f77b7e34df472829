"""Where this copy of the snap lies and its data is, and step 2, select: which config is to be read.

Taken from the running interpreter's own file, never from the environment.  Of an installed snap the
folder names the instance and the revision: /snap/INSTANCE/REVISION, where snapd's folder is
/var/lib/snapd/snap on the Red Hat family.  A copy anywhere else has no data of its own, and goes by the
setting of the installed snap.
"""

import os
import sys

NAME = "@SNAP_NAME@"  # of the snap, by the recipe; an instance of snapd's has a key behind it
MOUNTED = ("/snap", "/var/lib/snapd/snap")  # where snapd has snaps, and in `bin` their commands
TIMERS = ("renew", "health")  # services of the recipe that have one
ALIAS = "certbot"  # what the command is called on hosts that had another Certbot


class Place:
    """The absolute paths of one copy of the snap.

    :param root: the folder that holds ``usr/bin/python3``.
    :param var: snapd's folder for the data of snaps.
    """

    def __init__(self, root: str, var: str = "/var/snap") -> None:
        self.root = root
        self.python = root + "/usr/bin/python3"
        self.openssl = root + "/usr/libexec/openssl/openssl"
        self.fips_exec = root + "/usr/bin/fips-exec"
        self.fips_prove = root + "/usr/bin/fips-prove"
        self.libcrypto = root + "/usr/lib/libcrypto.so.3"
        self.modules = root + "/usr/lib/ossl-modules"
        self.module = self.modules + "/fips.so"
        self.fips_config = root + "/etc/ssl/openssl.cnf"
        self.config_digest = self.fips_config + ".sha256"
        self.default_config = root + "/etc/ssl/default.cnf"
        self.template = root + "/etc/ssl/fips.cnf.in"
        library = f"{root}/usr/lib/python{sys.version_info.major}.{sys.version_info.minor}"
        self.packages = library + "/site-packages"
        # All that Python of the snap's is imported from.
        self.path = [library, library + "/lib-dynload", self.packages]
        self.record = root + "/usr/share/fips-provider/record.json"
        self.provider_openssl = root + "/usr/libexec/fips-provider/openssl"
        # What the hooks write, and Certbot (keys): empty where no snapd runs them.  The revision is in the
        # config's name too, because a refresh copies the old one's data before the new one's hook has run.
        self.instance = self.revision = self.installed_config = self.plugins = self.keys = ""
        self.failed_hooks = ""
        folder, _, revision = root.rpartition("/")
        folder, _, instance = folder.rpartition("/")
        if folder in MOUNTED and instance and revision:
            self.instance, self.revision = instance, revision
            self.keys = f"{var}/{instance}/common/keys"
            self.failed_hooks = f"{var}/{instance}/common/failed-hooks"
            self.installed_config = f"{var}/{instance}/{revision}/fips/openssl-{revision}.cnf"
            # Beside it, so that the same hook clears it away: what was found in plugins.
            self.plugins = f"{var}/{instance}/{revision}/fips/plugins-{revision}.json"
        self.name = self.instance or NAME
        self.setting = f"{var}/{self.name}/common/fips"

    def command(self) -> str:
        """Return the command that leads to this Certbot, for its own texts.

        That is the alias `certbot`, where the administrator has made it one of this snap.  `snap run` does
        not tell an app by which of its names it was called.
        """
        for folder in MOUNTED if self.instance else ():
            try:
                if os.readlink(f"{folder}/bin/{ALIAS}") == self.instance:
                    return ALIAS
            except OSError:
                pass  # no alias
        return self.name

    def select(self, fips: bool) -> dict[str, str]:
        """Return the two variables that libcrypto reads when it is initialised.

        In FIPS mode they name the config that the install hook made on this machine; before that hook
        has run, and in a copy that no hook runs for, the one made when the snap was built.
        """
        made_here = os.path.lexists(self.installed_config)
        fips_config = self.installed_config if made_here else self.fips_config
        config = fips_config if fips else self.default_config
        return {"OPENSSL_CONF": config, "OPENSSL_MODULES": self.modules}


def find() -> Place:
    """Return the place of this very process; OSError if /proc cannot say."""
    return Place(os.readlink("/proc/self/exe").rsplit("/", 3)[0])
