"""Stand-in for a DNS server that takes records by RFC 2136: `rfc2136_stand_in.py ZONE KEY SECRET DNS`.

Takes what is signed with the key (RFC 8945), and knows nothing of other names than the zone's. Each TXT
record goes on to pebble's DNS server (pebble-challtestsrv, whose management listens at DNS), so that a
certificate is issued only if the plugin has sent the right one. Listens at TCP's port 53 of the loopback
address; returns when it does. Needs dnspython beside it.
"""

import json
import os
import socketserver
import sys
import urllib.request

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rrset
import dns.tsigkeyring

ZONE, KEY, SECRET, DNS = sys.argv[1:]


class Handler(socketserver.StreamRequestHandler):
    """Answers one message; what has a wrong signature is an exception, and the connection's end."""

    def handle(self) -> None:
        """Answer."""
        length = int.from_bytes(self.rfile.read(2), "big")
        asked = dns.message.from_wire(self.rfile.read(length), dns.tsigkeyring.from_text({KEY: SECRET}))
        answer = dns.message.make_response(asked)
        answer.flags |= dns.flags.AA
        (question,) = asked.question
        name = question.name.to_text(omit_final_dot=True)
        if asked.opcode() == dns.opcode.QUERY:
            if name == ZONE:
                answer.answer.append(dns.rrset.from_text(ZONE + ".", 60, "IN", "SOA", "a. b. 1 60 60 60 60"))
            else:
                answer.set_rcode(dns.rcode.NXDOMAIN)
        elif not asked.had_tsig or name != ZONE:
            answer.set_rcode(dns.rcode.REFUSED)
        else:
            for record in asked.authority:  # where RFC 2136 has the updates
                self.tell(record)
        wire = answer.to_wire()
        self.wfile.write(len(wire).to_bytes(2, "big") + wire)

    @staticmethod
    def tell(record: dns.rrset.RRset) -> None:
        """Have pebble's DNS server add the record or take it away."""
        (data,) = record
        content = {"host": record.name.to_text(), "value": b"".join(data.strings).decode()}
        what = "clear-txt" if record.deleting else "set-txt"
        urllib.request.urlopen(f"http://{DNS}/{what}", json.dumps(content).encode())


if __name__ == "__main__":
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 53), Handler)
    if os.fork() == 0:
        os.setsid()
        server.serve_forever()
