"""What the tests here share: certificates that are due, and the service that renews them."""

from tools.hosts import Result
from tools.hosts.nspawn import NspawnHost

LETSENCRYPT = "/etc/letsencrypt"


def make_due(host: NspawnHost, name: str) -> None:
    """Have a certificate end in five days, and be due in its last thirty; its key stays."""
    folder, names = f"{LETSENCRYPT}/archive/{name}", f"subjectAltName=DNS:{name}"
    subject = ["-subj", f"/CN={name}", "-addext", names, "-days", "5", "-out", f"{folder}/cert1.pem"]
    host.run(["openssl", "req", "-x509", "-key", f"{folder}/privkey1.pem", *subject]).check()
    # Since 4.1 Certbot goes by a share of the lifetime, and this certificate is new.
    file = f"{LETSENCRYPT}/renewal/{name}.conf"
    host.run(["sed", "-i", "1i renew_before_expiry = 30 days", file]).check()


def versions(host: NspawnHost, name: str) -> int:
    """Count how often a certificate was issued."""
    return len(list(host.path(f"{LETSENCRYPT}/archive/{name}").glob("cert*.pem")))


def service(host: NspawnHost) -> Result:
    """Have the timer's service renew."""
    return host.run(["systemctl", "start", "snap.certbot-fips.renew.service"])
