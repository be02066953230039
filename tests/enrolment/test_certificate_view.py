"""A certificate's fields for a wallet that has no parser, behind presence and in the reader's language."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from enrolment.hands import on_sqlite, refusal
from inkan.client import Phone
from inkan.client.phone_api import PhoneAPI
from inkan.crypto.workers.pool import WorkersBusy
from inkan.pki import RevocationReason
from inkan.wire.enrolment_request import KeyUse
from inkan.wire.shown import Language
from support.world import CLERK, PLATFORM, World


def path_of(phone: Phone, use: KeyUse = KeyUse.AUTH) -> str:
    return f"/phone/v1/certificates/{phone.certificates[use].id}"


async def read(phone: Phone, use: KeyUse = KeyUse.AUTH) -> dict[str, Any]:
    answer: dict[str, Any] = await phone._parts.api.get(path_of(phone, use), dict)
    return answer


async def test_the_fields_are_those_of_the_certificate(world: World) -> None:
    phone = await world.bind("chen")
    answer = await read(phone)
    shown, held = answer["shown"], phone.certificates[KeyUse.AUTH].der
    names = {line["term"]: line["value"] for line in shown["subject"]}
    assert "陳怡君" in names.values()
    assert shown["thumbprint_sha256"].replace(":", "").replace(" ", "").lower() == (
        hashlib.sha256(held).hexdigest()
    )
    assert shown["status"]["state"] == "valid"
    assert (shown["back_end"], shown["issuer_name"] != "") == ("A", True)
    assert shown["serial"].count(":") >= 7
    assert len(shown["key_usage"]) == 1
    assert (await read(phone, KeyUse.SIGN))["shown"]["key_usage"] != shown["key_usage"]
    assert shown["policies"]
    assert all(each["oid"] for each in shown["extensions"])
    assert (answer["not_before"], answer["not_after"]) <= (answer["not_after"], "9")


@on_sqlite
async def test_words_are_in_the_readers_language_and_values_are_not(world: World) -> None:
    phone = await world.bind("chen")
    own = phone._parts.api
    told = {}
    for lang in Language:
        api = PhoneAPI(
            PLATFORM,
            own._channel_key,
            lang=lang,
            ahead_s=0,
            transport=world.transport,
            clock=world.clock,
        )
        told[lang] = (await api.get(path_of(phone), dict))["shown"]
    for member in ("subject", "key_usage"):
        assert len({str(each[member]) for each in told.values()}) == len(Language), member
    assert len({each["serial"] for each in told.values()}) == 1


@on_sqlite
async def test_the_status_is_todays(world: World) -> None:
    phone, other = await world.bind("chen"), world.new_phone()
    await world.leap(timedelta(hours=25))
    await world.bind("chen", phone=other)
    pki = world.platform.pki
    await world.platform.db.transact(
        pki.revoke,
        phone.certificates[KeyUse.AUTH].id,
        reason=RevocationReason.SUPERSEDED,
        actor=CLERK,
    )
    # Read by the person's other phone.
    status = (await other._parts.api.get(path_of(phone), dict))["shown"]["status"]
    assert (status["state"], status["reason"]) == ("revoked", "superseded")
    assert status["since"] <= status["at"]


@on_sqlite
async def test_certificates_need_presence(world: World) -> None:
    phone = await world.bind("chen")
    await world.leap(timedelta(minutes=11))
    assert await refusal(phone._parts.api.get(path_of(phone), dict)) == "verification_stale"
    await phone.show_presence()
    assert (await read(phone))["id"]


@on_sqlite
async def test_the_bytes_are_given_out_when_nothing_can_be_read_out_of_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(_: bytes) -> None:
        raise WorkersBusy(retry_after_s=1)

    phone = await world.bind("chen")
    monkeypatch.setattr(world.platform.workers, "read_certificate", busy)
    answer = await read(phone)
    assert (answer["shown"], bool(answer["der"])) == (None, True)
