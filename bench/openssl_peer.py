"""``openssl ocsp`` under the same questions, in a network namespace of its own: the peer of ``revocation.py``."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from inkan.crypto.certificates import parse_certificate
from inkan.crypto.ocsp import build_request

HERE = Path(__file__)
TICKS = os.sysconf("SC_CLK_TCK")


class Measured(msgspec.Struct):
    """Answers per CPU second of the server, and by the clock."""

    rate: float
    wall: float
    own: float

    @property
    def note(self) -> str:
        """The wall rate and what the client itself took."""
        return f"wall {self.wall:,.0f}/s, client's own CPU {self.own:.0%}"


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def measure(folder: Path, *, port: int, count: int, seconds: float) -> Measured | None:
    """The peer, run in a network namespace of its own; None where that cannot be had."""
    tools = [shutil.which(tool) for tool in ("openssl", "unshare", "ip")]
    if None in tools or os.geteuid() != 0:
        return None
    folder.mkdir(parents=True)
    _peer_files(folder, count)
    command = [str(tools[1]), "-n", sys.executable, str(HERE), str(folder), str(port), str(seconds)]
    ran = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True, timeout=60)
    return msgspec.json.decode(ran.stdout, type=Measured) if ran.returncode == 0 else None


def _peer_files(folder: Path, count: int) -> None:
    """An authority, a responder's key and certificate, an index, and a request about each of its rows."""
    now = datetime.now(UTC)
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Peer CA")])

    def certificate(subject: x509.Name, public_key: Any) -> x509.CertificateBuilder:
        return x509.CertificateBuilder(
            issuer_name=name,
            subject_name=subject,
            public_key=public_key,
            serial_number=x509.random_serial_number(),
            not_valid_before=now - timedelta(days=1),
            not_valid_after=now + timedelta(days=1),
        )

    ca = certificate(name, ca_key.public_key()).sign(ca_key, SHA256())
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Peer responder")])
    responder = certificate(who, key.public_key()).add_extension(usage, critical=False)
    serials = [x509.random_serial_number() for _ in range(count)]
    own = build_request(parse_certificate(_der(ca)), parse_certificate(_der(ca)))
    asked = ocsp.load_der_ocsp_request(own)
    requests = [
        ocsp.OCSPRequestBuilder()
        .add_certificate_by_hash(asked.issuer_name_hash, asked.issuer_key_hash, each, SHA1())
        .build()
        .public_bytes(Encoding.DER)
        for each in serials
    ]
    rows = "".join(f"V\t380101000000Z\t\t{each:040X}\tunknown\t/CN={each:x}\n" for each in serials)
    (folder / "index").write_text(rows)
    (folder / "ca.pem").write_bytes(ca.public_bytes(Encoding.PEM))
    (folder / "responder.pem").write_bytes(
        responder.sign(ca_key, SHA256()).public_bytes(Encoding.PEM)
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(pem)
    (folder / "requests").write_bytes(msgspec.json.encode(requests))


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def _serve_and_load(folder: Path, port: int, seconds: float) -> None:
    """Inside the namespace: run the responder and load it."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    requests = msgspec.json.decode((folder / "requests").read_bytes(), type=list[bytes])
    posts = [_peer_post(der) for der in requests]
    command = f"openssl ocsp -index index -CA ca.pem -rsigner responder.pem -rkey key.pem -port {port} -nmin 60"
    with subprocess.Popen(
        command.split(), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            _await_port(server, port)
            print(
                msgspec.json.encode(
                    _load_once(posts, server.pid, port=port, seconds=seconds)
                ).decode()
            )
        finally:
            server.terminate()
            server.wait(10)


def _peer_post(der: bytes) -> bytes:
    head = f"POST / HTTP/1.0\r\nContent-Type: application/ocsp-request\r\nContent-Length: {len(der)}\r\n\r\n"
    return head.encode() + der


def _await_port(server: subprocess.Popen[bytes], port: int) -> None:
    # Looking at the table of listeners does not take the one connection that the responder serves at a time.
    wanted = f":{port:04X}"
    for _ in range(100):
        tables = [Path(f"/proc/{server.pid}/net/{name}").read_text() for name in ("tcp", "tcp6")]
        if any(line.split()[1].endswith(wanted) for table in tables for line in table.splitlines()):
            return
        time.sleep(0.05)
    raise RuntimeError("openssl ocsp does not listen")


def _load_once(posts: Sequence[bytes], pid: int, *, port: int, seconds: float) -> Measured:
    """One request after the other, each on its own connection, as the responder wants it."""
    _exchange(posts[0], port)
    done, cpu, wall, own = 0, cpu_s(pid), time.perf_counter(), time.process_time()
    while time.perf_counter() - wall < seconds:
        _exchange(posts[done % len(posts)], port)
        done += 1
    cpu, wall, own = cpu_s(pid) - cpu, time.perf_counter() - wall, time.process_time() - own
    return Measured(rate=done / cpu, wall=done / wall, own=own / wall)


def _exchange(post: bytes, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
        line.sendall(post)
        answer = b""
        while (wanted := _missing(answer)) and (piece := line.recv(wanted)):
            answer += piece
    if b" 200 OK" not in answer[:40]:
        raise RuntimeError(answer[:200])


def _missing(answer: bytes) -> int:
    """How much may still come of an answer with Content-Length."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return 65536
    at = answer.lower().find(b"content-length: ") + 16
    return end + 4 + int(answer[at : answer.find(b"\r", at)]) - len(answer)


if __name__ == "__main__":
    _serve_and_load(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
