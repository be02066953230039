"""The shipped schemes, and the ceilings that refuse what no scheme may say."""

import hashlib
import re
import tomllib
from collections.abc import Iterator
from importlib import resources
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import KeySpec
from inkan.crypto.oids import POLICIES
from inkan.kernel.errors import InkanError
from inkan.kernel.identifiers import Residence
from inkan.schemes import (
    LEVEL_TEXTS,
    Effect,
    LevelOfAssurance,
    ParentEnd,
    Scheme,
    SchemeRefused,
    UnknownScheme,
    all_schemes,
    get_scheme,
    load_scheme,
)
from inkan.schemes.model import AlgorithmName, BackEndName, KeySpecName
from inkan.schemes.rules import ALGORITHMS_OF_KEY, CEILINGS, MILDEST_EFFECT, leaves, verify_ceilings
from inkan.wire.binding import BackEnd

TAIWAN_TOML = (resources.files("inkan.schemes") / "tw-citizen.toml").read_text(encoding="utf-8")
TAIWAN = get_scheme("tw-citizen")

# SHA-256 over the three terms texts. The card signs the version alone, so one version is one text for ever:
# a change of the text needs a new version, here and in the scheme.
TERMS = {
    ("jpki", "2026-1"): "4671dec1bce8cc3d5c4056a4fc6c8f1f9c4f2d1e899eac5c203bcd9924f58cdf",
    ("tw-citizen", "2026-1"): "99f4bf2f6fd094d8e3d3532df8715fa9afd22b9983ca809b09efe9865edcb432",
}

BROKEN: list[tuple[str, str, Any]] = [
    ("utc_offset_minutes", "utc_offset_minutes", 15 * 60),
    ("places", "places", []),
    ("places", "places", ["desk", "desk"]),
    ("eligibility.min_age_years", "eligibility.min_age_years", -1),
    ("eligibility.residences", "eligibility.residences", []),
    ("eligibility.residences", "eligibility.residences", ["national", "national"]),
    ("phone.slots", "phone.slots", 0),
    ("phone.slots", "phone.slots", 6),
    ("phone.validity_years", "phone.validity_years", 0),
    ("phone.validity_years", "phone.validity_years", 4),
    ("phone.jws_algs", "phone.jws_algs", []),
    ("phone.jws_algs", "phone.jws_algs", ["ES256"]),
    ("phone.jws_algs", "phone.key_spec", "P-256"),
    ("phone.kinds", "phone.kinds", []),
    ("phone.young_hours", "phone.young_hours", 23),
    ("phone.young_hours", "phone.young_hours", 30 * 24 + 1),
    ("phone.renewal_days_before", "phone.renewal_days_before", 0),
    ("phone.renewal_days_before", "phone.renewal_days_before", 91),
    ("phone.fee", "phone.fee", -1),
    ("key_backends", "key_backends", []),
    ("key_backends", "key_backends", ["A", "B"]),
    ("on_parent_end.recent_hours", "on_parent_end.recent_hours", 23),
    ("on_parent_end.lost", "on_parent_end.lost", "keep"),
    ("on_parent_end.stolen", "on_parent_end.stolen", "keep"),
    ("on_parent_end.key_compromise", "on_parent_end.key_compromise", "keep"),
    ("on_parent_end.misuse", "on_parent_end.misuse", "keep"),
    ("on_parent_end.issue_fraud", "on_parent_end.issue_fraud", "suspend"),
    ("on_parent_end.deceased", "on_parent_end.deceased", "suspend"),
    ("terms.version", "terms.version", ""),
    ("terms.version", "terms.version", "版一"),
    ("title, terms.text, assurance.wording", "terms.text.ja", "  \n"),
    ("sources", "sources", {}),
    ("sources", "sources", {"phone.colour": "TW-99"}),
]


def replaced(where: str, value: Any) -> Scheme:
    """Taiwan's scheme with another value at one dotted path; not verified."""
    document = tomllib.loads(TAIWAN_TOML)
    *parents, leaf = where.split(".")
    place = document
    for parent in parents:
        place = place[parent]
    place[leaf] = value
    return msgspec.convert(document, Scheme)


@pytest.mark.parametrize(("ceiling", "where", "value"), BROKEN)
def test_ceilings_refuse(ceiling: str, where: str, value: Any) -> None:
    with pytest.raises(SchemeRefused) as refused:
        verify_ceilings(replaced(where, value))
    assert refused.value.public_facts == {"where": ceiling}


def test_every_ceiling_is_seen_to_refuse() -> None:
    """Ceilings whose mildest effect is already the mildest of all cannot be broken."""
    free = {f"on_parent_end.{cause}" for cause, row in MILDEST_EFFECT.items() if row is Effect.KEEP}
    assert {ceiling.where for ceiling in CEILINGS} - free == {row[0] for row in BROKEN}


def test_every_cause_has_a_mildest_effect() -> None:
    assert set(MILDEST_EFFECT) == set(ParentEnd)


def test_every_key_spec_has_algorithms() -> None:
    assert set(ALGORITHMS_OF_KEY) == set(get_args(KeySpecName))


def test_names_are_those_of_the_formats() -> None:
    """``model`` restates what ``crypto`` and ``wire`` define, to stay free of cryptography."""
    assert set(get_args(KeySpecName)) < set(KeySpec)
    assert set(get_args(AlgorithmName)) == set(Algorithm)
    assert set(get_args(BackEndName)) < set(BackEnd)
    assert all(scheme.card.policy in POLICIES for scheme in all_schemes().values())


def test_every_ceiling_cites_its_clause() -> None:
    assert all(ceiling.source for ceiling in CEILINGS)


def test_a_back_end_outside_the_phone_needs_a_scheme_that_allows_it() -> None:
    document = tomllib.loads(TAIWAN_TOML)
    document["key_backends"] = ["A", "B", "C"]
    document["phone"]["keys_made_on_phone"] = False
    scheme = verify_ceilings(msgspec.convert(document, Scheme))
    assert scheme.key_backends == ("A", "B", "C")


@pytest.mark.parametrize(
    "toml",
    [
        "",
        "name =",
        TAIWAN_TOML.replace("slots = 2", "slots = 2\ncolour = 1"),
        TAIWAN_TOML.replace('deceased = "revoke"', ""),
        TAIWAN_TOML.replace('"suspend_recent"', '"forgive"'),
        TAIWAN_TOML.replace('ja = "モバイル自然人証明書（台湾）"', ""),
    ],
    ids=[
        "empty",
        "not toml",
        "unknown field",
        "missing cause",
        "unknown effect",
        "missing language",
    ],
)
def test_files_of_another_form_are_refused(toml: str) -> None:
    with pytest.raises(SchemeRefused) as refused:
        load_scheme(toml)
    assert refused.value.facts["where"] == "file"


@given(st.text(max_size=200))
def test_no_text_makes_the_loader_raise_anything_else(text: str) -> None:
    with pytest.raises(InkanError):
        load_scheme(text)


def test_shipped_schemes_are_found_by_their_own_names() -> None:
    assert list(all_schemes()) == ["jpki", "tw-citizen"]
    assert all(get_scheme(name).name == name for name in all_schemes())


def test_unknown_scheme() -> None:
    with pytest.raises(UnknownScheme):
        get_scheme("atlantis")


@pytest.mark.parametrize("scheme", all_schemes().values(), ids=lambda scheme: scheme.name)
def test_every_value_cites_its_clause(scheme: Scheme) -> None:
    assert set(scheme.sources) == set(leaves(scheme))
    assert all(
        re.fullmatch(
            r"(?:(?:TW|HCA|JPKI|WAT|DOC)-\d\d(?:\.\.\d\d)?|design §\d\.\d(?: step \d)?)", clause
        )
        for source in scheme.sources.values()
        for clause in source.split(", ")
    )


@pytest.mark.parametrize("scheme", all_schemes().values(), ids=lambda scheme: scheme.name)
def test_one_terms_version_is_one_text(scheme: Scheme) -> None:
    text = "\x00".join(msgspec.structs.astuple(scheme.terms.text))
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert TERMS[scheme.name, scheme.terms.version] == digest


@pytest.mark.req("TW-08")
def test_who_is_eligible() -> None:
    assert TAIWAN.eligibility.min_age_years == 18
    assert set(TAIWAN.eligibility.residences) == {Residence.NATIONAL, Residence.RESIDENT}


@pytest.mark.req("WAT-11", "WAT-51", "WAT-55")
def test_a_phone_of_the_public_personal_authentication_is_bound_at_a_kiosk_only() -> None:
    assert get_scheme("jpki").places == ("kiosk",)
    assert TAIWAN.places == ("desk",)


@pytest.mark.req("WAT-54", "WAT-56")
@pytest.mark.parametrize("cause", ParentEnd)
def test_whatever_ends_the_japanese_card_stops_the_phone(cause: ParentEnd) -> None:
    ends = {ParentEnd.ISSUE_FRAUD: Effect.REVOKE, ParentEnd.DECEASED: Effect.REVOKE}
    assert get_scheme("jpki").on_parent_end.of(cause) is ends.get(cause, Effect.SUSPEND)


@pytest.mark.req("TW-29", "TW-30", "TW-31")
def test_figures_of_the_phone() -> None:
    phone = TAIWAN.phone
    assert (phone.slots, phone.fee, phone.validity_years, phone.key_spec) == (2, 0, 1, "RSA-2048")
    assert phone.keys_made_on_phone
    assert set(phone.kinds) == {"identify", "approve", "sign"}
    assert not phone.single_key


@pytest.mark.req("TW-34")
def test_expiry_or_revocation_by_the_user_keeps_the_phone() -> None:
    effects = TAIWAN.on_parent_end
    assert {effects.of(ParentEnd.EXPIRED), effects.of(ParentEnd.USER_REVOKED)} == {Effect.KEEP}


@pytest.mark.parametrize(
    "cause", [ParentEnd.LOST, ParentEnd.STOLEN, ParentEnd.KEY_COMPROMISE, ParentEnd.MISUSE]
)
def test_a_card_in_wrong_hands_suspends_recent_phones(cause: ParentEnd) -> None:
    assert TAIWAN.on_parent_end.of(cause) is Effect.SUSPEND_RECENT


@pytest.mark.parametrize("cause", [ParentEnd.ISSUE_FRAUD, ParentEnd.DECEASED])
def test_fraud_in_issue_and_death_revoke(cause: ParentEnd) -> None:
    assert TAIWAN.on_parent_end.of(cause) is Effect.REVOKE


@pytest.mark.req("TW-16")
def test_every_level_has_a_text_in_every_language() -> None:
    assert set(LEVEL_TEXTS) == set(LevelOfAssurance)
    assert all(text for texts in LEVEL_TEXTS.values() for text in msgspec.structs.astuple(texts))
    assert [texts.en.split(":")[0] for texts in LEVEL_TEXTS.values()] == [
        "Low",
        "Medium",
        "High",
        "Very high",
    ]


@pytest.mark.parametrize("scheme", all_schemes().values(), ids=lambda scheme: scheme.name)
def test_no_text_claims_a_level(scheme: Scheme) -> None:
    """The wording names the level that was built for and denies, in each language, that it was confirmed."""
    wording = scheme.assurance.wording
    assert "No assessor has" in wording.en
    assert "no level is claimed" in wording.en
    assert "主張しません" in wording.ja
    assert "不宣稱" in wording.zh_hant
    assert not any("LoA" in text for text in texts_of(scheme))


def texts_of(scheme: Scheme) -> Iterator[str]:
    """Every text that a person may read."""
    for texts in (scheme.title, scheme.terms.text, scheme.assurance.wording):
        yield from msgspec.structs.astuple(texts)
