#!/usr/bin/python3 -I
"""Print the TLS hellos that pass the loopback interface: sniff_hellos.py PORT; a JSON line for each hello.

Runs on a host, alone (no other file of the project is needed). The first line, `{"ready": true}`, says that
nothing is missed from now on. Every hello fits one segment, since the loopback's MTU is 65,536 bytes.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
from collections.abc import Iterator

ETH_P_IP = 0x0800
PACKET_OUTGOING = 4  # linux/if_packet.h; on the loopback each packet is seen twice, going out and coming in
HANDSHAKE, CLIENT_HELLO, SERVER_HELLO, SERVER_KEY_EXCHANGE = 22, 1, 2, 12
SUPPORTED_GROUPS, SIGNATURE_ALGORITHMS, SUPPORTED_VERSIONS, KEY_SHARE = 10, 13, 43, 51
NAMED_CURVE = 3
#: The random of a server hello that is really a HelloRetryRequest (RFC 8446, 4.1.3) begins so.
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891")


def words(data: bytes) -> list[int]:
    """Split into big-endian 16-bit numbers."""
    return [number for (number,) in struct.iter_unpack(">H", data[: len(data) // 2 * 2])]


def messages(payload: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the handshake messages (type, body) of a segment's complete, unencrypted TLS records."""
    while len(payload) >= 5 and payload[0] == HANDSHAKE and payload[1] == 3:
        length = int.from_bytes(payload[3:5], "big")
        record, payload = payload[5 : 5 + length], payload[5 + length :]
        while len(record) >= 4:
            size = int.from_bytes(record[1:4], "big")
            yield record[0], record[4 : 4 + size]
            record = record[4 + size :]


def extensions(data: bytes) -> dict[int, bytes]:
    """Return the extensions of a hello by number; `data` begins with their total length."""
    found, data = {}, data[2:]
    while len(data) >= 4:
        number, length = struct.unpack_from(">HH", data)
        found[number] = data[4 : 4 + length]
        data = data[4 + length :]
    return found


def client_hello(body: bytes) -> dict[str, list[int]]:
    """Return the groups and signature algorithms that a client offers (RFC 8446, 4.1.2 and 4.2)."""
    at = 35 + body[34]
    at += 2 + int.from_bytes(body[at : at + 2], "big")
    at += 1 + body[at]
    found = extensions(body[at:])
    return {
        "offered": words(found.get(SUPPORTED_GROUPS, b"\0\0")[2:]),
        "signatures": words(found.get(SIGNATURE_ALGORITHMS, b"\0\0")[2:]),
    }


def server_hello(body: bytes) -> dict[str, object]:
    """Return version, cipher and (TLS 1.3) group that a server chose."""
    at = 35 + body[34]
    found = extensions(body[at + 3 :])
    chosen: dict[str, object] = {
        "retry": body[2:18] == RETRY,
        "version": words(found.get(SUPPORTED_VERSIONS, body[:2]))[0],
        "cipher": words(body[at : at + 2])[0],
    }
    if KEY_SHARE in found:
        chosen["group"] = words(found[KEY_SHARE])[0]
    return chosen


def hellos(port: int) -> Iterator[dict[str, object]]:
    """Watch TCP connections to 127.0.0.1:port for ever; `client` is the client's port."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP)) as tap:
        tap.bind(("lo", ETH_P_IP))
        yield {"ready": True}
        while True:
            packet, address = tap.recvfrom(65536)
            if address[2] == PACKET_OUTGOING or packet[9] != socket.IPPROTO_TCP:
                continue
            tcp = packet[(packet[0] & 15) * 4 :]
            source, target = struct.unpack_from(">HH", tcp)
            if port not in (source, target):
                continue
            for kind, body in messages(tcp[(tcp[12] >> 4) * 4 :]):
                if kind == CLIENT_HELLO:
                    yield {"client": source, **client_hello(body)}
                elif kind == SERVER_HELLO:
                    yield {"client": target, **server_hello(body)}
                elif kind == SERVER_KEY_EXCHANGE and body[0] == NAMED_CURVE:  # TLS 1.2
                    yield {"client": target, "group": words(body[1:3])[0]}


if __name__ == "__main__":
    for hello in hellos(int(sys.argv[1])):
        print(json.dumps(hello), flush=True)
