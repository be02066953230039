"""The town hall's tables and small rules: who a certificate speaks of, where status is asked, every text translated."""

import re
from datetime import UTC, date, datetime

import pytest
from asn1crypto import core
from hypothesis import given
from hypothesis import strategies as st

from inkan.apps.showcase.town_hall.application import HERE
from inkan.apps.showcase.town_hall.checks import Cause, _refusal
from inkan.apps.showcase.town_hall.forms import FORMS, Fault, Kind, PersonFact, read
from inkan.apps.showcase.town_hall.holder import _directory, find_mismatch, read_holder
from inkan.apps.showcase.town_hall.pages import INPUTS
from inkan.apps.showcase.town_hall.refusals import (
    AGENT_TEXTS,
    CARD_CODES,
    FACTS,
    FAULTS,
    REFUSALS,
    WORDS,
)
from inkan.apps.showcase.town_hall.status import StatusSource
from inkan.client.exchange import Answer, PlatformUnreachable
from inkan.crypto import der_writer as der
from inkan.crypto.certificates import CertificateMalformed, parse_certificate
from inkan.crypto.validation.verdict import Reason, Verdict
from inkan.web.languages import Language
from inkan.web.templates import Templates
from inkan.wire.card_request import FormField, SubmissionContent
from support.pki import Hierarchy

COPY = FORMS["resident_record_copy"]
NAME, BORN, ADDRESS = PersonFact.NAME, PersonFact.BIRTH_DATE, PersonFact.ADDRESS
HOLDER = {NAME: "陳怡君", BORN: "1988-03-14", ADDRESS: "臺北市信義區市府路1號"}


def content(**values: str) -> SubmissionContent:
    typed = {
        "name": "陳怡君",
        "birth_date": "1988-03-14",
        "address": "臺北市信義區市府路1號",
        "copies": "1",
        "use": "x",
    }
    fields, faults = read(COPY, typed | values, lambda msgid: msgid)
    assert faults == {}
    return SubmissionContent(
        aud="https://hall.example",
        origin="https://hall.example",
        nonce="A" * 43,
        form=COPY.code,
        title="x",
        fields=fields,
        at="2026-11-22T00:00:00Z",
    )


# --- the person ---


@pytest.mark.parametrize(
    ("values", "holder", "differs"),
    [
        ({}, HOLDER, None),
        ({"name": "陳 怡君"}, HOLDER, None),
        ({"address": "臺北市信義區市府路１號"}, HOLDER, None),
        ({}, {NAME: "陳怡君"}, None),
        ({"name": "林志明"}, HOLDER, NAME),
        ({}, {}, NAME),
        ({}, {NAME: ""}, NAME),
        ({"birth_date": "1988-03-15"}, HOLDER, BORN),
        ({"address": "臺北市信義區市府路2號"}, HOLDER, ADDRESS),
    ],
)
def test_form_and_certificate_speak_of_one_person(values, holder, differs) -> None:
    found = find_mismatch(COPY, content(**values), holder)
    assert (found.fact if found else None) == differs


def test_a_form_without_the_name_is_nobodys() -> None:
    bare = content()
    fields = tuple(FormField(name=f.name + "_x", label="x", value=f.value) for f in bare.fields)
    other = SubmissionContent(**{f: getattr(bare, f) for f in ("aud", "origin", "nonce", "form", "title", "at")}, fields=fields)  # fmt: skip
    assert find_mismatch(COPY, other, HOLDER) is not None


def attribute(kind: str, value: bytes) -> bytes:
    return der.value(0x30, core.ObjectIdentifier(kind).dump(), der.value(0x31, value))


def test_birth_date_and_address_are_read_from_the_certificate() -> None:
    born = core.GeneralizedTime("19880314120000Z").dump()
    lines = der.value(0x30, core.UTF8String("臺北市").dump(), core.UTF8String("信義區").dump())
    extension = der.value(
        0x30,
        attribute("1.3.6.1.5.5.7.9.1", born),
        attribute("1.3.6.1.5.5.7.9.3", core.PrintableString("F").dump()),
        attribute("2.5.4.16", lines),
    )
    assert _directory(extension) == {BORN: "1988-03-14", ADDRESS: "臺北市 信義區"}


def test_a_certificate_without_them_states_the_name() -> None:
    leaf = parse_certificate(Hierarchy().issuing.issue("陳怡君").der)
    assert read_holder(leaf) == {NAME: "陳怡君"}


@given(st.binary(max_size=60))
def test_what_cannot_be_read_is_no_missing_fact(data: bytes) -> None:
    class Bent:
        common_name = "陳怡君"

        def find_extension(self, oid: str) -> bytes:
            return data

    try:
        stated = read_holder(Bent())
    except CertificateMalformed:
        return
    assert stated[NAME] == "陳怡君"
    assert set(stated) <= set(PersonFact)


@pytest.mark.parametrize(
    ("reason", "about", "cause"),
    [
        (Reason.REVOKED, "own", Cause.WITHDRAWN),
        (Reason.REVOKED, "authority", Cause.FOREIGN),
        (Reason.EXPIRED, "own", Cause.EXPIRED),
        (Reason.EXPIRED, "authority", Cause.FOREIGN),
        (Reason.NOT_YET_VALID, "authority", Cause.FOREIGN),
        (Reason.POLICY, "own", Cause.FOREIGN),
        (Reason.TOO_COMPLEX, "own", Cause.UNKNOWN),
    ],
)
def test_an_authority_that_ended_is_not_the_persons_fault(reason, about, cause) -> None:
    signer = parse_certificate(Hierarchy().leaf.der)
    thumbprint = signer.sha256.hex() if about == "own" else "0" * 64
    at = datetime(2026, 1, 1, tzinfo=UTC)
    facts = {"certificate": thumbprint, "revoked_at": at, "ended_at": at, "begins_at": at}
    refused = _refusal(Verdict(reason=reason, facts=facts), signer)
    assert refused.cause is cause
    assert refused.facts == ({"at": at} if cause in {Cause.WITHDRAWN, Cause.EXPIRED} else {})


# --- status ---


class Answering:
    """A transport that notes where it was sent."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def send(self, request):
        self.asked.append(request.url)
        if "down" in request.url:
            raise PlatformUnreachable
        return Answer(status=404 if "gone" in request.url else 200, headers={}, body=b"list")


class Pointed:
    """A certificate as far as addresses go."""

    subject, issuer = "the subject", "another"
    ocsp_urls = ()

    def __init__(self, *urls: str) -> None:
        self.crl_urls = urls


async def test_only_admitted_addresses_are_asked_and_each_once() -> None:
    transport = Answering()
    source = StatusSource(transport, origins={"https://id.example"})
    signer = Pointed(
        "https://id.example/a.crl",
        "https://id.example.evil/a.crl",
        "http://id.example/a.crl",
        "https://id.example@evil.example/",
        "https://[bad/",
        "file:///etc/passwd",
        "https://id.example/down.crl",
        "https://id.example/gone.crl",
    )
    evidence = await source.gather(signer, [Pointed("https://id.example/a.crl")])
    assert transport.asked == [f"https://id.example/{x}.crl" for x in ("a", "down", "gone")]
    assert evidence.crls == (b"list",)


# --- tables ---


def test_tables_are_whole() -> None:
    assert (set(REFUSALS), set(FAULTS), set(FACTS)) == (set(Cause), set(Fault), set(PersonFact))
    assert set(INPUTS) == set(Kind)
    assert not set(AGENT_TEXTS) & set(CARD_CODES)
    for form in FORMS.values():
        assert [item.of for item in form.items].count(NAME) == 1
        assert len({item.name for item in form.items}) == len(form.items)
    assert date.fromisoformat(HOLDER[BORN])


def test_every_text_is_translated_and_none_is_left_over() -> None:
    pages = "".join(each.read_text("utf-8") for each in (HERE / "templates").glob("*.html"))
    asked = set(re.findall(r'_\("([^"]+)"', pages)) | WORDS | {"Forms", "Filed forms"}
    for form in FORMS.values():
        asked |= {form.title, form.lead}
        asked |= {text for item in form.items for text in (item.label, item.hint) if text}
    templates = Templates({"town_hall": HERE})
    for language in (Language.JA, Language.ZH_HANT):
        known = templates.languages.translations[language]
        assert sorted(text for text in asked if text not in known) == []
    for catalogue in (HERE / "locale").rglob("*.po"):
        found = re.findall(r'^msgid "(.+)"$', catalogue.read_text("utf-8"), re.MULTILINE)
        assert sorted(set(found) - asked) == []
