"""Environments in which the packed snap meets a host: one interface, `Host`, for every kind of host."""

from tools.hosts.base import Host, HostError, HostRefusedError, HostTimeoutError, Result
from tools.hosts.namespace import NamespaceHost
from tools.hosts.packed import newest_snap

__all__ = [
    "Host",
    "HostError",
    "HostRefusedError",
    "HostTimeoutError",
    "NamespaceHost",
    "Result",
    "newest_snap",
]
