"""What a signer process signs with keys of authorities: it reads the bytes and asks the register, not the caller.

The register is the platform's database, read without any key: columns that are not sealed say which serial numbers are
reserved for which profile, and the hash of the bytes that were linted and logged. A caller that holds the socket alone
gets no certificate; one that also writes the database leaves a row, an audit gap and a line in the signer's journal
(docs/decisions/0011-signer-process.md).

Numbered plan for a certificate:

1. the key is that of an authority of the register, and the authority's certificate is of this very key;
2. a holder's certificate: its serial number is reserved for a profile of this authority, its intent is logged, and the
   hash of the bytes is the one in the log;
3. a signer's certificate (OCSP, timestamps, receipts): the certified key is one that this process holds for that purpose;
4. the term is inside the profile's ceiling and the authority's own term, and has begun;
5. name, extensions and everything else are what the profile makes of the few free fields, octet for octet;
6. certificates of authorities, and requests for them, are signed in a ceremony only, for keys that this process holds;
   the one key of the platform's own that a ceremony certifies beside them is that of the audit log's heads.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography import x509
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from inkan.crypto import oids
from inkan.crypto.key_guard import SigningRefused
from inkan.crypto.key_providers import MAY_STAND_TOGETHER, KeyPairProvider, KeyPurpose
from inkan.crypto.keys import KeySpec, PrivateKey, generate, key_spec, load_public, spki_der
from inkan.crypto.signatures import digest_for
from inkan.crypto.to_be_signed import SignedFormat, ToBeSigned
from inkan.crypto.x509_admission import LIBRARY_REFUSALS
from inkan.kernel.clock import Clock
from inkan.kernel.errors import InkanError
from inkan.pki import store
from inkan.pki.model import Authority, CertificateState, Role
from inkan.pki.rules import MAX_DAYS, Profile, get_profile, profiles
from inkan.pki.service import builder
from inkan.pki.service.hierarchy import Hierarchy, PublicURLs
from inkan.store.database import Database, Step

# How far what is signed now may lie from the signer's own clock.
CLOCK_TOLERANCE: Final = timedelta(minutes=15)
# What the key of a signer's profile was made for.
SIGNER_PURPOSES: Final[Mapping[str, KeyPurpose]] = {
    "ocsp": KeyPurpose.OCSP,
    "receipt": KeyPurpose.RECEIPT,
    "audit-head": KeyPurpose.AUDIT_HEAD,
    "tsa": KeyPurpose.TSA,
}
# The longest that a list may stand: an offline root's 400 days, the weekly full list of the others with its grace.
MAX_LIST_LIFE: Final[Mapping[Role, timedelta]] = {
    Role.ROOT: timedelta(days=401),
    Role.BRIDGE: timedelta(days=401),
    Role.ISSUING: timedelta(days=15),
}
MAX_ANSWER_LIFE: Final = timedelta(days=1)


class IssuingPolicy:
    """The policy of a signer that holds keys of authorities; fits :class:`inkan.crypto.remote.server.SigningPolicy`."""

    def __init__(
        self,
        *,
        db: Database,
        keys: KeyPairProvider,
        clock: Clock,
        urls: PublicURLs,
        ceremony: bool = False,
    ) -> None:
        """Judge by the register in ``db``; ``ceremony`` admits new authorities while officers stand by."""
        self._db = db
        self._keys = keys
        self._clock = clock
        self._ceremony = ceremony
        self._hierarchy = Hierarchy(db=db, keys=keys, urls=urls)
        self._throw_away: dict[KeySpec, PrivateKey] = {}

    async def check_generate(self, label: str, purposes: Collection[KeyPurpose]) -> None:
        """Refuse a CA key outside a ceremony.

        Raises:
            SigningRefused: rule ``ceremony``.
        """
        if MAY_STAND_TOGETHER & frozenset(purposes) and not self._ceremony:
            raise _refused("ceremony", f"{label}: keys of authorities are made in a ceremony")

    async def check_sign(
        self, label: str, purpose: KeyPurpose, message: bytes, read: ToBeSigned
    ) -> None:
        """Refuse what the plan does not admit; purposes without a row here are judged by their format alone.

        Raises:
            SigningRefused: with the rule that is broken.
        """
        check = self._checks.get(purpose)
        if check is None:
            return
        try:
            await check(self, label, message, read)
        except (*LIBRARY_REFUSALS, x509.ExtensionNotFound) as wrong:
            raise _refused("content", str(wrong)) from None

    # --- certificates --------------------------------------------------------------------------------

    async def _check_certificate(self, label: str, message: bytes, read: ToBeSigned) -> None:
        if self._ceremony:
            await asyncio.to_thread(self._check_ceremonial, label, read)
            return
        if read.format is not SignedFormat.CERTIFICATE:
            raise _refused("ceremony", "requests under a CA key are signed in a ceremony")
        wanted: x509.Certificate = read.parsed
        issuer = await self._authority(label)  # 1
        row = await self._db.read(_reserved, issuer.name, f"{wanted.serial_number:x}")
        if row is not None:
            profile = self._reserved_profile(issuer, row, message)  # 2
        else:
            profile = await asyncio.to_thread(self._signer_profile, wanted)  # 3
        self._check_term(wanted, profile, issuer)  # 4
        _check_name(wanted, profile)
        if self._rebuilt(wanted, profile, issuer) != message:  # 5
            raise _refused("profile", f"not what the profile {profile.name} makes of it")

    def _reserved_profile(self, issuer: Authority, row: Any, message: bytes) -> Profile:
        if row.state != CertificateState.INTENDED or row.profile not in issuer.profiles:
            raise _refused("serial", f"the serial number is {row.state} for {row.profile}")
        if row.tbs_sha256 != hashlib.sha256(message).digest():
            raise _refused(
                "serial", "other bytes than those that were logged for this serial number"
            )
        return get_profile(row.profile)

    def _signer_profile(self, wanted: x509.Certificate) -> Profile:
        """The profile of a signer's certificate, by what the certified key was made for."""
        purposes = self._own_purposes(wanted)
        for profile in profiles().values():
            if profile.purpose == "signer" and purposes == {SIGNER_PURPOSES[profile.name]}:
                return profile
        raise _refused("serial", "the serial number is not reserved, and the key is no signer's")

    def _own_purposes(self, wanted: x509.Certificate) -> frozenset[KeyPurpose]:
        """What this process made the certified key for; nothing if it is not its own."""
        spki = _spki(wanted)
        for label in self._keys.labels():
            try:
                if spki_der(self._keys.public_key(label)) == spki:
                    return self._keys.purposes(label)
            except InkanError:
                continue  # a secret, or a key that is not held firmly
        return frozenset()

    def _check_term(self, wanted: x509.Certificate, profile: Profile, issuer: Authority) -> None:
        begins, ends = wanted.not_valid_before_utc, wanted.not_valid_after_utc
        if ends - begins > timedelta(days=profile.max_days, seconds=profile.backdate_s):
            raise _refused("term", f"longer than {profile.max_days} days")
        now = self._clock.now()
        if not begins <= now + CLOCK_TOLERANCE or not now < ends <= issuer.not_after:
            raise _refused("term", "it has not begun, is over, or outlives its issuer")

    def _rebuilt(self, wanted: x509.Certificate, profile: Profile, issuer: Authority) -> bytes:
        """The bytes that the profile makes of the free fields: subject, key, serial number, term, binding."""
        contents = builder.Contents(
            subject=wanted.subject,
            spki=_spki(wanted),
            serial=wanted.serial_number,
            not_before=wanted.not_valid_before_utc,
            not_after=wanted.not_valid_after_utc,
            shard=wanted.serial_number % issuer.crl_shards if profile.purpose == "holder" else 0,
            binding=_binding(wanted) if profile.binding else None,
        )
        if key_spec(load_public(contents.spki)) not in profile.key_specs:
            raise _refused("profile", f"{profile.name} certifies {profile.key_specs}")
        unsigned = builder.issued(profile, contents, issuer=issuer, urls=self._hierarchy.urls)
        key = self._twin_key(issuer)
        return unsigned.sign(key, digest_for(key)).tbs_certificate_bytes

    def _twin_key(self, issuer: Authority) -> PrivateKey:
        spec = key_spec(builder.public_key_of(issuer))
        if spec not in self._throw_away:
            self._throw_away[spec] = generate(spec)
        return self._throw_away[spec]

    def _check_ceremonial(self, label: str, read: ToBeSigned) -> None:
        """6. The register is empty yet: what counts is that every certified key is held here, for what it says."""
        if read.format is not SignedFormat.CERTIFICATE:
            return  # a request says nothing but who asks
        wanted: x509.Certificate = read.parsed
        constraints = wanted.extensions.get_extension_for_class(x509.KeyUsage).value
        is_ca = constraints.key_cert_sign
        if not is_ca and _policies(wanted) == {oids.POLICY_AUDIT_HEAD}:
            return  # it has signed heads since before there was an authority, in the platform's own keys
        purposes = self._own_purposes(wanted)
        if not purposes or is_ca != (KeyPurpose.CERT in purposes):
            raise _refused(
                "ceremony", f"{label} certifies keys of this process only, for what they are"
            )
        longest = timedelta(days=MAX_DAYS["ca" if is_ca else "signer"])
        if wanted.not_valid_after_utc - wanted.not_valid_before_utc > longest:
            raise _refused("term", "longer than any profile admits")

    # --- lists and answers ---------------------------------------------------------------------------

    async def _check_list(self, label: str, message: bytes, read: ToBeSigned) -> None:
        crl: x509.CertificateRevocationList = read.parsed
        issuer = await self._authority(label)
        certificate = x509.load_der_x509_certificate(issuer.certificate)
        if crl.issuer.public_bytes() != certificate.subject.public_bytes():
            raise _refused("issuer", "a list in another authority's name")
        self._check_now(crl.last_update_utc)
        longest = MAX_LIST_LIFE[issuer.role]
        if crl.next_update_utc is None or crl.next_update_utc - crl.last_update_utc > longest:
            raise _refused("term", f"a list that stands longer than {longest}")

    async def _check_answer(self, label: str, message: bytes, read: ToBeSigned) -> None:
        answer: ocsp.OCSPResponse = read.parsed
        signer = await self._authority(label)
        certificate = x509.load_der_x509_certificate(signer.certificate)
        identifier = x509.SubjectKeyIdentifier.from_public_key(certificate.public_key())
        named = answer.responder_name
        is_ours = answer.responder_key_hash == identifier.digest or (
            named is not None and named.public_bytes() == certificate.subject.public_bytes()
        )
        if signer.role is not Role.OCSP or not is_ours:
            raise _refused("issuer", "an answer in another responder's name")
        for each in answer.responses:
            self._check_now(each.this_update_utc)
            if (
                each.next_update_utc is None
                or each.next_update_utc - each.this_update_utc > MAX_ANSWER_LIFE
            ):
                raise _refused("term", f"an answer that stands longer than {MAX_ANSWER_LIFE}")

    def _check_now(self, moment: datetime) -> None:
        if abs(moment - self._clock.now()) > CLOCK_TOLERANCE:
            raise _refused("term", "dated at another time than now")

    async def _authority(self, label: str) -> Authority:
        """The authority or signer of the register that has this key, compared with the key itself."""
        found = self._find(label)
        if found is None:
            await self._hierarchy.load()  # made or renewed since the last look
            found = self._find(label)
        if found is None:
            raise _refused("issuer", f"no authority of the register has the key {label}")
        certified = builder.public_key_of(found)
        own = await asyncio.to_thread(self._keys.public_key, label)
        if spki_der(own) != spki_der(certified):
            raise _refused("issuer", f"the register certifies another key as {label}")
        return found

    def _find(self, label: str) -> Authority | None:
        return next((each for each in self._hierarchy if each.key_label == label), None)

    _checks: Final[dict[KeyPurpose, Callable[..., Awaitable[None]]]] = {
        KeyPurpose.CERT: _check_certificate,
        KeyPurpose.CRL: _check_list,
        KeyPurpose.OCSP: _check_answer,
    }


def _reserved(authority: str, serial: str) -> Step[Any]:
    return (yield store.RESERVED.one(authority=authority, serial=serial))


_HOLDER_NAME: Final = frozenset({NameOID.COUNTRY_NAME, NameOID.COMMON_NAME, NameOID.SERIAL_NUMBER})


def _check_name(wanted: x509.Certificate, profile: Profile) -> None:
    """A holder is named by country, name and the random number, and by nothing else (design §5.2 step 5)."""
    named = [attribute.oid for attribute in wanted.subject]
    if profile.purpose == "holder" and (set(named) != _HOLDER_NAME or len(named) != 3):
        raise _refused("profile", "a holder's name has other attributes")


def _binding(wanted: x509.Certificate) -> bytes | None:
    oid = x509.ObjectIdentifier(oids.PHONE_BINDING)
    try:
        extension = wanted.extensions.get_extension_for_oid(oid).value
    except x509.ExtensionNotFound:
        raise _refused("profile", "the binding extension is missing") from None
    return extension.public_bytes()


def _spki(wanted: x509.Certificate) -> bytes:
    return spki_der(wanted.public_key())  # type: ignore[arg-type]


def _refused(rule: str, detail: str) -> SigningRefused:
    return SigningRefused(detail, rule=rule)


def _policies(certificate: x509.Certificate) -> set[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value
    except x509.ExtensionNotFound:
        return set()
    return {policy.policy_identifier.dotted_string for policy in found}
