"""Where this copy of the snap lies and its data is, and step 2, select: which config is to be read.

Taken from the running interpreter's own file, never from the environment.  Of an installed snap the
folder names the instance and the revision: /snap/INSTANCE/REVISION, where snapd's folder is
/var/lib/snapd/snap on the Red Hat family.  A copy anywhere else has no data of its own.
"""

import os


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
        self.record = root + "/usr/share/fips-provider/record.json"
        self.provider_openssl = root + "/usr/libexec/fips-provider/openssl"
        # What the hooks write, and Certbot (keys): empty where no snapd runs them.  The revision is in the
        # config's name too, because a refresh copies the old one's data before the new one's hook has run.
        self.instance = self.revision = self.setting = self.installed_config = self.keys = ""
        folder, _, revision = root.rpartition("/")
        folder, _, instance = folder.rpartition("/")
        if folder in ("/snap", "/var/lib/snapd/snap") and instance and revision:
            self.instance, self.revision = instance, revision
            self.setting = f"{var}/{instance}/common/fips"
            self.keys = f"{var}/{instance}/common/keys"
            self.installed_config = f"{var}/{instance}/{revision}/fips/openssl-{revision}.cnf"

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
