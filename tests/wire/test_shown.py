"""The text on the approve screen: total, deterministic, honest, and no room for lines of one's own."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import base64url
from inkan.kernel.errors import InkanError
from inkan.wire.binding import StatementDoor
from inkan.wire.claims import Claim
from inkan.wire.forms import UnsafeText
from inkan.wire.session import Kind
from inkan.wire.shown import (
    LABELS,
    STARTED,
    TEMPLATE_KIND,
    WORDINGS,
    Labels,
    Language,
    ShownImpossible,
    Template,
    fingerprint,
    render,
    text_sha256,
)
from wire import samples

ARGUMENTS: dict[str, Any] = {
    "relying_party": "財政部國稅局",
    "domain": "tax.example.gov.tw",
    "purpose_text": "登入報稅系統",
    "door": StatementDoor.QR,
}


def text_of(template: Template, lang: Language = Language.EN, **changes: Any) -> str:
    signs = TEMPLATE_KIND[template] == Kind.SIGN
    fitting = {"contents": (samples.content(),) if signs else (), "full_evidence": signs}
    return render(template, lang, **ARGUMENTS | fitting | changes)


def test_every_table_is_total() -> None:
    assert set(TEMPLATE_KIND) == set(WORDINGS) == set(Template)
    assert set(TEMPLATE_KIND.values()) == set(Kind)
    assert set(LABELS) == set(Language)
    assert set(STARTED) == set(StatementDoor)
    for table in (*WORDINGS.values(), *STARTED.values()):
        assert set(table) == set(Language)


@pytest.mark.parametrize("lang", Language)
def test_no_text_is_empty_and_none_is_said_twice(lang: Language) -> None:
    labels = LABELS[lang]
    assert all(labels)
    names = [getattr(labels, name) for name in Labels._fields if name not in {"colon", "separator"}]
    assert len(set(names)) == len(names)
    started = [STARTED[door][lang] for door in StatementDoor]
    assert len(set(started)) == len(started)
    for template, table in WORDINGS.items():
        wording = table[lang]
        assert wording.heading
        assert wording.effect
        assert bool(wording.contents) == (TEMPLATE_KIND[template] != Kind.IDENTIFY)


@pytest.mark.req("TW-51")
@pytest.mark.parametrize("lang", Language)
@pytest.mark.parametrize("template", Template)
def test_it_says_who_asks_what_for_and_where_it_was_started(
    template: Template, lang: Language
) -> None:
    for door in StatementDoor:
        lines = text_of(template, lang, door=door).split("\n")
        labels = LABELS[lang]
        assert f"{labels.asker}{labels.colon}財政部國稅局" in lines
        assert f"{labels.domain}{labels.colon}tax.example.gov.tw" in lines
        assert f"{labels.purpose}{labels.colon}登入報稅系統" in lines
        assert f"{labels.started}{labels.colon}{STARTED[door][lang]}" in lines
        assert lines[0] == WORDINGS[template][lang].heading
        assert lines[-1] == labels.closing


@pytest.mark.parametrize("lang", Language)
@pytest.mark.parametrize("full", [True, False])
def test_it_says_whether_the_name_is_given(lang: Language, full: bool) -> None:
    labels = LABELS[lang]
    for template in (Template.IDENTIFY_V1, Template.APPROVE_V1):
        text = text_of(template, lang, full_evidence=full)
        assert (labels.name_and_certificate in text) is full
        assert (labels.pseudonym in text) is not full


@pytest.mark.parametrize("lang", Language)
def test_it_does_not_deny_the_name_when_attributes_are_given(lang: Language) -> None:
    text = text_of(Template.IDENTIFY_V1, lang, claims=("name",))
    assert LABELS[lang].pseudonym not in text
    assert LABELS[lang].pseudonym_and_claims in text


def test_it_lists_the_attributes_that_are_given() -> None:
    text = text_of(Template.IDENTIFY_V1, Language.EN, claims=("birth_date", "address"))
    assert "Also given: date of birth, address" in text.split("\n")
    assert "Also given" not in text_of(Template.IDENTIFY_V1, Language.EN)


@pytest.mark.parametrize("lang", Language)
def test_it_lists_what_is_signed_with_its_fingerprint(lang: Language) -> None:
    contents = (samples.content(), samples.content(id="b", name="附件.pdf"))
    lines = text_of(Template.SIGN_V1, lang, contents=contents).split("\n")
    wording = WORDINGS[Template.SIGN_V1][lang]
    at = lines.index(f"{wording.contents}{LABELS[lang].colon}2")
    mark = fingerprint(contents[0].digest)
    assert lines[at + 1 : at + 5] == [
        "1. 113 年度所得稅申報書.pdf",
        f"   SHA-256 {mark}",
        "2. 附件.pdf",
        f"   SHA-256 {mark}",
    ]
    assert wording.effect in lines


def test_fingerprints_are_the_first_eight_bytes() -> None:
    digest = hashlib.sha256(b"test").digest()
    assert fingerprint(base64url.encode(digest)) == "9f86 d081 884c 7d65"


def test_the_hash_is_over_the_utf8_bytes() -> None:
    text = text_of(Template.IDENTIFY_V1, Language.JA)
    expected = base64url.encode(hashlib.sha256(text.encode("utf-8")).digest())
    assert text_sha256(text) == expected


@pytest.mark.parametrize("member", ["relying_party", "domain", "purpose_text"])
@pytest.mark.parametrize("bad", ["", "x\nAsked by: the police", "a\u202eb", "a\u200bb", "a\rb"])
def test_no_value_draws_a_line_of_its_own(member: str, bad: str) -> None:
    with pytest.raises(UnsafeText):
        text_of(Template.IDENTIFY_V1, **{member: bad})


@pytest.mark.parametrize("claim", ["birthdate", "birth_date\n", "地址", "", "age_over_21"])
def test_a_claim_without_a_name_is_never_shown(claim: str) -> None:
    with pytest.raises(ShownImpossible) as refused:
        text_of(Template.IDENTIFY_V1, claims=("name", claim))
    assert refused.value.facts["where"] == "/claims"


def test_nor_do_document_names() -> None:
    with pytest.raises(UnsafeText):
        text_of(Template.SIGN_V1, contents=(samples.content(name="a\nb"),))


@pytest.mark.parametrize(
    ("template", "changes"),
    [
        (Template.IDENTIFY_V1, {"contents": (samples.noted(),)}),
        (Template.SIGN_V1, {"contents": ()}),
        (Template.SIGN_V1, {"full_evidence": False}),
        (Template.IDENTIFY_V1, {"claims": ("name",) * 33}),
    ],
)
def test_what_a_template_cannot_tell_truthfully_is_refused(
    template: Template, changes: dict[str, Any]
) -> None:
    with pytest.raises(ShownImpossible):
        text_of(template, **changes)


@pytest.mark.parametrize("lang", Language)
def test_a_hundred_documents_with_the_longest_names_fit_and_stay_apart(lang: Language) -> None:
    contents = tuple(
        samples.content(
            id=f"doc_{n:060d}", name=f"{n:03d}" + "\U0002000b" * 197, digest=samples.b64(f"{n}")
        )
        for n in range(100)
    )
    lines = text_of(Template.SIGN_V1, lang, contents=contents).split("\n")
    listed = [line for line in lines if line.startswith("   SHA-256 ")]
    assert len(listed) == len(set(listed)) == 100
    assert [line for line in lines if line.endswith("\U0002000b")] == [
        f"{n + 1}. {content.name}" for n, content in enumerate(contents)
    ]
    assert len("\n".join(lines).encode()) < 128 * 1024


@given(
    template=st.sampled_from(Template),
    lang=st.sampled_from(Language),
    door=st.sampled_from(StatementDoor),
    name=st.text(max_size=210),
    purpose=st.text(max_size=210),
    claims=st.lists(st.sampled_from(Claim) | st.text(max_size=10), max_size=3),
)
def test_a_text_has_as_many_lines_as_its_template(
    template: Template,
    lang: Language,
    door: StatementDoor,
    name: str,
    purpose: str,
    claims: list[str],
) -> None:
    changes = {"relying_party": name, "purpose_text": purpose, "door": door, "claims": claims}
    try:
        text = text_of(template, lang, **changes)
    except InkanError:
        return
    expected = len(text_of(template, lang).split("\n")) + bool(claims)
    assert len(text.splitlines()) == text.count("\n") + 1 == expected
    assert text == text_of(template, lang, **changes)
