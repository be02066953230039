"""Lists and answers: what the register says is what CRL and OCSP say, within their bounds."""

import asyncio
import base64
from collections import Counter
from datetime import timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.x509 import ocsp

from inkan.crypto.crl import verify_crl
from inkan.crypto.ocsp import CertificateStatus
from inkan.crypto.ocsp_response import parse_response
from inkan.pki import RevocationReason, store
from pki.hands import (
    ask,
    authority,
    fetch,
    issue,
    on_sqlite,
    question,
    read,
    reinstate,
    revoke,
    rows,
    suspend,
)


async def listed(world, name="card"):
    """Serial to reason of the list in force, after verifying it."""
    answer = await fetch(world, f"/crl/{name}.crl")
    assert answer.headers["content-type"] == "application/pkix-crl"
    assert answer.headers["cache-control"].endswith("max-age=60")
    verify_crl(answer.content, issuer=authority(world, name), at=world.clock.now())
    crl = x509.load_der_x509_crl(answer.content)
    entries = {}
    for each in crl:
        try:
            reason = each.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
        except x509.ExtensionNotFound:
            reason = None
        entries[each.serial_number] = reason
    return crl, entries


def number(crl):
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


async def test_a_list_follows_the_register(world):
    issued = await issue(world, 1)
    serial = int(issued.serial, 16)
    crl, entries = await listed(world)
    assert entries == {}
    await suspend(world, issued)
    held, entries = await listed(world)
    assert entries == {serial: "certificateHold"}
    await reinstate(world, issued)
    assert (await listed(world))[1] == {}
    await revoke(world, issued)
    last, entries = await listed(world)
    assert entries == {serial: "keyCompromise"}
    assert number(crl) < number(held) < number(last)
    assert await revoke(world, issued) is False
    assert await reinstate(world, issued) is False
    assert await suspend(world, issued) is False
    events = Counter(await world.events())
    assert events["pki.certificate_revoked"] == 1
    assert events["pki.certificate_suspended"] == 1


async def test_a_list_is_served_as_it_is_until_half_its_life(world):
    first, _ = await listed(world)
    world.clock.advance(timedelta(minutes=59))
    await world.platform.pki.refresh_lists()
    assert (await listed(world))[0] == first
    world.clock.advance(timedelta(minutes=1))
    second, _ = await listed(world)
    assert number(second) == number(first) + 1
    assert second.next_update_utc - second.last_update_utc == timedelta(hours=2)


async def test_the_schedule_signs_what_a_revocation_made_dirty(world):
    issued = await issue(world, 1)
    await listed(world)
    await revoke(world, issued)
    await world.instance.schedules.run_due()
    (row,) = await rows(world, store.crl, authority="card")
    assert row.dirty is False
    assert x509.load_der_x509_crl(bytes(row.der)).get_revoked_certificate_by_serial_number(
        int(issued.serial, 16)
    )


@pytest.mark.race
async def test_numbers_only_grow_under_parallel_changes(world):
    made = [await issue(world, n) for n in range(4)]

    async def change(issued):
        await revoke(world, issued)
        return number((await listed(world))[0])

    await asyncio.gather(*(change(each) for each in made))
    crl, entries = await listed(world)
    assert set(entries) == {int(each.serial, 16) for each in made}
    (row,) = await rows(world, store.crl, authority="card")
    assert row.number == number(crl)


async def test_a_crash_while_a_list_is_signed_loses_no_revocation(world, monkeypatch):
    class Died(BaseException):
        pass

    def dies(*args, **kwargs):
        raise Died

    issued = await issue(world, 1)
    before, _ = await listed(world)
    await revoke(world, issued)
    from inkan.pki.service import lists

    with monkeypatch.context() as patch:
        patch.setattr(lists, "encode_crl", dies)
        with pytest.raises(Died):
            await world.platform.pki.crl("card")
    after, entries = await listed(world)
    assert set(entries) == {int(issued.serial, 16)}
    assert number(after) > number(before)


@on_sqlite
async def test_the_roots_list_is_about_authorities(world):
    crl, entries = await listed(world, "root")
    scope = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint)
    assert scope.critical
    assert scope.value.only_contains_ca_certs
    assert entries == {}
    assert (crl.next_update_utc - crl.last_update_utc).days == 400


@on_sqlite
async def test_names_that_have_no_list(world):
    for path in ("/crl/nobody.crl", "/crl/receipt.crl", "/crl/card/1.crl", "/ca/nobody.cer"):
        assert (await fetch(world, path)).status_code == 404
    for path in ("/crl/card", "/crl/card/x.crl", "/crl/card/-1.crl", "/ca/card"):
        assert (await fetch(world, path)).status_code in {400, 404}


@on_sqlite
async def test_an_entry_stays_until_a_list_past_its_certificates_term(world):
    end = world.clock.now().replace(microsecond=0) + timedelta(days=10)
    issued = await issue(world, 1, not_after=end)
    await revoke(world, issued)
    world.clock.advance(timedelta(days=11))
    assert len((await listed(world))[1]) == 1
    world.clock.advance(timedelta(days=2))
    assert (await listed(world))[1] == {}


# --- OCSP ---------------------------------------------------------------------------------------------------


async def test_answers_follow_the_register_at_once(world):
    issued = await issue(world, 1)
    first = await ask(world, issued)
    assert read(world, issued, first).answer.status is CertificateStatus.GOOD
    assert await ask(world, issued) == first  # stored, byte for byte
    await suspend(world, issued)
    assert await rows(world, store.ocsp) == []  # dropped in the same transaction
    held = read(world, issued, await ask(world, issued)).answer
    assert held.revocation.reason is RevocationReason.CERTIFICATE_HOLD
    await reinstate(world, issued)
    assert read(world, issued, await ask(world, issued)).answer.status is CertificateStatus.GOOD
    await revoke(world, issued)
    ended = read(world, issued, await ask(world, issued)).answer
    assert ended.status is CertificateStatus.REVOKED
    assert ended.revocation.reason is RevocationReason.KEY_COMPROMISE


async def test_an_answer_is_signed_again_after_half_its_life(world):
    issued = await issue(world, 1)
    first = await ask(world, issued)
    world.clock.advance(timedelta(minutes=29))
    assert await ask(world, issued) == first
    world.clock.advance(timedelta(minutes=1))
    assert await ask(world, issued) != first
    world.clock.advance(timedelta(hours=2))
    await world.platform.pki.purge_answers()
    assert await rows(world, store.ocsp) == []


@on_sqlite
async def test_a_nonce_is_answered_live_and_never_stored(world):
    issued = await issue(world, 1)
    nonce = bytes(range(32))
    der = await ask(world, issued, nonce=nonce)
    assert read(world, issued, der, nonce=nonce)
    assert await ask(world, issued, nonce=nonce) != der
    assert await rows(world, store.ocsp) == []


@pytest.mark.race
async def test_an_answer_from_before_a_revocation_is_not_kept(world, monkeypatch):
    issued = await issue(world, 1)
    responder = world.platform.pki._responder
    asked = responder._ask

    async def late(*args):
        answer = await asked(*args)
        await revoke(world, issued)  # commits between the question and the stored answer
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(responder, "_ask", late)
        der = await ask(world, issued)
    # Whoever asked gets no answer that was overtaken either.
    assert read(world, issued, der).answer.status is CertificateStatus.REVOKED
    assert read(world, issued, await ask(world, issued)).answer.status is CertificateStatus.REVOKED


@on_sqlite
async def test_a_hold_from_before_a_revocation_is_not_kept(world, monkeypatch):
    issued = await issue(world, 1)
    await suspend(world, issued)
    responder = world.platform.pki._responder
    asked = responder._ask

    async def late(*args):
        answer = await asked(*args)
        world.clock.tick(5)
        await revoke(world, issued)
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(responder, "_ask", late)
        await ask(world, issued)
    reason = read(world, issued, await ask(world, issued)).answer.revocation.reason
    assert reason is RevocationReason.KEY_COMPROMISE


@on_sqlite
async def test_a_serial_that_was_never_issued_is_unknown_and_not_stored(world):
    from cryptography.hazmat.primitives.serialization import Encoding

    issued = await issue(world, 1)
    asked = ocsp.load_der_ocsp_request(question(world, issued))
    request = (
        ocsp.OCSPRequestBuilder()
        .add_certificate_by_hash(
            asked.issuer_name_hash, asked.issuer_key_hash, 12345, asked.hash_algorithm
        )
        .build()
        .public_bytes(Encoding.DER)
    )
    answer = await fetch(world, "/ocsp/card", body=request)
    assert parse_response(answer.content).certificate_status is ocsp.OCSPCertStatus.UNKNOWN
    assert await rows(world, store.ocsp) == []


ERRORS = ocsp.OCSPResponseStatus


@on_sqlite
async def test_failures_have_their_own_answers_and_never_a_problem(world):
    issued = await issue(world, 1)
    good = question(world, issued)
    table = [
        ("/ocsp/card", b"", ERRORS.MALFORMED_REQUEST),
        ("/ocsp/card", b"junk", ERRORS.MALFORMED_REQUEST),
        ("/ocsp/card", good[:-1], ERRORS.MALFORMED_REQUEST),
        ("/ocsp/card", good + b"\x00", ERRORS.MALFORMED_REQUEST),
        ("/ocsp/card", b"\x30" * 4000, ERRORS.MALFORMED_REQUEST),
        ("/ocsp/phone", good, ERRORS.UNAUTHORIZED),
        ("/ocsp/root", good, ERRORS.UNAUTHORIZED),
        ("/ocsp/receipt", good, ERRORS.UNAUTHORIZED),
        ("/ocsp/nobody", good, ERRORS.UNAUTHORIZED),
    ]
    for path, body, status in table:
        answer = await fetch(world, path, body=body)
        assert answer.status_code == 200, (path, body)
        assert answer.headers["content-type"] == "application/ocsp-response"
        assert ocsp.load_der_ocsp_response(answer.content).response_status is status, path


async def test_get_of_rfc_5019_with_its_cache_headers(world):
    issued = await issue(world, 1)
    request = question(world, issued)
    text = base64.b64encode(request).decode()
    posted = await ask(world, issued)
    for path in (quote(text, safe=""), quote(text, safe="/"), quote(text, safe="/+=")):
        answer = await fetch(world, f"/ocsp/card/{path}")
        assert answer.status_code == 200
        assert answer.content == posted
        assert "max-age=60" in answer.headers["cache-control"]
        assert answer.headers["etag"].startswith('"')
        modified = parsedate_to_datetime(answer.headers["last-modified"])
        assert modified == parse_response(posted).this_update_utc
        ends = parsedate_to_datetime(answer.headers["expires"])
        assert ends - world.clock.wire_now() == timedelta(seconds=60)
        again = await fetch(
            world, f"/ocsp/card/{path}", headers={"if-none-match": answer.headers["etag"]}
        )
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == answer.headers["etag"]
    junk = await fetch(world, "/ocsp/card/%25%25")
    status = ocsp.load_der_ocsp_response(junk.content).response_status
    assert status is ERRORS.MALFORMED_REQUEST
    assert "max-age" not in junk.headers.get("cache-control", "")


# --- three views ----------------------------------------------------------------------------------------------


async def test_register_list_and_answer_agree(world):
    made = [await issue(world, n) for n in range(3)]
    await revoke(world, made[0])
    await suspend(world, made[1])
    _, entries = await listed(world)
    for issued in made:
        status = await world.platform.pki.card_status("card", issued.serial)
        answer = read(world, issued, await ask(world, issued)).answer
        is_listed = int(issued.serial, 16) in entries
        is_good = status.state.value == "good"
        assert is_good == (answer.status is CertificateStatus.GOOD) == (not is_listed)
        if not is_good:
            reason = answer.revocation.reason
            assert reason == status.reason
            assert entries[int(issued.serial, 16)] == reason.value
