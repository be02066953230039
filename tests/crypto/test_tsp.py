"""Requests for time-stamps: what is read, every reason for which one is refused, and what each is called."""

import hashlib
import subprocess

import pytest
from asn1crypto import tsp as asn1
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import der_values as der
from inkan.crypto.tsp import (
    FAILURE_BITS,
    ImprintDigest,
    PKIFailure,
    TimeNotAvailable,
    TimestampDigestUnsupported,
    TimestampExtensionUnsupported,
    TimestampPolicyUnsupported,
    TimestampRequestMalformed,
    TimestampRequestTooLarge,
    TimestampRequestUnsupported,
    build_request,
    parse_request,
)
from inkan.crypto.tsp_response import FAILURES, failure_of, refused
from inkan.crypto.tsp_token import TimestampRefused, parse_reply
from inkan.kernel.errors import InkanError, Unavailable
from support.timestamping import IMPRINT, NONCE
from support.tools import require

SHA256 = der.sequence(der.object_identifier("2.16.840.1.101.3.4.2.1"))
POLICY = der.object_identifier("1.2.3")
TRUE, FALSE = der.tlv(der.BOOLEAN, b"\xff"), der.tlv(der.BOOLEAN, b"\0")
EXTENSION = der.sequence(der.object_identifier("1.2.3"), der.tlv(der.OCTET_STRING, b"\x05\0"))
CRITICAL = der.sequence(der.object_identifier("1.2.3"), TRUE, der.tlv(der.OCTET_STRING, b"\x05\0"))


def imprint(algorithm: bytes = SHA256, value: bytes = IMPRINT) -> bytes:
    return der.sequence(algorithm, der.tlv(der.OCTET_STRING, value))


def request(*members: bytes, version: int = 1, stamped: bytes | None = None) -> bytes:
    return der.sequence(der.integer(version), stamped or imprint(), *members)


@pytest.mark.parametrize("digest", ImprintDigest)
@pytest.mark.parametrize("nonce", [None, 0, 127, 128, NONCE, 2**159 - 1])
@pytest.mark.parametrize("cert_req", [True, False])
def test_a_request_says_what_was_asked(digest, nonce, cert_req):
    value = hashlib.new(digest, b"data").digest()
    data = build_request(value, digest=digest, nonce=nonce, cert_req=cert_req, policy="1.2.3")
    parsed = parse_request(data)
    assert (parsed.digest, parsed.imprint, parsed.cert_req) == (digest, value, cert_req)
    assert parsed.policy == POLICY
    assert parsed.nonce_der == (None if nonce is None else der.integer(nonce))
    other = asn1.TimeStampReq.load(data, strict=True)
    assert other["nonce"].native == nonce
    assert other["message_imprint"]["hashed_message"].native == value
    assert parsed.imprint_der == other["message_imprint"].dump()


def test_parameters_of_a_digest_may_be_null_and_are_repeated_so():
    spelt = imprint(der.sequence(der.object_identifier("2.16.840.1.101.3.4.2.1"), b"\x05\0"))
    assert parse_request(request(stamped=spelt)).imprint_der == spelt


@pytest.mark.pki
@pytest.mark.parametrize("options", [[], ["-cert"], ["-no_nonce"], ["-sha512", "-cert"]])
def test_openssl_asks_what_we_read(tmp_path, options):
    file = tmp_path / "data"
    file.write_bytes(b"data")
    command = [require("openssl"), "ts", "-query", "-data", file, *options]
    asked = subprocess.run(command, capture_output=True, check=True).stdout
    parsed = parse_request(asked)
    assert parsed.cert_req == ("-cert" in options)
    assert (parsed.nonce_der is None) == ("-no_nonce" in options)
    assert parsed.imprint == hashlib.new(parsed.digest, b"data").digest()


REFUSED = {
    "version 0": (request(version=0), TimestampRequestUnsupported),
    "version 2": (request(version=2), TimestampRequestUnsupported),
    "long nonce": (request(der.integer(2**160)), TimestampRequestUnsupported),
    "sha-1": (
        request(stamped=imprint(der.sequence(der.object_identifier("1.3.14.3.2.26")), bytes(20))),
        TimestampDigestUnsupported,
    ),
    "unknown digest": (
        request(stamped=imprint(der.sequence(POLICY))),
        TimestampDigestUnsupported,
    ),
    "short imprint": (request(stamped=imprint(value=bytes(31))), TimestampRequestMalformed),
    "long imprint": (request(stamped=imprint(value=bytes(33))), TimestampRequestMalformed),
    "empty imprint": (request(stamped=imprint(value=b"")), TimestampRequestMalformed),
    "odd parameters": (
        request(
            stamped=imprint(
                der.sequence(der.object_identifier("2.16.840.1.101.3.4.2.1"), der.integer(1))
            )
        ),
        TimestampRequestMalformed,
    ),
    "extension": (request(der.tlv(der.CONTEXT_0, EXTENSION)), TimestampExtensionUnsupported),
    "critical": (request(der.tlv(der.CONTEXT_0, CRITICAL)), TimestampExtensionUnsupported),
    "default written out": (request(FALSE), TimestampRequestMalformed),
    "order": (request(TRUE, der.integer(1)), TimestampRequestMalformed),
    "more": (request(TRUE, TRUE), TimestampRequestMalformed),
    "after it": (request() + b"\0", TimestampRequestMalformed),
    "truncated": (request()[:-1], TimestampRequestMalformed),
    "nothing": (b"", TimestampRequestMalformed),
    "empty": (b"\x30\0", TimestampRequestMalformed),
    "indefinite": (b"\x30\x80" + request()[2:] + b"\0\0", TimestampRequestMalformed),
    "deep": (request(der.tlv(0xA0, *[b""], *[b"\xa0\0"])), TimestampExtensionUnsupported),
    "too deep": (
        request(
            der.tlv(0xA0, der.tlv(0xA0, der.tlv(0xA0, der.tlv(0xA0, der.tlv(0xA0, b"\xa0\0")))))
        ),
        TimestampRequestMalformed,
    ),
    "many": (request(der.tlv(0xA0, *[b"\x05\0"] * 80)), TimestampRequestMalformed),
    "large": (bytes(1025), TimestampRequestTooLarge),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_request_of_ours_is_refused_by_its_name(name):
    data, refusal = REFUSED[name]
    with pytest.raises(refusal):
        parse_request(data)


@given(st.binary(max_size=200))
def test_only_refusals_come_out_of_random_requests(raw):
    with pytest.raises(InkanError):
        parse_request(raw)


@given(st.data())
def test_only_refusals_come_out_of_a_bent_request(data):
    good = bytearray(request(POLICY, der.integer(NONCE), TRUE))
    for _ in range(data.draw(st.integers(1, 3))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        parsed = parse_request(bytes(good))
    except InkanError:
        return
    assert len(parsed.imprint) == parsed.digest.size


# --- refusals ----------------------------------------------------------------------------------------

NAMES = {
    TimestampRequestTooLarge: PKIFailure.BAD_REQUEST,
    TimestampRequestMalformed: PKIFailure.BAD_DATA_FORMAT,
    TimestampRequestUnsupported: PKIFailure.BAD_REQUEST,
    TimestampDigestUnsupported: PKIFailure.BAD_ALG,
    TimestampPolicyUnsupported: PKIFailure.UNACCEPTED_POLICY,
    TimestampExtensionUnsupported: PKIFailure.UNACCEPTED_EXTENSION,
    TimeNotAvailable: PKIFailure.TIME_NOT_AVAILABLE,
    Unavailable: PKIFailure.SYSTEM_FAILURE,
    InkanError: PKIFailure.SYSTEM_FAILURE,
}
# RFC 3161 §2.4.2, with the names of asn1crypto.
BITS = {
    PKIFailure.BAD_ALG: "bad_alg",
    PKIFailure.BAD_REQUEST: "bad_request",
    PKIFailure.BAD_DATA_FORMAT: "bad_data_format",
    PKIFailure.TIME_NOT_AVAILABLE: "time_not_available",
    PKIFailure.UNACCEPTED_POLICY: "unaccepted_policy",
    PKIFailure.UNACCEPTED_EXTENSION: "unaccepted_extensions",
    PKIFailure.ADD_INFO_NOT_AVAILABLE: "add_info_not_available",
    PKIFailure.SYSTEM_FAILURE: "system_failure",
}


def test_every_refusal_has_its_name_in_the_protocol():
    assert {kind: failure_of(kind()) for kind in NAMES} == NAMES
    assert set(FAILURES) < set(NAMES)


@pytest.mark.parametrize("failure", PKIFailure)
def test_a_refusal_is_understood_by_others(failure):
    reply = refused(failure)
    # asn1crypto knows no reply without a token, but knows the status within it.
    status = asn1.PKIStatusInfo.load(
        der.Members(reply).enter(der.SEQUENCE).take_whole(der.SEQUENCE)
    )
    assert status["status"].native == "rejection"
    assert status["fail_info"].native == {BITS[failure]}
    assert status["status_string"].native == [failure.value]
    assert failure in FAILURE_BITS
    with pytest.raises(TimestampRefused) as caught:
        parse_reply(reply)
    assert caught.value.public_facts == {"failure": str(failure)}
