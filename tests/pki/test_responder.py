"""Questions beyond the usual one: nonces, several certificates, strangers, floods; answers and their signer's end."""

import asyncio
import base64
from datetime import timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import pytest
from asn1crypto import ocsp as asn1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from inkan.crypto.ocsp import CertificateStatus
from inkan.crypto.ocsp_response import parse_response
from inkan.crypto.workers.linters import lint_ocsp
from inkan.pki import store
from inkan.pki.service.responder import Responder
from pki.hands import ask, fetch, issue, on_sqlite, question, read, revoke, rows

ERRORS = ocsp.OCSPResponseStatus
pytestmark = on_sqlite


def get(der: bytes) -> str:
    return "/ocsp/card/" + quote(base64.b64encode(der).decode(), safe="")


def never_issued(world, issued, serial: int = 12345) -> bytes:
    asked = ocsp.load_der_ocsp_request(question(world, issued))
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        asked.issuer_name_hash, asked.issuer_key_hash, serial, asked.hash_algorithm
    )
    return builder.build().public_bytes(Encoding.DER)


def several(*questions: bytes) -> bytes:
    """One question that holds the certificates of all of them."""
    parts = [asn1.OCSPRequest.load(der) for der in questions]
    wanted = [part["tbs_request"]["request_list"][0].copy() for part in parts]
    parts[0]["tbs_request"]["request_list"] = wanted
    return parts[0].dump(force=True)


def error_of(answer) -> ERRORS:
    return ocsp.load_der_ocsp_response(answer.content).response_status


async def test_several_certificates_are_answered_live_each_by_its_standing(world):
    made = [await issue(world, n) for n in range(3)]
    await revoke(world, made[1])
    questions = [question(world, each) for each in made] + [never_issued(world, made[0])]
    answer = await fetch(world, "/ocsp/card", body=several(*questions))
    singles = list(ocsp.load_der_ocsp_response(answer.content).responses)
    assert [single.certificate_status.name for single in singles] == [
        "GOOD",
        "REVOKED",
        "GOOD",
        "UNKNOWN",
    ]
    assert [single.serial_number for single in singles[:3]] == [int(e.serial, 16) for e in made]
    assert not lint_ocsp(answer.content).errors
    assert await rows(world, store.ocsp) == []


async def test_one_stranger_among_several_certificates_spoils_the_question(world):
    issued = await issue(world, 1)
    phone = await issue(world, 2, profile="phone-auth")
    asked = several(question(world, issued), question(world, phone))
    assert error_of(await fetch(world, "/ocsp/card", body=asked)) is ERRORS.UNAUTHORIZED


async def test_nine_certificates_are_too_many(world):
    asked = question(world, await issue(world, 1))
    nine = several(*[asked] * 9)
    assert error_of(await fetch(world, "/ocsp/card", body=nine)) is ERRORS.MALFORMED_REQUEST
    eight = several(*[asked] * 8)
    assert error_of(await fetch(world, "/ocsp/card", body=eight)) is ERRORS.SUCCESSFUL


@pytest.mark.parametrize("live", ["nonce", "several", "unknown"])
async def test_live_answers_are_limited_and_stored_ones_are_not(world, live, monkeypatch):
    monkeypatch.setattr(world.clock, "monotonic", lambda: 1000.0)
    issued = await issue(world, 1)
    asked = {
        "nonce": question(world, issued, nonce=bytes(32)),
        "several": several(*[question(world, issued)] * 2),
        "unknown": never_issued(world, issued),
    }[live]
    heard = [error_of(await fetch(world, "/ocsp/card", body=asked)) for _ in range(602)]
    assert heard[:600] == [ERRORS.SUCCESSFUL] * 600
    assert heard[600:] == [ERRORS.TRY_LATER] * 2
    assert read(world, issued, await ask(world, issued))


async def test_what_may_not_be_kept_says_so(world):
    issued = await issue(world, 1)
    for der in (never_issued(world, issued), question(world, issued, nonce=bytes(32)), b"junk"):
        answer = await fetch(world, get(der))
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers
    status = parse_response((await fetch(world, get(never_issued(world, issued)))).content)
    assert status.certificate_status is ocsp.OCSPCertStatus.UNKNOWN


async def test_a_serial_that_is_only_reserved_is_unknown(world):
    issued = await issue(world, 1)
    from pki.hands import order

    await world.platform.db.transact(world.platform.pki.order, order(world, 7))
    (row,) = await rows(world, store.certificate, order_key="order:7")
    asked = never_issued(world, issued, int(row.serial, 16))
    answer = parse_response((await fetch(world, "/ocsp/card", body=asked)).content)
    assert answer.certificate_status is ocsp.OCSPCertStatus.UNKNOWN


async def test_dates_of_a_cacheable_answer_are_true_time(world):
    world.clock.advance(timedelta(days=30))
    issued = await issue(world, 1)
    answer = await fetch(world, get(question(world, issued)))
    modified = parsedate_to_datetime(answer.headers["last-modified"])
    assert modified <= world.clock.wire_now()
    assert parsedate_to_datetime(answer.headers["expires"]) > world.clock.wire_now()


@pytest.mark.race
async def test_many_who_ask_at_once_cost_one_signature(world, monkeypatch):
    issued = await issue(world, 1)
    signed = []
    sign = Responder._sign

    def counted(self, *args, **kwargs):
        signed.append(1)
        return sign(self, *args, **kwargs)

    monkeypatch.setattr(Responder, "_sign", counted)
    answers = await asyncio.gather(*(ask(world, issued) for _ in range(20)))
    assert len(set(answers)) == 1
    assert len(signed) == 1


async def test_no_answer_outlives_its_signer(world):
    issued = await issue(world, 1)
    signer = world.platform.pki.hierarchy.get("card-ocsp")
    world.clock.advance(signer.not_after - world.clock.now() - timedelta(minutes=10))
    answer = read(world, issued, await ask(world, issued)).answer
    assert answer.next_update == signer.not_after
    await world.platform.pki.renew_signers()
    world.clock.advance(timedelta(minutes=10))
    fresh = read(world, issued, await ask(world, issued)).answer
    assert fresh.next_update == fresh.this_update + timedelta(hours=1)
    assert fresh.status is CertificateStatus.GOOD
