"""The ceilings that no scheme file may break, and the loader that checks them.

A scheme is data that an operator may write; what would take the floor from under the receipts of every scheme
is fixed here. Each ceiling cites its clause: to change it, change the practice statement first.
"""

import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

import msgspec

from inkan.schemes.model import (
    Effect,
    LevelOfAssurance,
    ParentEnd,
    Scheme,
    SchemeRefused,
    Texts,
    UnknownScheme,
)

LEVEL_TEXTS: Final = {
    LevelOfAssurance.LOW: Texts(
        en="Low: little or no confidence", ja="低：ほとんど信頼できない", zh_hant="低：幾乎無可信度"
    ),
    LevelOfAssurance.MEDIUM: Texts(
        en="Medium: some confidence", ja="中：ある程度信頼できる", zh_hant="中：具某種程度的可信度"
    ),
    LevelOfAssurance.HIGH: Texts(
        en="High: high confidence", ja="高：高い信頼度", zh_hant="高：可信度高"
    ),
    LevelOfAssurance.VERY_HIGH: Texts(
        en="Very high: very high confidence",
        ja="極めて高い：非常に高い信頼度",
        zh_hant="極高：可信度極高",
    ),
}
"""What the four levels mean, as they are shown to people (TW-16)."""

ALGORITHMS_OF_KEY: Final = {
    "P-256": frozenset({"ES256"}),
    "RSA-2048": frozenset({"PS256", "RS256"}),
    "RSA-3072": frozenset({"PS256", "RS256"}),
}

MILDEST_EFFECT: Final = {
    ParentEnd.EXPIRED: Effect.KEEP,
    ParentEnd.USER_REVOKED: Effect.KEEP,
    ParentEnd.FACTS_CHANGED: Effect.KEEP,
    ParentEnd.LOST: Effect.SUSPEND_RECENT,
    ParentEnd.STOLEN: Effect.SUSPEND_RECENT,
    ParentEnd.KEY_COMPROMISE: Effect.SUSPEND_RECENT,
    ParentEnd.MISUSE: Effect.SUSPEND_RECENT,
    ParentEnd.ISSUE_FRAUD: Effect.REVOKE,
    ParentEnd.DECEASED: Effect.REVOKE,
}
"""The mildest effect that a scheme may give to a cause (design §5.2 step 8)."""


class Ceiling(NamedTuple):
    """One bound: what must hold of a scheme, and where it is written."""

    where: str
    holds: Callable[[Scheme], bool]
    rule: str
    source: str


CEILINGS: Final = (
    Ceiling(
        "utc_offset_minutes",
        lambda s: -12 * 60 <= s.utc_offset_minutes <= 14 * 60,
        "a local time that exists on Earth",
        "ISO 8601",
    ),
    Ceiling(
        "places",
        lambda s: _is_set(s.places),
        "at least one place, each once",
        "design §5.2 step 1",
    ),
    Ceiling(
        "eligibility.min_age_years",
        lambda s: 0 <= s.eligibility.min_age_years <= 120,
        "0 to 120 years",
        "TW-08",
    ),
    Ceiling(
        "eligibility.residences",
        lambda s: _is_set(s.eligibility.residences),
        "at least one kind of residence, each once",
        "TW-08",
    ),
    Ceiling("phone.slots", lambda s: 1 <= s.phone.slots <= 5, "1 to 5 phones", "TW-29, HCA-43"),
    Ceiling(
        "phone.validity_years",
        lambda s: 1 <= s.phone.validity_years <= 3,
        "1 to 3 years, no longer than a card",
        "TW-31, JPKI-11",
    ),
    Ceiling(
        "phone.jws_algs",
        lambda s: (
            _is_set(s.phone.jws_algs)
            and ALGORITHMS_OF_KEY[s.phone.key_spec].issuperset(s.phone.jws_algs)
        ),
        "at least one algorithm, each once, all of the phone's kind of key",
        "design §5.3",
    ),
    Ceiling(
        "phone.kinds",
        lambda s: _is_set(s.phone.kinds),
        "at least one kind of question, each once",
        "TW-10",
    ),
    Ceiling(
        "phone.young_hours",
        lambda s: 24 <= s.phone.young_hours <= 30 * 24,
        "24 hours to 30 days",
        "design §5.2 step 6",
    ),
    Ceiling(
        "phone.renewal_days_before",
        lambda s: 1 <= s.phone.renewal_days_before <= 90,
        "1 to 90 days before the last day",
        "design §5.2 step 7",
    ),
    Ceiling("phone.fee", lambda s: s.phone.fee >= 0, "no negative fee", "TW-30"),
    Ceiling(
        "key_backends",
        lambda s: (
            _is_set(s.key_backends) and not (s.phone.keys_made_on_phone and "B" in s.key_backends)
        ),
        "at least one back end, each once; B only where keys may be made outside the phone",
        "TW-26, HCA-26",
    ),
    Ceiling(
        "on_parent_end.recent_hours",
        lambda s: 24 <= s.on_parent_end.recent_hours <= 30 * 24,
        "24 hours to 30 days before the reported loss",
        "design §5.2 step 8",
    ),
    *(
        Ceiling(
            f"on_parent_end.{cause}",
            lambda s, cause=cause, mildest=mildest: (  # type: ignore[misc]
                s.on_parent_end.of(cause).severity >= mildest.severity
            ),
            f"at least {mildest}",
            "design §5.2 step 8",
        )
        for cause, mildest in MILDEST_EFFECT.items()
    ),
    Ceiling(
        "terms.version",
        lambda s: 0 < len(s.terms.version) <= 32 and s.terms.version.isascii(),
        "1 to 32 ASCII characters",
        "design §5.2 step 1",
    ),
    Ceiling(
        "title, terms.text, assurance.wording",
        lambda s: all(
            text.strip()
            for texts in (s.title, s.terms.text, s.assurance.wording)
            for text in msgspec.structs.astuple(texts)
        ),
        "a text in every language",
        "design §6",
    ),
    Ceiling(
        "sources",
        lambda s: set(s.sources) == set(leaves(s)) and all(s.sources.values()),
        "one clause for each leaf, and no other",
        "style §9",
    ),
)


def load_scheme(toml: str) -> Scheme:
    """Return the scheme that a TOML text describes.

    Raises:
        SchemeRefused: not TOML, another form, or a broken ceiling (``where`` names the field).
    """
    try:
        scheme = msgspec.convert(tomllib.loads(toml), Scheme)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SchemeRefused(str(error), where="file") from None
    return verify_ceilings(scheme)


def verify_ceilings(scheme: Scheme) -> Scheme:
    """Return the scheme if it keeps every ceiling.

    Raises:
        SchemeRefused: the first broken one; ``where`` names the field.
    """
    for ceiling in CEILINGS:
        if not ceiling.holds(scheme):
            raise SchemeRefused(
                f"{ceiling.where}: {ceiling.rule} ({ceiling.source})", where=ceiling.where
            )
    return scheme


def all_schemes() -> dict[str, Scheme]:
    """Every shipped scheme by its name."""
    return dict(_shipped())


def get_scheme(name: str) -> Scheme:
    """Return the scheme called ``name``, for example ``tw-citizen``.

    Raises:
        UnknownScheme: none is.
    """
    try:
        return _shipped()[name]
    except KeyError:
        raise UnknownScheme from None


def leaves(scheme: Scheme) -> Iterator[str]:
    """The dotted paths of all values of a scheme that need a clause; texts count as one leaf each."""
    fields = msgspec.to_builtins(scheme)
    del fields["sources"], fields["name"], fields["title"]
    return _paths(fields, "")


def _paths(value: dict[str, Any], prefix: str) -> Iterator[str]:
    for name, member in value.items():
        if isinstance(member, dict) and "zh-Hant" not in member:
            yield from _paths(member, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _is_set(values: tuple[Any, ...]) -> bool:
    return len(values) > 0 and len(set(values)) == len(values)


@cache
def _shipped() -> dict[str, Scheme]:
    files = sorted(
        (
            file
            for file in resources.files("inkan.schemes").iterdir()
            if file.name.endswith(".toml")
        ),
        key=lambda file: file.name,
    )
    schemes = [load_scheme(file.read_text(encoding="utf-8")) for file in files]
    return {scheme.name: scheme for scheme in schemes}
