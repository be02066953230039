"""Detached CMS: the verifier's own content, and no other, in the message that is verified."""

import hashlib
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from asn1crypto import cms as asn1_cms
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import oids
from inkan.crypto.cms import (
    MAX_SIZE,
    CMSMalformed,
    CMSSignatureWrong,
    CMSTooLarge,
    algorithm_of,
    build_signed_data,
    key_signer,
)
from inkan.crypto.cms_detached import enclose
from inkan.crypto.workers.signed_data import verify_cms_of
from inkan.kernel.errors import InkanError
from relying_parties.applicants import detach
from support.pki import Authority

CONTENT = b'{"v":1}'
ROOT = Authority.root()
LEAF = ROOT.subordinate().issue(usage=["content_commitment"])


def signed(content: bytes = CONTENT) -> bytes:
    return build_signed_data(
        content,
        content_type=oids.CONTENT_SEAL,
        chain=[LEAF.der],
        algorithm=algorithm_of(LEAF.key),
        sign=key_signer(LEAF.key),
    )


def verified(der: bytes) -> bytes:
    signers = frozenset({hashlib.sha256(LEAF.der).digest()})
    return verify_cms_of(der, oids.CONTENT_SEAL, signers).content


def test_the_content_returns_to_where_it_was_signed() -> None:
    assert verified(enclose(detach(signed()), CONTENT)) == CONTENT


def test_other_content_breaks_the_signature() -> None:
    whole = enclose(detach(signed()), b'{"v":2}')
    with pytest.raises(CMSSignatureWrong):
        verified(whole)


def test_content_that_came_along_is_not_looked_at() -> None:
    with pytest.raises(CMSMalformed):
        enclose(signed(), CONTENT)


def test_a_message_that_the_gate_refuses_does_not_come_out() -> None:
    info = asn1_cms.ContentInfo.load(detach(signed()))
    two = [*info["content"]["signer_infos"], *info["content"]["signer_infos"]]
    info["content"]["signer_infos"] = two
    with pytest.raises(CMSMalformed):
        enclose(info.dump(force=True), CONTENT)


def test_too_large_is_not_parsed() -> None:
    with pytest.raises(CMSTooLarge):
        enclose(bytes(MAX_SIZE + 1), CONTENT)


@given(st.binary(max_size=600))
def test_any_bytes_are_refused_and_nothing_else(data: bytes) -> None:
    with pytest.raises(InkanError):
        enclose(data, CONTENT)


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_changed_message_is_refused_or_is_no_seal(place: int, change: int) -> None:
    bent = bytearray(detach(signed()))
    bent[place % len(bent)] ^= change
    with suppress(InkanError):
        assert verified(enclose(bytes(bent), CONTENT)) == CONTENT


def test_what_openssl_signs(tmp_path: Path) -> None:
    """The command of the manual, with a certificate for an end entity."""

    def run(*command: str) -> None:
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "seal.json").write_bytes(CONTENT)
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    end = ("-addext", "basicConstraints=CA:FALSE", "-addext", "keyUsage=critical,nonRepudiation")
    made = ("-keyout", "seal.key", "-out", "seal.pem", "-days", "9", "-subj", "/C=TW/CN=x")
    run("openssl", "req", "-x509", *new_key, *made, *end)
    typed = ("-econtent_type", oids.CONTENT_SEAL, "-in", "seal.json", "-signer", "seal.pem")
    out = ("-inkey", "seal.key", "-outform", "DER", "-out", "seal.p7s")
    run("openssl", "cms", "-sign", "-binary", "-md", "sha256", *typed, *out)
    whole = enclose((tmp_path / "seal.p7s").read_bytes(), CONTENT)
    der = subprocess.run(
        ["openssl", "x509", "-in", "seal.pem", "-outform", "DER"],
        cwd=tmp_path, check=True, capture_output=True,
    ).stdout  # fmt: skip
    signers = frozenset({hashlib.sha256(der).digest()})
    assert verify_cms_of(whole, oids.CONTENT_SEAL, signers).content == CONTENT
