"""Certificate keys in JavaScript: DER, certificate requests, renewals' CMS, and keys at rest that both sides open."""

import hashlib
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from inkan.client import certificate_keys
from inkan.client.certificate_keys import KeyNotUnwrapped, WrappedKey
from inkan.crypto import base64url, cms, dpop, keys, oids
from inkan.crypto.certificate_requests import parse_csr, verify_csr
from inkan.crypto.keys import KeySpec
from inkan.kernel.sensitive import Secret
from support.node import Node, NodeError
from support.pki import Hierarchy

SHARED = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
PRF = bytes(range(32))
SPECS = ["P-256", "RSA-2048"]
BOUNDARIES = [0, 1, 126, 127, 128, 129, 254, 255, 256, 257, 65_534, 65_535, 65_536, 65_537]


# --- the DER writer -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", BOUNDARIES)
def test_lengths_around_every_step_are_written_as_others_write_them(node: Node, size: int) -> None:
    content = bytes(size)
    assert node.call("der", "octetString", content) == core.OctetString(content).dump()
    assert node.call("der", "bitString", content) == core.OctetBitString(content).dump()


@SHARED
@given(value=st.integers(0, 2**80) | st.sampled_from([0, 127, 128, 255, 256, 2**63, 2**64]))
def test_integers_are_written_as_others_write_them(node: Node, value: int) -> None:
    magnitude = value.to_bytes((value.bit_length() + 7) // 8 + 2)
    assert node.call("der", "unsigned", magnitude) == core.Integer(value).dump()
    if value < 2**53:
        assert node.call("der", "integer", value) == core.Integer(value).dump()


@SHARED
@given(
    first=st.integers(0, 2),
    rest=st.lists(st.integers(0, 2**64), min_size=1, max_size=6),
)
@example(first=2, rest=[999, 3])
@example(first=1, rest=[39, 127, 128, 16_383, 16_384])
def test_object_identifiers_are_written_as_others_write_them(
    node: Node, first: int, rest: list[int]
) -> None:
    if first < 2:
        rest = [rest[0] % 40, *rest[1:]]
    dotted = ".".join(map(str, [first, *rest]))
    assert node.call("der", "objectIdentifier", dotted) == core.ObjectIdentifier(dotted).dump()


@SHARED
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=100))
def test_texts_are_written_as_others_write_them(node: Node, text: str) -> None:
    assert node.call("der", "utf8String", text) == core.UTF8String(text).dump()


@SHARED
@given(parts=st.lists(st.binary(min_size=1, max_size=6), max_size=6))
def test_sets_are_in_the_order_of_their_bytes(node: Node, parts: list[bytes]) -> None:
    written = [core.OctetString(part).dump() for part in parts]
    expected = core.SetOf(spec=core.OctetString)
    for part in parts:
        expected.append(core.OctetString(part))
    assert node.call("der", "setOf", *written) == expected.dump(force=True)


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("integer", -1),
        ("integer", 2**53),
        ("integer", 1.5),
        ("unsigned", b""),
        ("objectIdentifier", "1"),
        ("objectIdentifier", ""),
        ("objectIdentifier", "3.1"),
        ("objectIdentifier", "1.40"),
        ("objectIdentifier", "0.99.1"),
        ("objectIdentifier", "1.02.3"),
        ("objectIdentifier", "1.2."),
        ("objectIdentifier", "1.-2"),
        ("objectIdentifier", "1.2 "),
        ("objectIdentifier", "1.2\n"),
        ("objectIdentifier", "1.2." + "9" * 39),
        ("utf8String", "\ud800"),
        ("context", 31),
        ("context", -1),
        ("context", 0.5),
        ("length", -1),
        ("length", 2**32),
        ("length", 0.5),
        ("ecdsaSignature", bytes(64)),
        ("ecdsaSignature", b"\x01" * 63),
        ("ecdsaSignature", b"\x01" * 65),
        ("ecdsaSignature", bytes(32) + b"\x01" * 32),
        ("ecdsaSignature", b"\x01" * 32 + bytes(32)),
    ],
)
def test_what_cannot_be_written_is_refused(node: Node, name: str, argument: Any) -> None:
    with pytest.raises(NodeError) as refused:
        node.call("der", name, argument)
    assert refused.value.code == "der_unwritable"


@pytest.mark.parametrize("tag", [-1, 0x1F, 0x3F, 0xBF, 0x100, 1.5])
def test_tags_of_several_bytes_are_refused(node: Node, tag: Any) -> None:
    with pytest.raises(NodeError):
        node.call("der", "element", tag, b"")


@SHARED
@given(raw=st.binary(min_size=64, max_size=64).filter(lambda raw: any(raw[:32]) and any(raw[32:])))
@example(raw=bytes(31) + b"\x01" + b"\xff" * 32)
@example(raw=b"\x80" + bytes(63 - 1) + b"\x01")
def test_signatures_change_their_form_and_not_their_value(node: Node, raw: bytes) -> None:
    der = node.call("der", "ecdsaSignature", raw)
    r, s = decode_dss_signature(der)
    assert r.to_bytes(32) + s.to_bytes(32) == raw


# --- certificate requests -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def some_keys() -> list[Any]:
    made = [ec.generate_private_key(ec.SECP256R1()) for _ in range(12)]
    sizes = [rsa.generate_private_key(65537, size) for size in (2048, 2048, 3072)]
    return [*made, *sizes]


def test_request_infos_are_those_of_cryptography(node: Node, some_keys: list[Any]) -> None:
    for key in some_keys:
        theirs = (
            x509.CertificateSigningRequestBuilder()
            .subject_name(x509.Name([]))
            .sign(key, hashes.SHA256())
        )
        spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        assert node.call("csr", "requestInfo", spki) == theirs.tbs_certrequest_bytes


@pytest.mark.req("TW-26")
@pytest.mark.parametrize("spec", ["P-256", "RSA-2048", "RSA-3072"])
def test_a_made_key_proves_its_possession(node: Node, spec: str) -> None:
    made = node.call("signer", "makeKeys", spec, ["auth", "sign"])
    spkis = set()
    for use in ("auth", "sign"):
        proved = verify_csr(parse_csr(made[use]["csr"]))
        assert proved.spki == made[use]["spki"]
        spkis.add(proved.spki)
        theirs = x509.load_der_x509_csr(made[use]["csr"])
        assert theirs.is_signature_valid
        assert list(theirs.subject) == []
        assert list(theirs.extensions) == []
    assert len(spkis) == 2


def test_requests_over_many_keys_hold(node: Node) -> None:
    """Signatures whose halves begin with zero bytes or with their high bit are among a hundred."""
    uses = ["auth", "sign"]
    lengths = set()
    for _ in range(50):
        made = node.call("signer", "makeKeys", "P-256", uses)
        for use in uses:
            assert x509.load_der_x509_csr(made[use]["csr"]).is_signature_valid
            lengths.add(len(made[use]["csr"]))
    assert len(lengths) > 1


def test_kinds_of_key_that_phones_do_not_make_are_refused(node: Node) -> None:
    for spec in ("P-384", "RSA-1024", "constructor", ""):
        with pytest.raises(NodeError):
            node.call("signer", "makeKeys", spec, ["auth"])


# --- keys at rest -------------------------------------------------------------------------------------


@pytest.mark.req("TW-26")
@pytest.mark.parametrize("spec", SPECS)
def test_a_key_that_python_wrapped_signs_here(node: Node, spec: str) -> None:
    private = keys.generate(KeySpec(spec))
    held = certificate_keys.wrap(private, Secret(PRF))
    for purpose in ("document", "statement"):
        signature = node.call("probes", "signOnce", _held(held, spec), purpose, PRF, b"message")
        _verify(private.public_key(), signature, purpose)


@pytest.mark.req("TW-26")
@pytest.mark.parametrize("spec", SPECS)
def test_a_key_that_was_wrapped_here_opens_there(node: Node, spec: str) -> None:
    made = node.call("probes", "wrapFresh", spec, PRF)
    held = WrappedKey(spki=made["spki"], nonce=made["nonce"], wrapped=made["wrapped"])
    private = certificate_keys.unwrap(held, Secret(PRF))
    assert keys.spki_der(private.public_key()) == made["spki"]
    assert verify_csr(parse_csr(made["csr"])).spki == made["spki"]
    with pytest.raises(KeyNotUnwrapped):
        certificate_keys.unwrap(held, Secret(bytes(32)))


@pytest.mark.req("TW-26")
@pytest.mark.parametrize("change", ["prf", "nonce", "wrapped", "spki", "cut", "gone"])
def test_another_passkey_or_changed_bytes_open_nothing(node: Node, change: str) -> None:
    private = keys.generate(KeySpec.P256)
    held = _held(certificate_keys.wrap(private, Secret(PRF)), "P-256")
    prf = PRF
    if change == "prf":
        prf = bytes(32)
    elif change == "cut":
        held["wrapped"] = held["wrapped"][:-1]
    elif change == "gone":
        del held["wrapped"]
    else:
        held[change] = bytes([held[change][0] ^ 1]) + held[change][1:]
    with pytest.raises(NodeError) as refused:
        node.call("probes", "signOnce", held, "document", prf, b"message")
    assert refused.value.code == "phone_key_not_unwrapped"


def test_a_value_of_another_size_is_no_prf_value(node: Node) -> None:
    for prf in (b"", bytes(31), bytes(33), None):
        with pytest.raises(NodeError) as refused:
            node.call("probes", "wrapFresh", "P-256", prf)
        assert refused.value.code == "phone_prf_unavailable"


def test_unwrapped_handles_cannot_be_read(node: Node) -> None:
    held = certificate_keys.wrap(keys.generate(KeySpec.P256), Secret(PRF))
    handle = node.call("probes", "release", _held(held, "P-256"), PRF)
    assert handle["extractable"] is False
    assert handle["usages"] == ["sign"]


def test_a_back_end_without_a_row_is_refused(node: Node) -> None:
    for back_end in ("C", "x"):
        with pytest.raises(NodeError) as refused:
            node.call("signer", "signerOf", back_end)
        assert refused.value.code == "phone_back_end_unavailable"


def test_a_key_that_is_elsewhere_signs_nothing_here(node: Node) -> None:
    held = {"backEnd": "B", "keySpec": "P-256", "spki": b""}
    for prf in (None, PRF):
        with pytest.raises(NodeError) as refused:
            node.call("probes", "signOnce", held, "statement", prf, b"message")
        assert refused.value.code == "phone_back_end_unavailable"


# --- the renewal's CMS --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hierarchy() -> Hierarchy:
    return Hierarchy()


@pytest.mark.req("TW-32")
@pytest.mark.parametrize("spec", SPECS)
def test_a_renewal_is_the_message_that_python_builds(
    node: Node, hierarchy: Hierarchy, spec: str, tmp_path: Path
) -> None:
    private = keys.generate(KeySpec(spec))
    issued = hierarchy.issuing.issue("Phone", key=private, usage=["digital_signature"])
    held = _held(certificate_keys.wrap(private, Secret(PRF)), spec)
    chain = [issued.der, hierarchy.issuing.der]
    message = {
        "content": b'{"v":1}',
        "contentType": oids.CONTENT_RENEW,
        "chain": chain,
        "signer": cms.issuer_and_serial(issued.der),
    }
    der = node.call("probes", "renewal", message, held, PRF)
    parsed = cms.parse_signed_data(der)
    theirs = cms.build_signed_data(
        message["content"],
        content_type=oids.CONTENT_RENEW,
        chain=chain,
        algorithm=cms.algorithm_of(private),
        sign=lambda _: parsed.signature,
    )
    assert der == theirs
    assert parsed.signer == issued.der
    _verify(private.public_key(), parsed.signature, "document", parsed.signed_attributes)
    digest = hashlib.sha256(message["content"]).digest()
    assert digest in parsed.signed_attributes
    _openssl(der, hierarchy, tmp_path)


def _openssl(der: bytes, hierarchy: Hierarchy, folder: Path) -> None:
    if shutil.which("openssl") is None:
        return
    (folder / "message").write_bytes(der)
    root = x509.load_der_x509_certificate(hierarchy.root.der).public_bytes(Encoding.PEM)
    (folder / "root").write_bytes(root)
    command = ["openssl", "cms", "-verify", "-inform", "DER", "-in", folder / "message"]
    trust = ["-CAfile", folder / "root", "-purpose", "any", "-no_check_time"]
    done = subprocess.run([*command, *trust], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == b'{"v":1}'


# --- proofs of the channel key ------------------------------------------------------------------------


def _held(key: WrappedKey, spec: str) -> dict[str, Any]:
    return {
        "backEnd": "A",
        "keySpec": spec,
        "spki": key.spki,
        "nonce": key.nonce,
        "wrapped": key.wrapped,
    }


def _verify(public: Any, signature: bytes, purpose: str, message: bytes = b"message") -> None:
    if isinstance(public, rsa.RSAPublicKey):
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        how = pss if purpose == "statement" else padding.PKCS1v15()
        public.verify(signature, message, how, hashes.SHA256())
        return
    if purpose == "statement":
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
        assert len(signature) == 64
        signature = encode_dss_signature(r, s)
    public.verify(signature, message, ec.ECDSA(hashes.SHA256()))


@SHARED
@given(
    query=st.sampled_from(["", "?wait=25", "#part", "?a=b#c"]),
    method=st.sampled_from(["GET", "POST"]),
)
def test_proofs_hold_for_their_request_alone(node: Node, query: str, method: str) -> None:
    now = datetime(2026, 11, 21, 22, 55, 4, tzinfo=UTC)
    url = "https://id.example.org/phone/v1/approvals"
    made = node.call("probes", "channelProof", method, url + query, now.timestamp())
    proof = dpop.verify_proof(made["proof"], method=method, url=url, now=now)
    assert proof.jkt == made["thumbprint"]
    assert made["channel"]["extractable"] is False
    for wrong in (
        {"method": "PUT"},
        {"url": "https://id.example.org/phone/v1/records"},
        {"now": now + timedelta(seconds=61)},
    ):
        with pytest.raises(dpop.DPoPProofRefused):
            dpop.verify_proof(made["proof"], **{"method": method, "url": url, "now": now} | wrong)
    assert base64url.decode(made["thumbprint"], size=32)
