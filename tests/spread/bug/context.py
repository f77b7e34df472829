"""SSL_CTX_new of the libssl that is found first, as ssl.SSLContext calls it."""

import ctypes

crypto = ctypes.CDLL("libcrypto.so.3", ctypes.RTLD_GLOBAL)
ssl = ctypes.CDLL("libssl.so.3")
ssl.TLS_client_method.restype = ssl.SSL_CTX_new.restype = ctypes.c_void_p
ssl.SSL_CTX_new.argtypes = [ctypes.c_void_p]
crypto.ERR_get_error.restype = ctypes.c_ulong
if ssl.SSL_CTX_new(ssl.TLS_client_method()):
    print("context made")
else:
    text = ctypes.create_string_buffer(256)
    crypto.ERR_error_string_n(ctypes.c_ulong(crypto.ERR_get_error()), text, len(text))
    print("no context:", text.value.decode())
