"""What the story kept satisfies programs that know nothing of Inkan, and the offline verifier."""

import base64
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from demo.conftest import Told
from inkan.cli.root import root
from inkan.crypto import base64url
from inkan.crypto.workers.linters import lint_certificate, lint_crl, lint_ocsp
from support.tools import require

CAS = ("card", "phone")
LEAVES = {"card": "card-ca", "phone-auth": "phone-ca", "phone-sign": "phone-ca"}


@pytest.fixture(scope="session")
def pem(told: Told, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kept certificates and lists as PEM, and all lists and authorities in one file each."""
    folder = tmp_path_factory.mktemp("pem")
    for path in told.kept.glob("*.cer"):
        (folder / f"{path.stem}.pem").write_bytes(_certificate(path.read_bytes()))
    for path in told.kept.glob("*.crl"):
        listed = x509.load_der_x509_crl(path.read_bytes()).public_bytes(Encoding.PEM)
        (folder / f"{path.stem}-crl.pem").write_bytes(listed)
    _join(folder, "lists.pem", [f"{name}-crl.pem" for name in ("root", *CAS)])
    _join(folder, "authorities.pem", [f"{name}-ca.pem" for name in CAS])
    (folder / "receipt-signer.pem").write_bytes(_certificate(receipt_signer(told.kept)))
    (folder / "head-signer.pem").write_bytes(_certificate(head_signer(told.kept)))
    return folder


def _certificate(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)


def _join(folder: Path, name: str, parts: list[str]) -> None:
    (folder / name).write_bytes(b"".join((folder / part).read_bytes() for part in parts))


def receipt_signer(kept: Path) -> bytes:
    """The certificate (DER) in the header of the receipt."""
    return _signer((kept / "receipt.jws").read_text())


def head_signer(kept: Path) -> bytes:
    """The certificate (DER) in the header of the audit log's head."""
    return _signer(json.loads((kept / "evidence.json").read_bytes())["inclusion"]["head_jws"])


def _signer(jws: str) -> bytes:
    header = json.loads(base64url.decode(jws.split(".", maxsplit=1)[0]))
    return base64.b64decode(header["x5c"][0])


def openssl(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and everything that was said."""
    done = subprocess.run(
        [require("openssl"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


# --- openssl ----------------------------------------------------------------------------------------

STRICT = ("-x509_strict", "-crl_check_all", "-CAfile", "root.pem", "-CRLfile", "lists.pem")


@pytest.mark.pki
@pytest.mark.parametrize("leaf", [*LEAVES, "receipt-signer", "head-signer"])
def test_openssl_verifies_the_chains(pem: Path, leaf: str) -> None:
    code, said = openssl(pem, "verify", *STRICT, "-untrusted", "authorities.pem", f"{leaf}.pem")
    assert code == 0, said
    assert said.strip() == f"{leaf}.pem: OK"


@pytest.mark.pki
def test_openssl_would_refuse_a_chain_without_its_authority(pem: Path) -> None:
    code, said = openssl(pem, "verify", *STRICT, "-untrusted", "card-ca.pem", "phone-auth.pem")
    assert code != 0
    assert "unable to get local issuer certificate" in said


@pytest.mark.pki
@pytest.mark.parametrize(
    ("name", "issuer"), [("root", "root"), ("card", "card-ca"), ("phone", "phone-ca")]
)
def test_openssl_verifies_the_lists(pem: Path, name: str, issuer: str) -> None:
    crl = ("crl", "-in", f"{name}-crl.pem", "-noout")
    code, said = openssl(pem, *crl, "-CAfile", f"{issuer}.pem")
    assert (code, said.strip()) == (0, "verify OK")
    foreign = "card-ca.pem" if issuer != "card-ca" else "phone-ca.pem"
    assert "verify OK" not in openssl(pem, *crl, "-CAfile", foreign)[1]


def ocsp(told: Told, answer: Path, certificate: str) -> tuple[str, ...]:
    del told
    return (
        *("ocsp", "-respin", str(answer), "-no_nonce", "-CAfile", "root.pem"),
        *("-issuer", "phone-ca.pem", "-cert", f"{certificate}.pem"),
    )


@pytest.mark.pki
def test_openssl_verifies_the_answers(told: Told, pem: Path) -> None:
    for answer in told.kept.glob("ocsp-*.der"):
        code, said = openssl(pem, *ocsp(told, answer, "phone-auth"))
        assert code == 0, said
        assert "Response verify OK" in said
        assert re.search(r"phone-auth\.pem: good", said), said


@pytest.mark.pki
def test_openssl_would_refuse_a_changed_answer(told: Told, pem: Path, tmp_path: Path) -> None:
    der = bytearray((told.kept / "ocsp-0.der").read_bytes())
    der[der.find(b"\x80\x00")] = 0x82  # good becomes unknown, under the old signature
    changed = tmp_path / "ocsp.der"
    changed.write_bytes(der)
    assert "Response verify OK" not in openssl(pem, *ocsp(told, changed, "phone-auth"))[1]


# --- pkilint ----------------------------------------------------------------------------------------


@pytest.mark.pki
@pytest.mark.parametrize(
    ("pattern", "lint", "least"),
    [("*.cer", lint_certificate, 6), ("*.crl", lint_crl, 3), ("*.der", lint_ocsp, 1)],
)
def test_pkilint_finds_no_error(
    told: Told, pattern: str, lint: Callable[[bytes], object], least: int
) -> None:
    files = sorted(told.kept.glob(pattern))
    assert len(files) >= least
    for path in files:
        report = lint(path.read_bytes())
        assert not report.errors, f"{path.name}: {report.errors}"  # type: ignore[attr-defined]


@pytest.mark.pki
def test_pkilint_finds_no_error_in_the_signers(told: Told) -> None:
    responders = [
        certificate.public_bytes(Encoding.DER)
        for path in told.kept.glob("ocsp-*.der")
        for certificate in x509.ocsp.load_der_ocsp_response(path.read_bytes()).certificates
    ]
    assert responders
    for der in (*responders, receipt_signer(told.kept), head_signer(told.kept)):
        assert not lint_certificate(der).errors


# --- inkan verify -----------------------------------------------------------------------------------


def verify(folder: Path, *more: str) -> Result:
    files = [str(folder / "receipt.jws"), "--anchor", str(folder / "root.cer")]
    return CliRunner().invoke(root, ["verify", "receipt", *files, *more], standalone_mode=False)


def with_evidence(folder: Path) -> Result:
    return verify(folder, "--evidence", str(folder / "evidence.json"))


@pytest.fixture
def kept(told: Told, tmp_path: Path) -> Path:
    """A copy of what was kept, to be changed."""
    for path in told.kept.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def change(path: Path, **members: object) -> None:
    path.write_bytes(json.dumps(json.loads(path.read_bytes()) | members).encode())


def test_what_was_kept_is_valid(kept: Path) -> None:
    alone, whole = verify(kept), with_evidence(kept)
    assert (alone.return_value, whole.return_value) == (0, 0)
    assert "The receipt is valid." in whole.output
    assert "In the audit log: proved." in whole.output
    assert "In the audit log: the platform's word." in alone.output
    assert len(whole.output.splitlines()) > 10
    assert "no evidence was given" in alone.output
    assert "no evidence was given" not in whole.output


def test_a_changed_receipt_is_invalid(kept: Path) -> None:
    receipt = kept / "receipt.jws"
    text = receipt.read_text()
    receipt.write_text(text[:-8] + ("A" * 8 if not text.endswith("A" * 8) else "B" * 8))
    found = verify(kept)
    assert found.return_value == 1
    assert "The receipt is invalid." in found.output
    assert "FAILED" in found.output


@pytest.mark.parametrize("length", [0, 1, 100, -1])
def test_a_truncated_receipt_is_invalid(kept: Path, length: int) -> None:
    receipt = kept / "receipt.jws"
    receipt.write_text(receipt.read_text()[:length])
    assert verify(kept).return_value == 1


def test_a_foreign_root_does_not_prove_it(kept: Path) -> None:
    (kept / "root.cer").write_bytes((kept / "card-ca.cer").read_bytes())
    assert verify(kept).return_value in {1, 2}


def test_a_changed_statement_is_invalid(kept: Path) -> None:
    evidence = kept / "evidence.json"
    head, payload, signature = json.loads(evidence.read_bytes())["statement_jws"].split(".")
    other = base64url.decode(payload).replace(b'"decision":"approve"', b'"decision":"refused"')
    change(evidence, statement_jws=f"{head}.{base64url.encode(other)}.{signature}")
    assert with_evidence(kept).return_value == 1


def test_evidence_of_a_changed_assertion_is_invalid(kept: Path) -> None:
    evidence = kept / "evidence.json"
    assertion = json.loads(evidence.read_bytes())["assertion"]
    change(evidence, assertion=assertion | {"signature": base64url.encode(b"\x30\x00")})
    assert with_evidence(kept).return_value == 1


def test_evidence_without_its_proof_of_the_log_is_valid_and_says_so(kept: Path) -> None:
    change(kept / "evidence.json", inclusion=None)
    found = with_evidence(kept)
    assert found.return_value == 0
    assert "In the audit log: the platform's word." in found.output
    assert "that the decision stands in the audit log" in found.output
    assert "log_proof_absent" in found.output


def test_evidence_with_a_changed_proof_of_the_log_is_invalid(kept: Path) -> None:
    evidence = kept / "evidence.json"
    inclusion = json.loads(evidence.read_bytes())["inclusion"]
    change(evidence, inclusion=inclusion | {"salt": base64url.encode(bytes(16))})
    found = with_evidence(kept)
    assert found.return_value == 1
    assert "FAILED  14. audit log" in found.output
    assert "In the audit log: proved." not in found.output


def test_evidence_without_status_is_not_enough_to_say(kept: Path) -> None:
    change(kept / "evidence.json", revocation={"ocsp": [], "crls": []})
    found = with_evidence(kept)
    assert found.return_value == 2
    assert "The receipt is indeterminate." in found.output


@pytest.mark.parametrize("length", [0, 1, 500, -1])
def test_truncated_evidence_never_proves(kept: Path, length: int) -> None:
    evidence = kept / "evidence.json"
    evidence.write_bytes(evidence.read_bytes()[:length])
    assert with_evidence(kept).return_value in {1, 2}
