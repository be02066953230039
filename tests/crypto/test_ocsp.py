"""OCSP on both sides of the counter; the product's responder against the tests' client and openssl, and the reverse."""

import subprocess
from datetime import timedelta

import pytest
from asn1crypto import ocsp as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as library
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import ocsp
from inkan.crypto.ocsp import (
    CertificateStatus,
    OCSPAnswer,
    OCSPRequestMalformed,
    OCSPRequestTooLarge,
    ResponderError,
    build_error,
    build_request,
    cert_id_of,
    parse_request,
)
from inkan.crypto.ocsp_encoding import OCSPSigner
from inkan.crypto.ocsp_response import (
    OCSPResponderFailed,
    OCSPResponseMalformed,
    OCSPResponseMismatch,
    OCSPResponseStale,
    OCSPResponseUntrusted,
    verify_response,
)
from inkan.crypto.path import Revocation, RevocationReason
from inkan.crypto.workers.linters import lint_ocsp
from inkan.kernel.errors import InkanError
from support.keyring import rsa_key
from support.pki import AT, Authority, Hierarchy, Issued
from support.tools import require

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
NONCE = bytes(range(32))


@pytest.fixture(scope="module")
def pki():
    return Hierarchy()


def build_response(request, stated, *, responder, key) -> bytes:
    """The product's answer that states the same of every certificate that was asked about."""
    answers = [(cert_id, stated) for cert_id in request.cert_ids]
    return OCSPSigner(responder, key).sign(answers, produced_at=AT, nonce=request.nonce)


def answer(status=CertificateStatus.GOOD, **bent) -> OCSPAnswer:
    defaults = {"this_update": AT, "next_update": AT + HOUR}
    return OCSPAnswer(status=status, **defaults | bent)


def verify(pki, der, *, at=AT, nonce=None, certificate=None):
    return verify_response(
        der,
        certificate=certificate or pki.leaf.certificate,
        issuer=pki.issuing.certificate,
        at=at,
        nonce=nonce,
    )


# --- requests --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
@pytest.mark.parametrize("nonce", [None, b"n", NONCE, bytes(128)])
def test_a_request_says_what_was_asked(pki, digest, nonce):
    der = build_request(pki.leaf.certificate, pki.issuing.certificate, nonce=nonce, digest=digest)
    request = parse_request(der)
    assert request.nonce == nonce
    asked = cert_id_of(pki.leaf.certificate, pki.issuing.certificate, digest=digest)
    assert request.cert_ids == (asked,)
    assert asked.serial == pki.leaf.certificate.serial


def test_the_name_of_a_certificate_is_a_key(pki):
    names = {
        cert_id_of(certificate, pki.issuing.certificate, digest=digest)
        for certificate in (pki.leaf.certificate, pki.issuing.issue().certificate)
        for digest in ("sha1", "sha256")
    }
    assert len(names) == 4


def test_a_request_of_4097_bytes_is_not_parsed():
    with pytest.raises(OCSPRequestTooLarge) as caught:
        parse_request(bytes(4097))
    assert caught.value.public_facts == {"limit_bytes": 4096}


def library_request(pki, digest=None, extensions=()):
    builder = library.OCSPRequestBuilder().add_certificate(
        pki.leaf.certificate.x509, pki.issuing.certificate.x509, digest or hashes.SHA1()
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.build().public_bytes(Encoding.DER)


def test_a_request_with_more_than_a_responder_understands_is_malformed(pki):
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.25.7"), b"\x05\0")
    for der in (
        library_request(pki, digest=hashes.SHA512()),
        library_request(pki, extensions=[(odd, True)]),
        library_request(pki, extensions=[(x509.OCSPNonce(b""), False)]),
        library_request(pki, extensions=[(x509.OCSPNonce(bytes(129)), False)]),
        many_requests(pki, ocsp.MAX_IDS + 1),
        many_requests(pki, 0),
        b"",
        b"\x30\x00",
        library_request(pki) + b"\0",
    ):
        with pytest.raises(OCSPRequestMalformed):
            parse_request(der)
    assert parse_request(library_request(pki, extensions=[(odd, False)])).nonce is None


def many_requests(pki, count: int, **bent) -> bytes:
    """One request that names the leaf so many times, written by asn1crypto."""
    request = asn1.OCSPRequest.load(library_request(pki, **bent))
    requests = request["tbs_request"]["request_list"]
    one = requests[0].copy()
    request["tbs_request"]["request_list"] = [one.copy() for _ in range(count)]
    return request.dump(force=True)


@pytest.mark.parametrize("digest", [hashes.SHA1(), hashes.SHA256()])
@pytest.mark.parametrize("nonce", [None, NONCE])
def test_a_request_about_several_certificates(pki, digest, nonce):
    extensions = [(x509.OCSPNonce(nonce), False)] if nonce else []
    der = many_requests(pki, ocsp.MAX_IDS, digest=digest, extensions=extensions)
    request = parse_request(der)
    asked = cert_id_of(pki.leaf.certificate, pki.issuing.certificate, digest=digest.name)
    assert request.cert_ids == (asked,) * ocsp.MAX_IDS
    assert request.nonce == nonce


@given(st.data())
def test_only_refusals_come_out_of_bent_requests_about_several(pki, data):
    der = bytearray(many_requests(pki, 3, extensions=[(x509.OCSPNonce(NONCE), False)]))
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    der = der[: data.draw(st.integers(1, len(der)))]
    try:
        request = parse_request(bytes(der))
    except InkanError:
        return
    assert 0 < len(request.cert_ids) <= ocsp.MAX_IDS
    assert all(0 <= each.serial < 2**159 for each in request.cert_ids)


@given(st.binary(max_size=300))
def test_only_refusals_come_out_of_random_requests(raw):
    with pytest.raises(InkanError):
        parse_request(raw)


# --- answers of the product --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", CertificateStatus)
@pytest.mark.parametrize("nonce", [None, NONCE])
def test_an_answer_is_understood(pki, status, nonce):
    revocation = None
    if status is CertificateStatus.REVOKED:
        revocation = Revocation(revoked_at=AT, reason=RevocationReason.KEY_COMPROMISE)
    responder = pki.issuing.responder()
    stated = answer(status, revocation=revocation)
    der = build_response(
        parse_request(build_request(pki.leaf.certificate, pki.issuing.certificate, nonce=nonce)),
        stated,
        responder=responder.certificate,
        key=responder.key,
    )
    verified = verify(pki, der, nonce=nonce)
    assert verified.answer == stated
    assert verified.responder_sha256 == responder.certificate.sha256
    assert not lint_ocsp(der).errors


@pytest.mark.parametrize("reason", RevocationReason)
def test_every_reason_survives(pki, reason):
    responder = pki.issuing.responder()
    revocation = Revocation(revoked_at=AT, reason=reason)
    der = build_response(
        parse_request(build_request(pki.leaf.certificate, pki.issuing.certificate)),
        answer(CertificateStatus.REVOKED, revocation=revocation),
        responder=responder.certificate,
        key=responder.key,
    )
    assert verify(pki, der).answer.revocation == revocation


@pytest.mark.parametrize("error", ResponderError)
def test_an_error_gives_no_status(pki, error):
    with pytest.raises(OCSPResponderFailed) as caught:
        verify(pki, build_error(error))
    assert caught.value.public_facts == {"status": str(error)}


@pytest.mark.pki
@pytest.mark.parametrize("status", ["good", "revoked", "unknown"])
def test_openssl_understands_an_answer(pki, status, tmp_path):
    openssl = require("openssl")
    responder = pki.issuing.responder()
    revocation = Revocation(revoked_at=AT) if status == "revoked" else None
    request = build_request(pki.leaf.certificate, pki.issuing.certificate)
    response = build_response(
        parse_request(request),
        answer(CertificateStatus(status), revocation=revocation),
        responder=responder.certificate,
        key=responder.key,
    )
    for file, content in {
        "response.der": response,
        "leaf.pem": pki.leaf.certificate.x509.public_bytes(Encoding.PEM),
        "ca.pem": pki.issuing.certificate.x509.public_bytes(Encoding.PEM),
        "root.pem": pki.root.certificate.x509.public_bytes(Encoding.PEM),
    }.items():
        (tmp_path / file).write_bytes(content)
    result = subprocess.run(
        [
            openssl, "ocsp", "-respin", "response.der", "-no_nonce", "-issuer", "ca.pem",
            "-cert", "leaf.pem", "-CAfile", "root.pem", "-attime", str(int(AT.timestamp())),
            "-validity_period", str(10 * 365 * 86400),
        ],
        cwd=tmp_path, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert "Response verify OK" in result.stderr
    assert f"leaf.pem: {status}" in result.stdout


# --- answers of others -------------------------------------------------------------------------------------------------


def test_the_authority_itself_may_answer(pki):
    own = Issued(pki.issuing.certificate, pki.issuing.key)
    for by_name in (False, True):
        der = pki.issuing.ocsp(pki.leaf.certificate, responder=own, by_name=by_name, embed=[])
        assert verify(pki, der).responder_sha256 == pki.issuing.certificate.sha256


def test_a_responder_may_be_named_by_name_or_by_key(pki):
    for by_name in (False, True):
        assert verify(pki, pki.issuing.ocsp(pki.leaf.certificate, by_name=by_name))


def test_a_responder_with_an_rsa_key_is_verified(pki):
    responder = Issued(
        pki.issuing.issue(
            "RSA responder",
            key=rsa_key(),
            eku=[ExtendedKeyUsageOID.OCSP_SIGNING],
            extra=[(x509.OCSPNoCheck(), False)],
        ).certificate,
        rsa_key(),
    )
    assert verify(pki, pki.issuing.ocsp(pki.leaf.certificate, responder=responder))


def test_an_answer_to_another_question_is_refused(pki):
    other = pki.issuing.issue().certificate
    with pytest.raises(OCSPResponseMismatch):
        verify(pki, pki.issuing.ocsp(other))
    sibling = pki.root.subordinate("Sibling")
    with pytest.raises(OCSPResponseMismatch):
        verify(pki, pki.issuing.ocsp(pki.leaf.certificate, issuer=sibling))


@pytest.mark.parametrize("echoed", [None, b"another nonce"])
def test_the_nonce_is_demanded_when_one_was_sent(pki, echoed):
    der = pki.issuing.ocsp(pki.leaf.certificate, nonce=echoed)
    with pytest.raises(OCSPResponseMismatch, match="nonce"):
        verify(pki, der, nonce=NONCE)
    assert verify(pki, der)


@pytest.mark.req("TW-33")
def test_a_stale_answer_is_refused(pki):
    der = pki.issuing.ocsp(pki.leaf.certificate, this_update=AT, next_update=AT + HOUR)
    assert verify(pki, der, at=AT + HOUR)
    for at in (AT - SECOND, AT + HOUR + SECOND):
        with pytest.raises(OCSPResponseStale) as caught:
            verify(pki, der, at=at)
        assert caught.value.public_facts == {"this_update": AT, "next_update": AT + HOUR}


def test_an_answer_without_end_is_malformed(pki):
    with pytest.raises(OCSPResponseMalformed):
        verify(pki, pki.issuing.ocsp(pki.leaf.certificate, next_update=None))


def test_a_critical_extension_that_is_unknown_is_malformed(pki):
    der = pki.issuing.ocsp(pki.leaf.certificate, nonce=NONCE, critical_nonce=True)
    assert verify(pki, der, nonce=NONCE)
    with pytest.raises(OCSPResponseMalformed):
        verify(
            pki,
            der.replace(
                b"\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x02",
                b"\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x12",
            ),
        )


@pytest.mark.parametrize(
    "bent",
    [
        {"eku": []},
        {"eku": [ExtendedKeyUsageOID.OCSP_SIGNING, ExtendedKeyUsageOID.SERVER_AUTH]},
        {"extra": []},
        {"usage": ["content_commitment"]},
        {"not_after": AT - SECOND},
        {"not_before": AT + SECOND},
    ],
    ids=lambda bent: next(iter(bent)),
)
def test_a_responder_that_was_not_appointed_is_refused(pki, bent):
    responder = pki.issuing.responder(**bent)
    with pytest.raises(OCSPResponseUntrusted):
        verify(pki, pki.issuing.ocsp(pki.leaf.certificate, responder=responder))


def test_a_responder_of_somebody_else_is_refused(pki):
    for authority in (Authority.root().subordinate(), pki.root):
        der = pki.issuing.ocsp(pki.leaf.certificate, responder=authority.responder())
        with pytest.raises(OCSPResponseUntrusted):
            verify(pki, der)


def test_a_responder_without_certificate_or_with_many_is_refused(pki):
    responder = pki.issuing.responder()
    for embedded in ([], [pki.leaf.certificate], [responder.certificate] * 5):
        der = pki.issuing.ocsp(pki.leaf.certificate, responder=responder, embed=embedded)
        with pytest.raises(OCSPResponseUntrusted):
            verify(pki, der)


def test_a_signature_of_another_key_is_refused(pki):
    response = asn1.OCSPResponse.load(pki.issuing.ocsp(pki.leaf.certificate))
    basic = response["response_bytes"]["response"].parsed
    forged = pki.issuing.responder().key.sign(
        basic["tbs_response_data"].dump(), ECDSA(hashes.SHA256())
    )
    der = response.dump().replace(basic["signature"].native, forged)
    if len(forged) != len(basic["signature"].native):
        basic["signature"] = forged
        response["response_bytes"]["response"] = basic
        der = response.dump(force=True)
    with pytest.raises(OCSPResponseUntrusted, match="signature"):
        verify(pki, der)


@pytest.mark.parametrize("raw", [b"", b"0", b"\x30\x00", bytes(16 * 1024 + 1)])
def test_other_bytes_are_malformed(pki, raw):
    with pytest.raises(OCSPResponseMalformed):
        verify(pki, raw)


WORLD = Hierarchy()
GOOD = WORLD.issuing.ocsp(WORLD.leaf.certificate, status="revoked", reason="superseded")


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_changes_nothing(position, difference):
    """Of the enclosed certificates only the one that signed counts; its bytes are under the authority's signature."""
    changed = bytearray(GOOD)
    changed[position] ^= difference
    try:
        verified = verify(WORLD, bytes(changed))
    except InkanError:
        return
    assert verified.answer == verify(WORLD, GOOD).answer


def test_tables_are_total():
    assert set(ocsp.STATUS) == set(CertificateStatus)
    assert {error.name for error in ResponderError} <= {
        status.name for status in library.OCSPResponseStatus
    }
