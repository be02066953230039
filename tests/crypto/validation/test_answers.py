"""OCSP answers: what they speak of, until when, and by whom (RFC 6960)."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from inkan.crypto.ocsp import ResponderError, build_error
from inkan.crypto.validation.settings import Evidence, Reach, Require
from inkan.crypto.validation.verdict import Reason
from support.keyring import rsa_key
from support.paths import AT, DAY, HOUR, Entity, make_ocsp, responder, verdict

SECOND = timedelta(seconds=1)
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.25.9.9"), b"\x05\x00")
SIGNING = ExtendedKeyUsageOID.OCSP_SIGNING


@pytest.fixture(scope="module")
def root():
    return Entity("Root")


@pytest.fixture(scope="module")
def holder(root):
    return root.holder()


@pytest.fixture(scope="module")
def ask(root, holder):
    def ask(**bent):
        return verdict(holder, root, ocsps=[make_ocsp(holder, root, **bent)]).reason

    return ask


def test_by_the_issuer_itself(ask):
    assert ask() is Reason.OK
    assert ask(status="REVOKED") is Reason.REVOKED
    assert ask(status="UNKNOWN") is Reason.REVOCATION_UNKNOWN


@pytest.mark.parametrize("by_name", [False, True])
def test_by_an_appointed_responder(root, ask, by_name):
    assert ask(responder=responder(root), by_name=by_name) is Reason.OK
    assert ask(responder=responder(root), by_name=by_name, status="REVOKED") is Reason.REVOKED


def test_a_responder_that_bears_the_name_of_the_issuer(root, ask):
    assert ask(responder=responder(root, name=root.name), by_name=True) is Reason.OK


def test_by_rsa_and_with_other_digests():
    root = Entity("Root", key=rsa_key(1))
    holder = root.holder()
    for digest in (SHA256(), SHA384()):
        answer = make_ocsp(holder, root, named_by=digest, digest=digest)
        assert verdict(holder, root, ocsps=[answer]).reason is Reason.OK


@pytest.mark.parametrize(
    "bent",
    [
        {"eku": []},
        {"eku": [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]},
        {"bits": ("content_commitment",)},
        {"end": AT - SECOND},
        {"start": AT + SECOND},
        {"extra": [(x509.OCSPNoCheck(), False), (UNKNOWN, True)]},
    ],
)
def test_a_responder_that_was_not_appointed(root, ask, bent):
    assert ask(responder=responder(root, **bent)) is Reason.REVOCATION_UNKNOWN
    assert ask(responder=responder(root, **bent), status="REVOKED") is Reason.REVOCATION_UNKNOWN


def test_a_responder_of_another_authority(root, ask):
    stranger = responder(Entity("Root"))
    assert ask(responder=stranger) is Reason.REVOCATION_UNKNOWN
    below = responder(root.ca("Sub"))
    assert ask(responder=below) is Reason.REVOCATION_UNKNOWN


def test_a_responder_certified_by_the_same_key_under_another_name(root, ask):
    assert ask(responder=responder(Entity("Stranger", key=root.key))) is Reason.REVOCATION_UNKNOWN


@pytest.mark.parametrize("status", ["GOOD", "REVOKED"])
def test_an_answer_that_the_appointed_responder_did_not_sign(root, holder, status):
    good = make_ocsp(holder, root, responder=responder(root), status=status)
    signature = ocsp.load_der_ocsp_response(good).signature
    wrong = good.replace(signature, signature[:-1] + bytes([signature[-1] ^ 1]))
    assert verdict(holder, root, ocsps=[wrong]).reason is Reason.REVOCATION_UNKNOWN


def test_a_responder_without_exemption_needs_a_status_of_its_own(root, holder):
    signer = responder(root, extra=[])
    answer = make_ocsp(holder, root, responder=signer)
    require = Require(evidence=Evidence.ANY, reach=Reach.LEAF)

    def ask(*crls):
        return verdict(holder, root, ocsps=[answer], crls=crls, require=require).reason

    assert ask() is Reason.REVOCATION_UNKNOWN
    # A list that covers the responder covers the holder too; OCSP alone is what is asked here.
    only = Require(evidence=Evidence.OCSP)
    assert verdict(holder, root, ocsps=[answer], require=only).reason is Reason.REVOCATION_UNKNOWN
    assert ask(root.crl()) is Reason.OK
    revoking = make_ocsp(holder, root, responder=signer, status="REVOKED")
    for crl, reason in ((root.crl(), Reason.REVOKED), (root.crl(signer), Reason.OK)):
        told = verdict(holder, root, ocsps=[revoking], crls=[crl], require=require)
        assert told.reason is reason


def test_a_wrong_signature(root, holder):
    good = make_ocsp(holder, root)
    assert verdict(holder, root, ocsps=[good]).reason is Reason.OK
    wrong = good[:-1] + bytes([good[-1] ^ 1])
    assert verdict(holder, root, ocsps=[wrong]).reason is Reason.REVOCATION_UNKNOWN


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        (AT - HOUR, AT, Reason.OK),
        (AT - HOUR, AT - SECOND, Reason.REVOCATION_UNKNOWN),
        (AT, AT + DAY, Reason.OK),
        (AT + SECOND, AT + DAY, Reason.REVOCATION_UNKNOWN),
        (AT - HOUR, None, Reason.REVOCATION_UNKNOWN),
    ],
)
def test_terms(ask, start, end, reason):
    assert ask(start=start, end=end) is reason


def test_an_answer_about_another_certificate(root, holder):
    namesake, stranger = Entity("Root"), Entity("Stranger", key=root.key)
    for other, issuer in (
        (root.holder(), root),
        (namesake.holder(serial=holder.serial), namesake),
        (stranger.holder(serial=holder.serial), stranger),
    ):
        answer = make_ocsp(other, issuer, responder=root)
        assert verdict(holder, root, ocsps=[answer]).reason is Reason.REVOCATION_UNKNOWN


def test_nonces(root, holder):
    require = Require(evidence=Evidence.OCSP, nonce=b"n" * 32)
    for nonce, reason in (
        (b"n" * 32, Reason.OK),
        (b"m" * 32, Reason.REVOCATION_UNKNOWN),
        (None, Reason.REVOCATION_UNKNOWN),
    ):
        answer = make_ocsp(holder, root, nonce=nonce)
        assert verdict(holder, root, ocsps=[answer], require=require).reason is reason


def test_an_answer_that_cannot_be_read(root, holder):
    for der in (
        b"\x30\x00",
        build_error(ResponderError.TRY_LATER),
        make_ocsp(holder, root) + b"\x00",
    ):
        assert verdict(holder, root, ocsps=[der]).reason is Reason.EVIDENCE_MALFORMED
    critical = make_ocsp(holder, root, extra=[(UNKNOWN, True)])
    assert verdict(holder, root, ocsps=[critical]).reason is Reason.EVIDENCE_MALFORMED


def test_what_says_revoked_decides(root, holder):
    good, bad = make_ocsp(holder, root), make_ocsp(holder, root, status="REVOKED")
    assert verdict(holder, root, ocsps=[good, bad]).reason is Reason.REVOKED
    assert verdict(holder, root, ocsps=[bad], crls=[root.crl()]).reason is Reason.REVOKED
    assert verdict(holder, root, ocsps=[good], crls=[root.crl(holder)]).reason is Reason.REVOKED


def test_the_library_reads_our_specimens(root, holder):
    answer = ocsp.load_der_ocsp_response(make_ocsp(holder, root, responder=responder(root)))
    assert len(answer.certificates) == 1
