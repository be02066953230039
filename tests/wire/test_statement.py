"""The statement: what is fixed, what the phone adds, and that one byte more is another statement."""

import hashlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import base64url
from inkan.wire import forms
from inkan.wire.binding import StatementDoor
from inkan.wire.contents import DIGEST_CHARACTERS, ContentFormat, DigestAlgorithm
from inkan.wire.session import Kind
from inkan.wire.shown import Language, Template, text_sha256
from inkan.wire.statement import (
    STATEMENT_LIMIT,
    Draft,
    Shown,
    Statement,
    StatementMalformed,
    certificate_sha256,
    credential_sha256,
    difference,
    draft_bytes,
    parse_draft,
    parse_statement,
    statement_bytes,
    statement_challenge,
)
from wire import samples

NONCE = samples.fixed("phone nonce")
TEXT = samples.b64("text")


def test_the_members_are_those_of_the_design() -> None:
    assert set(Statement.__struct_fields__) == {
        *("v", "iss", "kind", "decision", "session", "system", "relying_party", "purpose"),
        *("shown", "claims", "challenge", "contents", "door", "return_origin", "cert_sha256"),
        *("cred_sha256", "server_nonce", "phone_nonce", "at"),
    }
    assert set(Statement.__struct_fields__) - set(Draft.__struct_fields__) == {"phone_nonce"}
    assert [*StatementDoor] == [
        *("qr", "push", "web_link", "app_link", "redirect/qr", "redirect/push", "redirect/open"),
    ]


def test_the_phone_adds_its_nonce_and_the_hash_of_what_it_showed() -> None:
    shown = text_sha256("what really stood there")
    built = parse_statement(statement_bytes(samples.draft(), phone_nonce=NONCE, text_sha256=shown))
    assert built.phone_nonce == base64url.encode(NONCE)
    assert built.shown.text_sha256 == shown
    assert difference(samples.draft(), built) == "shown"


def test_an_unchanged_draft_has_no_difference() -> None:
    draft = samples.draft()
    first = parse_statement(statement_bytes(draft, phone_nonce=NONCE, text_sha256=TEXT))
    other = parse_statement(statement_bytes(draft, phone_nonce=bytes(32), text_sha256=TEXT))
    assert first == samples.statement()
    assert difference(draft, first) is None
    assert difference(draft, other) is None
    assert first != other


CHANGES: dict[str, dict[str, Any]] = {
    "v": {"v": 2},
    "iss": {"iss": "https://other.example.gov.tw"},
    "kind": {"kind": Kind.APPROVE},
    "decision": {"decision": "refuse"},
    "session": {"session": "ses_other"},
    "system": {"system": "sys_other"},
    "relying_party": {
        "relying_party": msgspec.structs.replace(samples.TAX_OFFICE, domain="evil.tw")
    },
    "purpose": {"purpose": "payment"},
    "shown": {
        "shown": Shown(template=Template.IDENTIFY_V1, lang=Language.EN, text_sha256=TEXT),
    },
    "claims": {"claims": ("birthdate",)},
    "challenge": {"challenge": samples.b64("other")},
    "contents": {"contents": (samples.noted(),)},
    "door": {"door": StatementDoor.PUSH},
    "return_origin": {"return_origin": "https://tax.example.gov.tw"},
    "cert_sha256": {"cert_sha256": samples.b64("other")},
    "cred_sha256": {"cred_sha256": samples.b64("other")},
    "server_nonce": {"server_nonce": samples.b64("other")},
    "at": {"at": "2026-11-21T22:55:05Z"},
}


def test_every_member_has_a_change() -> None:
    assert set(CHANGES) == set(Draft.__struct_fields__)


@pytest.mark.parametrize("member", CHANGES)
def test_every_other_member_is_compared(member: str) -> None:
    changed = msgspec.structs.replace(samples.statement(), **CHANGES[member])
    assert difference(samples.draft(), changed) == member


@given(st.data())
def test_one_changed_byte_is_another_statement_or_none(data: st.DataObject) -> None:
    signed = statement_bytes(samples.draft(), phone_nonce=NONCE, text_sha256=TEXT)
    index = data.draw(st.integers(0, len(signed) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != signed[index]))
    changed = signed[:index] + bytes([byte]) + signed[index + 1 :]
    assert statement_challenge(changed) != statement_challenge(signed)
    try:
        parsed = parse_statement(changed)
    except forms.Malformed:
        return
    nonce_changed = parsed.phone_nonce != base64url.encode(NONCE)
    assert (difference(samples.draft(), parsed) is None) == nonce_changed


def test_the_challenge_carries_its_label() -> None:
    expected = hashlib.sha256(b"inkan-statement-v1" + b"\0" + b"bytes").digest()
    assert statement_challenge(b"bytes") == expected


def test_hashes_of_certificate_and_credential() -> None:
    assert certificate_sha256(b"der") == base64url.encode(hashlib.sha256(b"der").digest())
    assert credential_sha256(b"id", b"cose") == base64url.encode(hashlib.sha256(b"idcose").digest())


def test_a_draft_is_stored_and_read_back() -> None:
    draft = samples.draft(**samples.sign_members())
    assert parse_draft(draft_bytes(draft)) == draft


@pytest.mark.parametrize(
    ("kind", "contents", "admitted"),
    [
        (Kind.IDENTIFY, (), True),
        (Kind.IDENTIFY, (samples.noted(),), False),
        (Kind.APPROVE, (), True),
        (Kind.APPROVE, (samples.noted(),), True),
        (Kind.APPROVE, (samples.content(),), False),
        (Kind.SIGN, (), False),
        (Kind.SIGN, (samples.noted(),), True),
        (Kind.SIGN, (samples.content(), samples.noted(id="other")), True),
        (Kind.SIGN, (samples.content(), samples.content()), False),
        (Kind.SIGN, (samples.content(tbs_sha256=None),), False),
        (Kind.SIGN, (samples.noted(tbs_sha256=TEXT),), False),
        (Kind.SIGN, (samples.content(alg=DigestAlgorithm.SHA_384),), False),
        (Kind.SIGN, (samples.content(digest=samples.b64("d", 48)),), False),
    ],
)
def test_contents_fit_the_kind(kind: Kind, contents: tuple[Any, ...], admitted: bool) -> None:
    shown = Shown(template=Template(f"{kind}.v1"), lang=Language.EN, text_sha256=TEXT)
    draft = samples.draft(kind=kind, shown=shown, contents=contents)
    if admitted:
        assert parse_draft(draft_bytes(draft)) == draft
        return
    with pytest.raises(StatementMalformed) as refused:
        draft_bytes(draft)
    assert refused.value.public_facts["where"].startswith("/contents")


@pytest.mark.parametrize("alg", DigestAlgorithm)
def test_digests_are_as_long_as_their_algorithm(alg: DigestAlgorithm) -> None:
    size = hashlib.new(alg.replace("-", "")).digest_size
    digest = base64url.encode(bytes(size))
    assert len(digest) == DIGEST_CHARACTERS[alg]
    members = samples.sign_members() | {"contents": (samples.content(alg=alg, digest=digest),)}
    assert draft_bytes(samples.draft(**members))


def test_every_table_of_contents_is_total() -> None:
    assert set(DIGEST_CHARACTERS) == set(DigestAlgorithm)
    assert "raw" not in set(ContentFormat)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("template", Template)
def test_a_template_belongs_to_its_kind(kind: Kind, template: Template) -> None:
    shown = Shown(template=template, lang=Language.EN, text_sha256=TEXT)
    contents = (samples.content(),) if kind == Kind.SIGN else ()
    draft = samples.draft(kind=kind, shown=shown, contents=contents)
    if template.startswith(kind):
        assert draft_bytes(draft)
        return
    with pytest.raises(StatementMalformed) as refused:
        draft_bytes(draft)
    assert refused.value.public_facts["where"] == "/shown/template"


@pytest.mark.parametrize(
    "change",
    [
        {"relying_party": msgspec.structs.replace(samples.TAX_OFFICE, name="字" * 201)},
        {"purpose": "p" * 65},
        {"purpose": "log\u200bin"},
        {"purpose": "Login"},
        {"claims": tuple(f"claim_{n}" for n in range(33))},
        {"claims": ("name", "name")},
        {"challenge": samples.b64("short", 31)},
        {"challenge": samples.b64("long", 65)},
        {"session": "s" * 65},
        {"server_nonce": samples.b64("short", 31)},
        {"phone_nonce": samples.b64("short", 31)},
        {"phone_nonce": samples.b64("phone nonce") + "="},
        {"return_origin": "https://tax.example.gov.tw/path"},
        {"door": "redirect"},
        {"decision": "refuse"},
        {"kind": "authenticate"},
        {"shown": Shown(template="identify.v2", lang=Language.EN, text_sha256=TEXT)},  # type: ignore[arg-type]
        {"shown": Shown(template=Template.IDENTIFY_V1, lang="zh", text_sha256=TEXT)},  # type: ignore[arg-type]
    ],
    ids=str,
)
def test_values_outside_the_limits_are_refused(change: dict[str, Any]) -> None:
    data = msgspec.json.encode(samples.statement(**change), order="sorted")
    with pytest.raises(StatementMalformed):
        parse_statement(data)


@pytest.mark.parametrize("size", [32, 48, 64])
def test_challenges_of_relying_parties(size: int) -> None:
    assert draft_bytes(samples.draft(challenge=samples.b64("challenge", size)))


def test_the_largest_statement_that_the_members_admit_fits() -> None:
    wide = "\U0002000b" * 200  # four bytes of UTF-8 for each character
    contents = tuple(
        samples.content(
            id=f"{n:064d}", name=wide, alg=DigestAlgorithm.SHA_512, digest=samples.b64("d", 64)
        )
        for n in range(100)
    )
    members = samples.sign_members() | {
        "contents": contents,
        "claims": tuple(f"c{n:063d}" for n in range(32)),
        "iss": "https://" + ".".join(["a" * 60] * 4) + "/" + "b" * 47,
        "challenge": samples.b64("challenge", 64),
    }
    draft = samples.draft(**members)
    data = statement_bytes(draft, phone_nonce=NONCE, text_sha256=TEXT)
    assert 100_000 < len(data) <= STATEMENT_LIMIT
    with pytest.raises(StatementMalformed):
        draft_bytes(samples.draft(**members | {"contents": (*contents, samples.content())}))
