"""An ACME certificate authority for tests: pebble and its DNS, pebble-challtestsrv, on a host."""

from tools.acme.files import AcmeError
from tools.acme.server import AcmeServer

__all__ = ["AcmeError", "AcmeServer"]
