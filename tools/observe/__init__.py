"""What programs do, seen from outside: in which library functions are called, what TLS says on the wire."""

from tools.observe.calls import CallCounter, NoFunctionError, ObserveError
from tools.observe.wire import Handshake, Wire

__all__ = ["CallCounter", "Handshake", "NoFunctionError", "ObserveError", "Wire"]
