"""Verifying time-stamps: what holds, and every way in which one does not; openssl as second opinion."""

import hashlib
import subprocess
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st
from rfc3161_client import VerifierBuilder, decode_timestamp_response

from inkan.client.chain_status import StatusUnproved
from inkan.client.exchange import Answer, CallUnavailable
from inkan.client.timestamps import (
    TimestampMismatch,
    TimestampUntrusted,
    stamp,
    verify_timestamp,
)
from inkan.crypto import oids
from inkan.crypto.path import (
    CertificateExpired,
    CertificateNotYetValid,
    CertificateRevoked,
    CertificateUntrusted,
    RevocationUnknown,
)
from inkan.crypto.tsp import ImprintDigest, PKIFailure, parse_request
from inkan.crypto.tsp_response import granted, refused
from inkan.crypto.tsp_token import TimestampRefused
from inkan.kernel.errors import InkanError
from support.keyring import ec_key
from support.pki import AT, DAY, Hierarchy
from support.pki import Authority as Root
from support.timestamping import (
    DATA,
    IMPRINT,
    NONCE,
    SERIAL,
    STAMPING,
    Authority,
    key_period,
    purposes,
)
from support.tools import require

SECOND = timedelta(seconds=1)
_PKI = Hierarchy()
_TSA = Authority(_PKI)
TOKEN = _TSA.token()


@pytest.fixture
def pki():
    return _PKI


@pytest.fixture
def tsa():
    return _TSA


def verify(tsa, token=None, **options):
    settings = {"nonce": NONCE, "policy": oids.TIMESTAMP_POLICY, "imprint": IMPRINT} | options
    anchors = settings.pop("anchors", [tsa.hierarchy.root.der])
    return verify_timestamp(token or tsa.token(), settings.pop("imprint"), anchors, **settings)


def test_a_token_proves_when_the_data_existed(tsa):
    verified = verify(tsa)
    assert (verified.info.at, verified.info.serial) == (AT, SERIAL)
    assert verified.not_after == AT + SECOND
    assert verified.authority_sha256 == tsa.signer.certificate.sha256
    assert not verified.revocation_checked


def test_certificates_may_come_from_elsewhere(tsa):
    bare = tsa.token(cert_req=False)
    assert verify(tsa, bare, certificates=tsa.chain).info.at == AT
    with pytest.raises(TimestampUntrusted):
        verify(tsa, bare)
    with pytest.raises(CertificateUntrusted):
        verify(tsa, bare, certificates=tsa.chain[:1])


def test_years_later_the_term_at_the_time_counts(pki):
    ended = Authority(pki, not_before=AT - 20 * DAY, not_after=AT + SECOND)
    assert verify(ended).info.at == AT
    for at, refusal in {
        AT + 2 * SECOND: CertificateExpired,
        AT - 21 * DAY: CertificateNotYetValid,
    }.items():
        with pytest.raises(refusal):
            verify(ended, ended.token(at=at))


@pytest.mark.parametrize(
    ("field", "bent"),
    [
        ("imprint", {"imprint": hashlib.sha256(b"other").digest()}),
        ("imprint", {"imprint": hashlib.sha512(DATA).digest(), "digest": ImprintDigest.SHA512}),
        ("imprint", {"imprint": IMPRINT, "digest": ImprintDigest.SHA384}),
        ("nonce", {"nonce": 1}),
        ("policy", {"policy": "1.2.3"}),
    ],
)
def test_a_token_for_something_else(tsa, field, bent):
    with pytest.raises(TimestampMismatch) as caught:
        verify(tsa, **bent)
    assert caught.value.public_facts == {"field": field}


@pytest.mark.parametrize(
    "bent",
    [
        {"extra": []},
        {"extra": purposes(critical=False)},
        {"extra": purposes(STAMPING, ExtendedKeyUsageOID.CODE_SIGNING)},
        {"extra": purposes(ExtendedKeyUsageOID.OCSP_SIGNING)},
        {"usage": ["digital_signature", "key_encipherment"]},
        {"extra": [*purposes(), *key_period(ends=AT - SECOND)]},
        {"extra": [*purposes(), *key_period(begins=AT + SECOND)]},
    ],
)
def test_a_certificate_that_is_not_for_time_stamps_alone(pki, bent):
    with pytest.raises(TimestampUntrusted) as caught:
        verify(Authority(pki, **bent))
    assert "rfc3161-client" not in caught.value.detail, "refused by the peer alone"


def test_a_key_within_its_period_signs(pki):
    assert verify(Authority(pki, extra=[*purposes(), *key_period()])).info.at == AT


def test_another_key_under_the_same_name_and_number_is_not_the_signers(tsa):
    twin = Authority(tsa.hierarchy, serial=tsa.signer.certificate.serial, key=ec_key(78))
    with pytest.raises(TimestampUntrusted):
        verify(tsa, tsa.token(cert_req=False), certificates=twin.chain)
    with pytest.raises(TimestampUntrusted):
        verify(tsa, tsa.token(chain=twin.chain))


def test_a_root_that_was_not_given(tsa):
    other = Hierarchy()
    for anchors in ([other.root.der], []):
        with pytest.raises(CertificateUntrusted):
            verify(tsa, anchors=anchors)


def test_an_enclosed_root_is_trusted_for_nothing(tsa):
    enclosed = tsa.token(chain=[*tsa.chain, tsa.hierarchy.root.der])
    assert verify(tsa, enclosed).info.at == AT
    with pytest.raises(CertificateUntrusted):
        verify(tsa, enclosed, anchors=[Hierarchy().root.der])


def test_a_signature_of_another_key(tsa):
    forged = tsa.token(sign=lambda data: ec_key(5).sign(data, ECDSA(SHA256())))
    with pytest.raises(TimestampUntrusted):
        verify(tsa, forged)


def test_an_intermediate_that_the_anchor_did_not_issue(pki, tsa):
    impostor = Hierarchy()
    forged = Authority(impostor)
    with pytest.raises(CertificateUntrusted):
        verify(tsa, forged.token())
    with pytest.raises(CertificateUntrusted):
        verify(tsa, forged.token(cert_req=False), certificates=[*forged.chain, pki.root.der])


@given(st.data())
def test_no_bent_token_verifies_as_something_else(data):
    tsa = _TSA
    bent = bytearray(TOKEN)
    where = data.draw(st.integers(0, len(bent) - 1))
    bent[where] ^= data.draw(st.integers(1, 255))
    try:
        verified = verify(tsa, bytes(bent))
    except InkanError:
        return
    # What stands outside the signature (an enclosed certificate nobody needs) may change; the statement may not.
    assert (verified.info.at, verified.info.serial, verified.info.imprint) == (AT, SERIAL, IMPRINT)


# --- status ------------------------------------------------------------------------------------------


def status(tsa, reason=None, revoked_at=AT - DAY):
    issuing = tsa.hierarchy.issuing
    revoked = {tsa.signer.certificate: reason} if reason is not None else {}
    return [
        issuing.crl(
            revoked,
            revoked_at=revoked_at,
            this_update=AT + 10 * DAY,
            next_update=AT + 11 * DAY,
        ),
        tsa.hierarchy.root.crl(),
    ]


def test_lists_that_say_nothing_against_it(tsa):
    assert verify(tsa, crls=status(tsa)).revocation_checked


@pytest.mark.parametrize("reason", ["affiliationChanged", "superseded", "cessationOfOperation"])
def test_an_end_for_a_harmless_reason_leaves_earlier_tokens(tsa, reason):
    assert verify(tsa, crls=status(tsa, reason, AT + DAY)).revocation_checked
    with pytest.raises(CertificateRevoked):
        verify(tsa, crls=status(tsa, reason, AT - SECOND))


@pytest.mark.parametrize("reason", ["keyCompromise", "cACompromise", "", "certificateHold"])
def test_a_doubt_about_the_key_ends_every_token(tsa, reason):
    with pytest.raises(CertificateRevoked):
        verify(tsa, crls=status(tsa, reason, AT + DAY))


def test_half_a_proof_is_none(tsa):
    with pytest.raises(RevocationUnknown):
        verify(tsa, crls=status(tsa)[:1])
    with pytest.raises(StatusUnproved):
        verify(tsa, crls=[*status(tsa), Root.root("Other Root").crl()])


# --- second opinions ---------------------------------------------------------------------------------


@pytest.mark.pki
@pytest.mark.parametrize("cert_req", [True, False])
def test_openssl_verifies_the_token(tsa, tmp_path, cert_req):
    files = {"data": DATA, "token": tsa.token(cert_req=cert_req)}
    files["root.pem"] = tsa.hierarchy.root.certificate.x509.public_bytes(Encoding.PEM)
    files["chain.pem"] = b"".join(
        x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in tsa.chain
    )
    paths = {name: tmp_path / name for name in files}
    for name, content in files.items():
        paths[name].write_bytes(content)
    command = [
        require("openssl"), "ts", "-verify", "-data", paths["data"], "-in", paths["token"], "-token_in",
        "-CAfile", paths["root.pem"], "-untrusted", paths["chain.pem"],
        "-attime", str(int(AT.timestamp())),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Verification: OK" in done.stdout
    paths["data"].write_bytes(b"other")
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


def test_the_peer_alone_would_take_another_certificate_of_the_key(tsa):
    """RFC 5816 §2.2.1: the token names one certificate. When this turns red, the peer checks that too."""
    twin = Authority(tsa.hierarchy, serial=tsa.signer.certificate.serial, not_after=AT + DAY)
    token = twin.token(cert_req=False)
    verifier = VerifierBuilder(
        roots=[tsa.hierarchy.root.certificate.x509],
        intermediates=[tsa.hierarchy.issuing.certificate.x509],
        tsa_certificate=tsa.signer.certificate.x509,
    ).build()
    assert verifier.verify(decode_timestamp_response(granted(token)), IMPRINT)
    assert verify(tsa, token, certificates=twin.chain).info.at == AT
    with pytest.raises(TimestampUntrusted):
        verify(tsa, token, certificates=tsa.chain)


# --- asking ------------------------------------------------------------------------------------------

URL = "http://tsa.localhost/tsa"
REPLY = {"content-type": "application/timestamp-reply"}


def converse(tsa, reply, headers=None, status=200):
    conversation = stamp(URL, IMPRINT)
    asked = next(conversation)
    assert (asked.method, asked.url) == ("POST", URL)
    assert asked.headers["content-type"] == "application/timestamp-query"
    answer = Answer(status=status, headers=headers or REPLY, body=reply(asked.body))
    with pytest.raises(StopIteration) as ended:
        conversation.send(answer)
    return ended.value.value


def answered(tsa, body):
    return granted(tsa.maker().make(parse_request(body), serial=SERIAL, at=AT))


def test_asking_returns_the_token(tsa):
    token = converse(tsa, lambda body: answered(tsa, body))
    assert verify(tsa, token, nonce=None).info.imprint == IMPRINT


def test_a_refusal_and_foreign_answers_are_told_apart(tsa):
    with pytest.raises(TimestampRefused) as caught:
        converse(tsa, lambda _: refused(PKIFailure.TIME_NOT_AVAILABLE))
    assert caught.value.public_facts == {"failure": "timeNotAvailable"}
    with pytest.raises(TimestampRefused):
        converse(tsa, lambda _: refused(PKIFailure.BAD_REQUEST), status=413)
    with pytest.raises(TimestampMismatch):
        converse(tsa, lambda _: granted(TOKEN))  # of another nonce
    with pytest.raises(CallUnavailable):
        converse(tsa, lambda _: b"busy", headers={"content-type": "text/plain"}, status=503)
