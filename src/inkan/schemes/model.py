"""What a scheme is: frozen values, one field for each rule that differs between countries.

Every leaf of a scheme has its clause in ``sources`` (a ledger row such as TW-29 or a section of the design), so
that a lawyer can read the TOML file beside the law.
"""

from datetime import date, datetime, timedelta, timezone
from enum import IntEnum, StrEnum
from typing import Literal

import msgspec

from inkan.kernel.calendar import last_instant
from inkan.kernel.errors import Malformed, NotFound
from inkan.kernel.identifiers import Residence

KeySpecName = Literal["P-256", "RSA-2048", "RSA-3072"]
AlgorithmName = Literal["PS256", "RS256", "ES256"]
BackEndName = Literal["A", "B", "C"]
KindName = Literal["identify", "approve", "sign"]
AttestationName = Literal["none", "direct"]
LanguageTag = Literal["en", "ja", "zh-Hant"]
PlaceName = Literal["desk", "kiosk"]


class UnknownScheme(NotFound):
    """No scheme has this name."""

    code = "unknown_scheme"
    title = "There is no such scheme"


class SchemeRefused(Malformed):
    """A scheme file breaks a ceiling, lacks a clause, or is not of the form of a scheme."""

    code = "scheme_refused"
    title = "A scheme file breaks a rule that no scheme may break"
    public = ("where",)


class ParentEnd(StrEnum):
    """Why the card that a phone was bound with is no longer good (TW-34, WAT-56, JPKI-12, JPKI-24)."""

    EXPIRED = "expired"
    USER_REVOKED = "user_revoked"
    FACTS_CHANGED = "facts_changed"
    LOST = "lost"
    STOLEN = "stolen"
    KEY_COMPROMISE = "key_compromise"
    MISUSE = "misuse"
    ISSUE_FRAUD = "issue_fraud"
    DECEASED = "deceased"


class Effect(StrEnum):
    """What the end of the card does to the phones bound with it; none of them can be renewed afterwards."""

    KEEP = "keep"
    SUSPEND_RECENT = "suspend_recent"
    SUSPEND = "suspend"
    REVOKE = "revoke"

    @property
    def severity(self) -> int:
        """0 for the mildest; ceilings compare by it."""
        return list(Effect).index(self)


class LevelOfAssurance(IntEnum):
    """The scale of ISO/IEC 29115 (TW-16)."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    VERY_HIGH = 4


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A frozen part of a scheme that refuses fields nobody reads."""


class Texts(_Row, frozen=True):
    """One text in every language that people read (design §6); a missing language does not load."""

    en: str
    ja: str
    zh_hant: str = msgspec.field(name="zh-Hant")

    def in_language(self, tag: str) -> str:
        """The text in ``en``, ``ja`` or ``zh-Hant``; English for every other tag."""
        return {"ja": self.ja, "zh-Hant": self.zh_hant}.get(tag, self.en)


class Eligibility(_Row, frozen=True):
    """Who may bind a phone (TW-08)."""

    min_age_years: int
    residences: tuple[Residence, ...]


class Card(_Row, frozen=True):
    """Which card certificate may ask for a phone.

    Attributes:
        policy: name of the certificate policy in the OID table of ``crypto``.
        key_usage: key usage bit that the card certificate must carry.
    """

    policy: str
    key_usage: Literal["digital_signature", "content_commitment"]


class Phone(_Row, frozen=True):
    """Figures of a bound phone.

    Attributes:
        slots: phones that one person may hold at a time.
        validity_years: term of a phone certificate; its last day is included.
        key_spec: kind of the certificate keys.
        jws_algs: algorithms in which a statement may be signed, the preferred one first.
        single_key: whether one key serves both ``auth`` and ``sign``.
        keys_made_on_phone: whether a key store outside the phone is refused.
        kinds: what may be asked of a phone.
        young_hours: hours for which a new binding is reported as young.
        renewal_days_before: days before the end of the term from which a renewal is accepted.
        fee: price of a binding in the smallest unit of the local currency.
    """

    slots: int
    validity_years: int
    key_spec: KeySpecName
    jws_algs: tuple[AlgorithmName, ...]
    single_key: bool
    keys_made_on_phone: bool
    kinds: tuple[KindName, ...]
    young_hours: int
    renewal_days_before: int
    fee: int


class FIDO(_Row, frozen=True):
    """What is asked of the passkey on the phone.

    Attributes:
        allow_synced: whether a passkey that leaves the phone by backup is accepted (and recorded as synced).
        attestation: ``direct`` demands an attestation statement.
    """

    allow_synced: bool
    attestation: AttestationName


class Assurance(_Row, frozen=True):
    """The level that the scheme was built for, and the wording that goes with it.

    There is no field for a level that was reached: only an assessor can state one, and none has (TW-14..17).
    """

    built_for: LevelOfAssurance
    wording: Texts


class Terms(_Row, frozen=True):
    """What a person accepts with the card's signature; ``version`` is under that signature."""

    version: str
    text: Texts


class ParentEndEffects(_Row, frozen=True):
    """Cause → effect, one field for each :class:`ParentEnd` (design §5.2 step 8)."""

    expired: Effect
    user_revoked: Effect
    facts_changed: Effect
    lost: Effect
    stolen: Effect
    key_compromise: Effect
    misuse: Effect
    issue_fraud: Effect
    deceased: Effect
    recent_hours: int

    def of(self, cause: ParentEnd) -> Effect:
        """The row of one cause."""
        effect: Effect = getattr(self, cause.value)
        return effect


class Scheme(_Row, frozen=True):
    """One rule set.

    Attributes:
        places: where a phone is bound with the card: ``desk`` is the enrolment page and the person's own reader,
            ``kiosk`` a managed terminal with a reader.
        sources: the dotted path of each leaf → the clause that it comes from.
    """

    name: str
    title: Texts
    utc_offset_minutes: int
    places: tuple[PlaceName, ...]
    key_backends: tuple[BackEndName, ...]
    eligibility: Eligibility
    card: Card
    phone: Phone
    fido: FIDO
    assurance: Assurance
    terms: Terms
    on_parent_end: ParentEndEffects
    sources: dict[str, str]

    @property
    def utc_offset(self) -> timedelta:
        """Distance of the scheme's local time from UTC."""
        return timedelta(minutes=self.utc_offset_minutes)

    @property
    def slots(self) -> range:
        """The slot numbers of a person's phones, from 1 (the slot key of TW-29)."""
        return range(1, self.phone.slots + 1)

    def local_day(self, moment: datetime) -> date:
        """The calendar day on which an aware moment falls where the scheme is at home."""
        return moment.astimezone(timezone(self.utc_offset)).date()

    def term_end(self, start: datetime) -> datetime:
        """The last valid second of a phone certificate whose term begins at ``start`` (TW-31, JPKI-16)."""
        return last_instant(start, years=self.phone.validity_years, utc_offset=self.utc_offset)

    def renewal_opens(self, not_after: datetime) -> datetime:
        """The moment from which a certificate that ends at ``not_after`` may be renewed (design §5.2 step 7)."""
        return not_after - timedelta(days=self.phone.renewal_days_before)

    def young_until(self, bound_at: datetime) -> datetime:
        """The moment until which a binding is young (design §5.2 step 6)."""
        return bound_at + timedelta(hours=self.phone.young_hours)

    def recent_since(self, reported_loss: datetime) -> datetime:
        """Phones bound from here on were bound shortly before the loss (``Effect.SUSPEND_RECENT``)."""
        return reported_loss - timedelta(hours=self.on_parent_end.recent_hours)
