"""The town hall before a platform in this process: what is taken, and every way in which a form is not."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from asn1crypto import cms as asn1_cms
from asn1crypto import x509 as asn1_x509

from apps.town_hall_hands import CHEN, COPY, HALL, OWN, Browser, Town, sign, town_on
from inkan.apps.showcase.town_hall.filing import DRAFT_LIFE
from inkan.crypto import base64url, cms, oids
from inkan.crypto.path import RevocationReason
from inkan.store.connect import is_sqlite
from inkan.store.database import Database
from inkan.wire.card_request import content_bytes, parse_submission
from support.clock import StandingClock
from support.pki import Hierarchy
from support.world import CLERK

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
XSS = '"><script>alert(1)</script>'
MY_NUMBER = "123456789018"


@pytest.fixture
def hall_url(database_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables, of the kind that the platform has."""
    if is_sqlite(database_url):
        yield f"sqlite:///{tmp_path}/hall.db"
        return
    databases = request.getfixturevalue("postgresql_databases")
    name = databases.create(template="template0")
    yield databases.cluster.url(name)
    databases.drop(name)


@pytest.fixture
async def town(
    database: Database, hall_url: str, clock: StandingClock, tmp_path: Path
) -> AsyncIterator[Town]:
    async with town_on(database, hall_url, clock, tmp_path) as made:
        yield made


# --- taken ---


@pytest.mark.req("JPKI-34", "JPKI-03", "JPKI-40", "JPKI-02")
async def test_a_form_is_filled_signed_sent_and_filed(town: Town) -> None:
    draft = await town.browser.fill()
    signed = await town.signed(draft)
    reply = await town.browser.send(draft, signed)
    assert reply.status == 303, reply.text
    place = reply.header("location") or ""
    text = await town.browser.page(place)
    for said in ("Your form is filed", "陳怡君", "銀行開戶", "Inkan Test Government Root CA"):
        assert said in text, said
    assert place.removeprefix("/filed/") in await town.browser.page("/filed")
    receipt = await town.browser.get(f"{place}/receipt", headers=OWN)
    members = json.loads(receipt.body)
    certificate = (await town.world.citizen()).certificate.der
    assert members["submission_sha256"] == sha256(signed).hexdigest()
    assert members["certificate_sha256"] == sha256(certificate).hexdigest()
    assert sha256(receipt.body).hexdigest() in text
    assert (await town.browser.get(f"{place}/submission", headers=OWN)).body == signed


@on_sqlite
async def test_the_form_is_signed_in_the_words_in_which_it_was_read(town: Town) -> None:
    town.browser.cookies["__Host-inkan-language"] = "ja"
    content = parse_submission(await town.browser.shown(await town.browser.fill()))
    assert (content.title, content.fields[0].label) == ("住民票の写しの交付申請", "氏名")
    assert (content.aud, content.origin, content.form) == (HALL, HALL, COPY)


@pytest.mark.req("JPKI-34")
async def test_a_nonce_is_used_once(town: Town) -> None:
    draft = await town.browser.fill()
    signed = await town.signed(draft)
    first = await town.browser.send(draft, signed)
    again = await town.browser.send(draft, signed)
    assert (first.status, again.status) == (303, 303)
    assert first.header("location") == again.header("location"), (
        "the same message, the same receipt"
    )
    other = await town.browser.send(draft, with_another(signed))
    assert other.status == 410
    assert "already used" in other.text
    assert (await town.browser.page("/filed")).count('href="/filed/2') == 1
    elsewhere = await town.browser.fill()
    assert (await town.browser.send(elsewhere, signed)).status == 403, "another form's signature"


def with_another(signed: bytes) -> bytes:
    """The same signature in another message: one more certificate came along."""
    info = asn1_cms.ContentInfo.load(signed)
    more = asn1_x509.Certificate.load(Hierarchy().root.der)
    info["content"]["certificates"].append(asn1_cms.CertificateChoices("certificate", more))
    return bytes(info.dump(force=True))


async def test_many_sends_at_once_file_one_form(town: Town) -> None:
    draft = await town.browser.fill()
    signed = [await town.signed(draft)]
    while len(signed) < 4:
        signed.append(with_another(signed[-1]))
    replies = await asyncio.gather(*(town.browser.send(draft, each) for each in signed))
    assert sorted(reply.status for reply in replies) == [303, 410, 410, 410]


# --- not taken ---


@on_sqlite
@pytest.mark.req("JPKI-01", "HCA-46")
async def test_changed_after_signing(town: Town) -> None:
    draft = await town.browser.fill()
    signed = await town.signed(draft)
    bent = signed.replace("銀行開戶".encode(), "銀行貸款".encode())
    assert bent != signed
    reply = await town.browser.send(draft, bent)
    assert reply.status == 403
    assert "The form was changed after it was signed" in reply.text


@on_sqlite
@pytest.mark.req("JPKI-01", "HCA-46")
async def test_a_page_that_has_something_else_signed_than_was_shown(town: Town) -> None:
    draft = await town.browser.fill()
    shown = parse_submission(await town.browser.shown(draft))
    card = (await town.world.citizen()).card
    fields = [
        msgspec.structs.replace(each, value="9") if each.name == "copies" else each
        for each in shown.fields
    ]
    for change in (
        {"fields": tuple(fields)},
        {"title": "Something else"},
        {"origin": "https://evil.example"},
        {"nonce": base64url.encode(bytes(32))},
    ):
        content = content_bytes(msgspec.structs.replace(shown, **change))
        reply = await town.browser.send(draft, sign(card, content))
        assert reply.status == 403
        assert "changed after it was signed" in reply.text
    assert "filed nothing" in await town.browser.page("/filed")


@on_sqlite
@pytest.mark.req("JPKI-35", "JPKI-02")
async def test_a_withdrawn_certificate(town: Town) -> None:
    draft = await town.browser.fill()
    signed = await town.signed(draft)
    platform = town.world.platform
    await platform.db.transact(
        platform.pki.revoke,
        (await town.world.citizen()).certificate.id,
        reason=RevocationReason.AFFILIATION_CHANGED,
        actor=CLERK,
    )
    await town.world.instance.catch_up()
    reply = await town.browser.send(draft, signed)
    assert reply.status == 403
    assert "The certificate has been withdrawn" in reply.text
    assert "Since" in reply.text
    assert "filed nothing" in await town.browser.page("/filed")


@on_sqlite
@pytest.mark.req("JPKI-35")
async def test_an_expired_certificate(town: Town) -> None:
    await town.world.citizen(years=1)
    await town.world.leap(timedelta(days=367))
    draft = await town.browser.fill()
    reply = await town.browser.send(draft, await town.signed(draft))
    assert reply.status == 403
    assert "The certificate has expired" in reply.text


@on_sqlite
async def test_a_form_that_waited_too_long(town: Town) -> None:
    draft = await town.browser.fill()
    signed = await town.signed(draft)
    town.world.clock.advance(DRAFT_LIFE + timedelta(seconds=1))
    reply = await town.browser.send(draft, signed)
    assert reply.status == 410
    await town.browser.fill()
    assert (await town.browser.get(draft, headers=OWN)).status == 404


@on_sqlite
@pytest.mark.req("JPKI-01", "HCA-46", "JPKI-02")
async def test_the_wrong_person(town: Town) -> None:
    draft = await town.browser.fill()
    reply = await town.browser.send(draft, await town.signed(draft, key="lin"))
    assert reply.status == 403
    text = await town.said(reply)
    assert "The card belongs to somebody else" in text
    assert "陳怡君" in text
    assert "林志明" in text


def by_stranger(
    content: bytes, *, usage: str = "content_commitment", name: str = "陳怡君"
) -> bytes:
    """The form signed under a root that nobody here knows."""
    hierarchy = Hierarchy()
    leaf = hierarchy.issuing.issue(name, usage=[usage])
    return cms.build_signed_data(
        content,
        content_type=oids.CONTENT_SUBMISSION,
        chain=[leaf.der, hierarchy.issuing.der],
        algorithm=cms.algorithm_of(leaf.key),
        sign=cms.key_signer(leaf.key),
    )


@on_sqlite
@pytest.mark.req("JPKI-40")
async def test_a_foreign_path(town: Town) -> None:
    draft = await town.browser.fill()
    reply = await town.browser.send(draft, by_stranger(await town.browser.shown(draft)))
    assert reply.status == 403
    assert "not one that this town hall accepts" in reply.text


@on_sqlite
async def test_the_authentication_certificate_signs_no_form(town: Town) -> None:
    draft = await town.browser.fill()
    signed = by_stranger(await town.browser.shown(draft), usage="digital_signature")
    reply = await town.browser.send(draft, signed)
    assert reply.status == 403
    assert "The wrong key of the card was used" in reply.text


@on_sqlite
@pytest.mark.req("JPKI-40")
@pytest.mark.parametrize("missing", [0, 1])
async def test_without_the_bridge_no_card_is_accepted(
    database: Database, hall_url: str, clock: StandingClock, tmp_path: Path, missing: int
) -> None:
    async with town_on(database, hall_url, clock, tmp_path, without=missing) as town:
        draft = await town.browser.fill()
        reply = await town.browser.send(draft, await town.signed(draft))
        assert reply.status == 403
        assert "not one that this town hall accepts" in reply.text


@on_sqlite
@pytest.mark.req("JPKI-35")
async def test_where_status_cannot_be_had_nothing_is_decided(
    database: Database, hall_url: str, clock: StandingClock, tmp_path: Path
) -> None:
    async with town_on(database, hall_url, clock, tmp_path, origins=frozenset()) as town:
        draft = await town.browser.fill()
        reply = await town.browser.send(draft, await town.signed(draft))
        assert reply.status == 503
        assert "cannot be checked at the moment" in reply.text


@on_sqlite
async def test_a_signature_of_another_kind(town: Town) -> None:
    draft = await town.browser.fill()
    shown, hierarchy = await town.browser.shown(draft), Hierarchy()
    signed = cms.build_signed_data(
        shown,
        content_type=oids.CONTENT_BIND,
        chain=[hierarchy.leaf.der],
        algorithm=cms.algorithm_of(hierarchy.leaf.key),
        sign=cms.key_signer(hierarchy.leaf.key),
    )
    reply = await town.browser.send(draft, signed)
    assert reply.status == 403
    assert "for something else" in reply.text


@on_sqlite
@pytest.mark.parametrize("sent", ["", "=", "AAAA", "x" * 5, XSS])
async def test_what_is_no_signature(town: Town, sent: str) -> None:
    draft = await town.browser.fill()
    reply = await town.browser.send(draft, sent)
    assert reply.status == 400
    assert "The signature cannot be read" in reply.text
    assert "<script>alert" not in reply.text


@on_sqlite
async def test_more_than_a_signed_form_is_not_read(town: Town) -> None:
    draft = await town.browser.fill()
    assert (await town.browser.send(draft, "A" * 90_000)).status == 413


# --- whose it is ---


@on_sqlite
async def test_another_browser_sees_neither_draft_nor_receipt(town: Town) -> None:
    draft = await town.browser.fill()
    signed = await town.signed(draft)
    other = Browser(town.browser.application, HALL)
    assert (await other.get(draft, headers=OWN)).status == 404
    assert (await other.send(draft, signed)).status == 404
    await other.fill()
    assert (await other.send(draft, signed)).status == 404
    place = (await town.browser.send(draft, signed)).header("location") or ""
    for path in (place, f"{place}/receipt", f"{place}/submission"):
        assert (await other.get(path, headers=OWN)).status == 404
    assert "filed nothing" in await other.page("/filed")


@on_sqlite
async def test_a_form_is_corrected_from_its_draft(town: Town) -> None:
    draft = await town.browser.fill()
    text = await town.browser.page(f"/forms/{COPY}?from={draft.removeprefix('/drafts/')}")
    assert 'value="銀行開戶"' in text
    other = Browser(town.browser.application, HALL)
    assert "銀行開戶" not in await other.page(
        f"/forms/{COPY}?from={draft.removeprefix('/drafts/')}"
    )


# --- what is typed ---


@on_sqlite
@pytest.mark.parametrize(
    ("item", "typed", "said"),
    [
        ("name", "", "Fill this in."),
        ("name", "   ", "Fill this in."),
        ("name", "陳\u202e怡君", "This cannot be read."),
        ("name", "x" * 201, "This cannot be read."),
        ("birth_date", "1988-02-30", "This cannot be read."),
        ("birth_date", "14.3.1988", "This cannot be read."),
        ("copies", "0", "This cannot be read."),
        ("copies", "11", "This cannot be read."),
        ("copies", "二", "This cannot be read."),
    ],
)
async def test_what_is_wrong_is_said_at_its_item(
    town: Town, item: str, typed: str, said: str
) -> None:
    path = f"/forms/{COPY}"
    reply = await town.browser.send_form(path, path, **CHEN | {item: typed})
    assert reply.status == 400
    assert said in reply.text


@on_sqlite
@pytest.mark.req("WAT-62")
@pytest.mark.parametrize("item", CHEN)
@pytest.mark.parametrize("form", ["{}", "x {} x", "１２３４５６７８９０１８"])
async def test_a_my_number_is_refused_at_every_item(town: Town, item: str, form: str) -> None:
    path, typed = f"/forms/{COPY}", form.format(MY_NUMBER)
    reply = await town.browser.send_form(path, path, **CHEN | {item: typed})
    assert reply.status == 400
    assert "looks like a My Number" in reply.text
    assert MY_NUMBER not in reply.text
    assert typed not in reply.text


@on_sqlite
async def test_what_was_typed_is_text(town: Town) -> None:
    draft = await town.browser.fill(**CHEN | {"use": XSS})
    raw = (await town.browser.get(draft, headers=OWN)).text
    assert "<script>alert" not in raw


@on_sqlite
async def test_unknown_forms_and_drafts(town: Town) -> None:
    for path in ("/forms/x", "/drafts/x", "/drafts/drf_" + "a" * 26, "/filed/x"):
        assert (await town.browser.get(path, headers=OWN)).status == 404


@on_sqlite
async def test_one_address_sends_a_bounded_number_of_forms(town: Town) -> None:
    """Each is verified and asks other sites for lists: nobody keeps the hall busy for everybody."""
    replies = [(await town.browser.get("/", headers=OWN)).status for _ in range(125)]
    assert replies[0] == 200
    assert replies[-1] == 429
