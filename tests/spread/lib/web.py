"""What a client of a web server sees, and what a server's processes have of the snap.

    web.py get URL [ADDRESS]            STATUS, Location and Strict-Transport-Security, by line
    web.py certificate NAME [ADDRESS]   the certificate that is served, PEM
    web.py load NAME STOP               request https://NAME/ until the file STOP is there; 1 if one failed
    web.py untouched PID...             1 if one has a variable or a file of the snap's, or what it sets
    web.py idle PID...                  1 if one burns CPU

TLS is verified, by the root of the test authority. Connections go to 127.0.0.1, or to ADDRESS.
"""

import http.client
import os
import re
import socket
import ssl
import sys
import time
import urllib.request

ROOT = "https://localhost:14001/roots/0"  # pebble's management interface
OURS = re.compile(r"^(SNAP|OPENSSL_|PYTHON|SSL_CERT_|CERTBOT_)|/snap/|certbot-fips")
TICKS = 10  # hundredths of a second of CPU within one second; idle servers have used 0


def context():
    with urllib.request.urlopen(ROOT) as answer:
        return ssl.create_default_context(cadata=answer.read().decode())


def connect(name, port, address, tls=None):
    plain = socket.create_connection((address, port), 10)
    return tls.wrap_socket(plain, server_hostname=name) if tls else plain


def request(url, address, tls):
    scheme, _, rest = url.partition("://")
    name, _, path = rest.partition("/")
    connection = http.client.HTTPConnection(name)
    connection.sock = connect(name, 443 if tls else 80, address, tls)
    try:
        connection.request("GET", f"/{path}", headers={"Connection": "close"})
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()


def get(url, address="127.0.0.1"):
    answer = request(url, address, context() if url.startswith("https:") else None)
    print(answer.status, answer.getheader("Location", ""), answer.getheader("Strict-Transport-Security", ""))


def certificate(name, address="127.0.0.1"):
    with connect(name, 443, address, context()) as served:
        print(ssl.DER_cert_to_PEM_cert(served.getpeercert(binary_form=True)), end="")


def load(name, stop):
    tls, done = context(), 0
    while not os.path.exists(stop):
        status = request(f"https://{name}/", "127.0.0.1", tls).status
        if status != 200:
            sys.exit(f"after {done} requests: {status}")
        done += 1
        if done == 1:
            print("begun", flush=True)
    print(f"{done} requests, none failed", flush=True)


def untouched(*pids):
    found = []
    for pid in pids:
        with open(f"/proc/{pid}/environ", "rb") as file:
            variables = file.read().decode(errors="replace").split("\0")
        # What a login shell of the tests has: its folder for the commands of snaps.
        found += [entry for entry in variables if OURS.search(entry.replace(":/snap/bin", ""))]
        with open(f"/proc/{pid}/maps") as file:
            found += sorted({line.split()[-1] for line in file if "/snap/" in line})
    sys.exit("\n".join(found) or 0)


def idle(*pids):
    def used(pid):
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    before = {pid: used(pid) for pid in pids}
    time.sleep(1)
    sys.exit(", ".join(f"{pid} burns CPU" for pid in pids if used(pid) - before[pid] > TICKS) or 0)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
