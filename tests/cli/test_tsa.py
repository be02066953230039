"""Stamping and verifying files at the command line, against an authority behind a real socket."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inkan.cli.root import root
from inkan.client.timestamps import TimestampMismatch, TimestampUntrusted
from inkan.crypto.path import CertificateUntrusted
from inkan.crypto.tsp import PKIFailure, parse_request
from inkan.crypto.tsp_response import granted, refused
from inkan.crypto.tsp_token import TimestampMalformed, TimestampRefused
from support.pki import AT, Hierarchy
from support.timestamping import DATA, SERIAL, Authority

PKI = Hierarchy()
TSA = Authority(PKI)


class Handler(BaseHTTPRequestHandler):
    """Stamps at /tsa, refuses at every other path."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        reply = refused(PKIFailure.SYSTEM_FAILURE)
        if self.path == "/tsa":
            reply = granted(TSA.maker().make(parse_request(body), serial=SERIAL, at=AT))
        self.send_response(200)
        self.send_header("content-type", "application/timestamp-reply")
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://tsa.localhost:{server.server_port}/tsa"
        server.shutdown()
        thread.join()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "contract.pdf"
    path.write_bytes(DATA)
    return path


@pytest.fixture
def anchor(tmp_path: Path) -> Path:
    path = tmp_path / "root.cer"
    path.write_bytes(PKI.root.der)
    return path


def inkan(*words: object) -> Result:
    return CliRunner().invoke(root, ["tsa", *map(str, words)])


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_a_file_is_stamped_and_verified(url: str, file: Path, anchor: Path, digest: str) -> None:
    stamped = inkan("stamp", file, "--url", url, "--digest", digest)
    assert stamped.exit_code == 0, stamped.output
    token = file.with_name("contract.pdf.tst")
    assert stamped.output == f"{token}: stamped at 2026-11-21T12:00:00.000Z\n"
    verified = inkan("verify", file, token, "--anchor", anchor)
    assert verified.exit_code == 0, verified.output
    assert "The file existed at 2026-11-21T12:00:00.000Z, within 1 s." in verified.output
    assert f"{SERIAL:x}" in verified.output
    assert "not checked" in verified.output


def test_lists_are_looked_into(url: str, file: Path, anchor: Path, tmp_path: Path) -> None:
    out = tmp_path / "other.tst"
    assert inkan("stamp", file, "--url", url, "--out", out).exit_code == 0
    options = []
    for name, crl in {"root": PKI.root.crl(), "issuing": PKI.issuing.crl()}.items():
        path = tmp_path / f"{name}.crl"
        path.write_bytes(crl)
        options += ["--crl", path]
    verified = inkan("verify", file, out, "--anchor", anchor, *options)
    assert verified.exit_code == 0, verified.output
    assert "not checked" not in verified.output


def test_what_does_not_hold_is_refused(url: str, file: Path, anchor: Path, tmp_path: Path) -> None:
    token = file.with_name("contract.pdf.tst")
    inkan("stamp", file, "--url", url)
    other = tmp_path / "other"
    other.write_bytes(b"other")
    strange = tmp_path / "strange.cer"
    strange.write_bytes(Hierarchy().root.der)
    refusals = {
        TimestampMismatch: ("verify", other, token, "--anchor", anchor),
        CertificateUntrusted: ("verify", file, token, "--anchor", strange),
        TimestampMalformed: ("verify", file, file, "--anchor", anchor),
        TimestampRefused: ("stamp", file, "--url", f"{url}/elsewhere"),
    }
    for refusal, words in refusals.items():
        assert isinstance(inkan(*words).exception, refusal), words
    unlike = inkan("verify", file, token, "--anchor", anchor, "--policy", "1.2.3")
    assert isinstance(unlike.exception, TimestampMismatch)
    bare = tmp_path / "bare.tst"
    bare.write_bytes(TSA.token(cert_req=False))
    assert isinstance(inkan("verify", file, bare, "--anchor", anchor).exception, TimestampUntrusted)
    options = [word for name in _written(tmp_path) for word in ("--certificate", name)]
    assert inkan("verify", file, bare, "--anchor", anchor, *options).exit_code == 0


def _written(folder: Path) -> list[Path]:
    paths = [folder / f"{number}.cer" for number in range(len(TSA.chain))]
    for path, der in zip(paths, TSA.chain, strict=True):
        path.write_bytes(der)
    return paths
