"""Certificate profiles, their ceilings, and the machine of a certificate.

A profile is a TOML file under ``profiles/``: fields, extensions, term. What no profile may exceed stands
here in code, with its clause: a profile that breaks a ceiling stops the start, not the issue.
"""

import tomllib
from datetime import timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

import msgspec

from inkan.crypto.path import RevocationReason
from inkan.kernel.errors import Forbidden
from inkan.kernel.machine import Machine
from inkan.pki.model import CertificateState, CertificateStep, ProfileWrong

KeyUsageName = Literal["digital_signature", "content_commitment", "key_cert_sign", "crl_sign"]


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a certificate of one kind holds.

    Attributes:
        key_specs: names of :class:`inkan.crypto.keys.KeySpec`.
        key_usage: RFC 5280 §4.2.1.3; always critical, never more than one purpose (TW-23).
        extended_key_usage: RFC 5280 §4.2.1.12 names.
        private_key_days: how long the key signs, from the beginning of its certificate; None: as long as that lives.
        policies: names in the OID table.
        binding: whether the binding extension is required (design §5.2 step 3).
        holder_facts: whether the certificate may say of its holder what an order's facts say (JPKI-09).
        holder_name: whether it says the holder's name; without it only the number (WAT-59).
        revocation: whether the certificate names CRL and OCSP (an OCSP signer carries no-check instead).
    """

    name: str
    version: int
    purpose: Literal["ca", "holder", "signer"]
    key_specs: Annotated[list[str], msgspec.Meta(min_length=1)]
    key_usage: Annotated[list[KeyUsageName], msgspec.Meta(min_length=1)]
    max_days: int
    policies: list[str]
    extended_key_usage: list[Literal["ocsp_signing", "time_stamping", "client_auth"]] = []
    extended_key_usage_critical: bool = False
    private_key_days: int | None = None
    path_length: int | None = None
    binding: bool = False
    holder_facts: bool = False
    holder_name: bool = True
    revocation: bool = True
    ocsp_no_check: bool = False
    backdate_s: int = 0


# The most that any profile of a purpose may say; each row with its clause.
MAX_DAYS = {
    "ca": 30 * 366,
    "holder": 5 * 366,  # the longest term of a source: cards of five years
    "signer": 5 * 366,
}
KEY_USAGES = {
    # TW-23: no multi-purpose key; RFC 5280 §4.2.1.3: only a CA signs certificates
    "ca": [{"key_cert_sign", "crl_sign"}],
    "holder": [{"digital_signature"}, {"content_commitment"}],
    "signer": [{"digital_signature"}],
}
MAX_BACKDATE_S = 300  # threat 30: notBefore at most five minutes back


class MirrorKind(StrEnum):
    """The two lists for those who mirror everything that an authority revoked."""

    BASE = "base"
    DELTA = "delta"


# Whose certificate is revoked for a reason of RFC 5280 §5.3.1; who may ask for which is the upper features' matter.
_BOTH = frozenset({"holder", "authority"})
REASONS: dict[RevocationReason, frozenset[str]] = {
    RevocationReason.UNSPECIFIED: _BOTH,
    RevocationReason.KEY_COMPROMISE: _BOTH,
    RevocationReason.CA_COMPROMISE: frozenset({"authority"}),
    RevocationReason.AFFILIATION_CHANGED: _BOTH,
    RevocationReason.SUPERSEDED: _BOTH,
    RevocationReason.CESSATION_OF_OPERATION: _BOTH,
    # A hold is not a revocation: it is a step of its own, and it can end.
    RevocationReason.CERTIFICATE_HOLD: frozenset(),
    RevocationReason.PRIVILEGE_WITHDRAWN: _BOTH,
    # About attribute authorities, which are not run here.
    RevocationReason.AA_COMPROMISE: frozenset(),
}
# For these the list that carries the serial is signed directly after COMMIT, not by the next sweep.
AT_ONCE = frozenset({RevocationReason.KEY_COMPROMISE, RevocationReason.CA_COMPROMISE})

# Design §6 Status: dirty lists are signed within 60 s; the sweep looks three times as often.
SWEEP_EVERY = timedelta(seconds=20)
# Lists of many shards fall due up to this part of half their life earlier, each at its own moment.
SPREAD = 0.25
ARL_LIFE = timedelta(days=400)
# For mirrors: a full list a week, its delta an hour at most and sooner when something changed.
BASE_EVERY = timedelta(days=7)
BASE_LIFE = timedelta(days=8)
DELTA_EVERY = timedelta(hours=1)
DELTA_PAUSE = timedelta(seconds=40)
DELTA_LIFE = timedelta(hours=24)
# A transaction may commit so much later than the moment that it wrote into its rows.
COMMIT_DELAY = timedelta(seconds=60)
# An answer of RFC 5019 is kept by others for so long (design §6 Status).
OCSP_MAX_AGE_S = 60

MACHINE: Machine[CertificateState, CertificateStep] = Machine(
    CertificateState.RESERVED,
    {
        (CertificateState.RESERVED, CertificateStep.INTEND): CertificateState.INTENDED,
        (CertificateState.RESERVED, CertificateStep.REFUSE): CertificateState.REFUSED,
        (CertificateState.INTENDED, CertificateStep.SIGN): CertificateState.VALID,
        (CertificateState.VALID, CertificateStep.SUSPEND): CertificateState.SUSPENDED,
        (CertificateState.SUSPENDED, CertificateStep.REINSTATE): CertificateState.VALID,
        # Revocation is legal from the reserved serial on (reference: issue ends, revocation does not wait).
        (CertificateState.RESERVED, CertificateStep.REVOKE): CertificateState.REVOKED,
        (CertificateState.INTENDED, CertificateStep.REVOKE): CertificateState.REVOKED,
        (CertificateState.VALID, CertificateStep.REVOKE): CertificateState.REVOKED,
        (CertificateState.SUSPENDED, CertificateStep.REVOKE): CertificateState.REVOKED,
    },
)


class ReasonRefused(Forbidden):
    """This reason is not one that such a certificate is revoked for."""

    code = "reason_refused"
    title = "A certificate of this kind is not revoked for this reason"
    public = ("reason",)


def verify_reason(reason: RevocationReason, whose: Literal["holder", "authority"]) -> None:
    """Refuse a reason that no certificate of that kind is revoked for.

    Raises:
        ReasonRefused: by :data:`REASONS`.
    """
    if whose not in REASONS[reason]:
        raise ReasonRefused(f"no {whose} is revoked for {reason}", reason=reason.value)


def check_profile(profile: Profile) -> Profile:
    """Return the profile if it keeps every ceiling.

    Raises:
        ProfileWrong: with the name of the profile and the ceiling.
    """
    if not 0 < profile.max_days <= MAX_DAYS[profile.purpose]:
        raise ProfileWrong(f"{profile.name}: the term is longer than its purpose allows")
    if set(profile.key_usage) not in KEY_USAGES[profile.purpose]:
        raise ProfileWrong(f"{profile.name}: this key usage is not allowed for a {profile.purpose}")
    if profile.backdate_s > MAX_BACKDATE_S:
        raise ProfileWrong(f"{profile.name}: backdated by more than five minutes")
    if profile.holder_facts and not (profile.purpose == "holder" and profile.holder_name):
        raise ProfileWrong(f"{profile.name}: facts about a person belong to a person's name")
    if (profile.purpose == "ca") != (profile.path_length is not None):
        raise ProfileWrong(f"{profile.name}: a CA, and only a CA, has a path length")
    if profile.ocsp_no_check and profile.extended_key_usage != ["ocsp_signing"]:
        raise ProfileWrong(f"{profile.name}: only an OCSP signer goes without revocation")
    if "time_stamping" in profile.extended_key_usage and not _is_for_stamps_alone(profile):
        raise ProfileWrong(
            f"{profile.name}: time-stamping is a signer's only purpose, and critical"
        )
    if profile.private_key_days is not None and profile.private_key_days > profile.max_days:
        raise ProfileWrong(f"{profile.name}: the key outlives its certificate")
    if not profile.revocation and not profile.ocsp_no_check and profile.purpose != "ca":
        raise ProfileWrong(f"{profile.name}: a certificate names its revocation source")
    return profile


def _is_for_stamps_alone(profile: Profile) -> bool:
    """RFC 3161 §2.3."""
    return (
        profile.purpose == "signer"
        and profile.extended_key_usage == ["time_stamping"]
        and profile.extended_key_usage_critical
    )


@cache
def profiles() -> dict[str, Profile]:
    """Every profile of the package, by name.

    Raises:
        ProfileWrong: a file breaks a ceiling or has another name than its profile.
    """
    found: dict[str, Profile] = {}
    for path in sorted((files("inkan.pki") / "profiles").iterdir(), key=lambda path: path.name):
        if not path.name.endswith(".toml"):
            continue
        try:
            profile = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Profile)
        except (msgspec.ValidationError, tomllib.TOMLDecodeError) as wrong:
            raise ProfileWrong(f"{path.name}: {wrong}") from None
        if path.name != f"{profile.name}.toml":
            raise ProfileWrong(f"{path.name} holds the profile {profile.name}")
        found[profile.name] = check_profile(profile)
    return found


def get_profile(name: str) -> Profile:
    """The profile of that name.

    Raises:
        ProfileWrong: there is none.
    """
    try:
        return profiles()[name]
    except KeyError:
        raise ProfileWrong(f"there is no profile {name}") from None
