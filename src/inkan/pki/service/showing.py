"""What people look at: the picture of the authorities, any certificate taken apart, and the state of a serial number.

Nothing that a person brings along is stored or logged: a file is read in memory, answered, and forgotten. Whoever
asks about a serial number hears the same whether it was never drawn or never finished: *unknown*.
"""

from datetime import datetime
from enum import StrEnum

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from inkan.crypto.certificate_file import read_certificate_file
from inkan.crypto.certificate_view import CertificateView
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.crl import parse_crl
from inkan.crypto.path import RevocationReason
from inkan.crypto.workers.pool import WorkerPool
from inkan.crypto.x509_admission import LIBRARY_REFUSALS
from inkan.kernel.errors import Malformed, TooLarge
from inkan.pki.model import Authority, CertificateState, CrossCertificate
from inkan.pki.service import PKI
from inkan.pki.service.forest import Forest, Tree, draw


class PublicState(StrEnum):
    """What everybody may hear about a certificate."""

    VALID = "valid"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


_STATES = {
    CertificateState.VALID: PublicState.VALID,
    CertificateState.SUSPENDED: PublicState.SUSPENDED,
    CertificateState.REVOKED: PublicState.REVOKED,
    # What was not issued is as unknown as what was never asked for.
    CertificateState.RESERVED: PublicState.UNKNOWN,
    CertificateState.INTENDED: PublicState.UNKNOWN,
    CertificateState.REFUSED: PublicState.UNKNOWN,
}


class SerialState(msgspec.Struct, frozen=True, kw_only=True):
    """The public state of one serial number of one authority.

    Attributes:
        serial: lower-case hexadecimal.
        crl: the list that would name it; ocsp: where to ask, empty where nobody answers.
        since: when it was revoked or suspended, or when it ended; None for the other states.
        reason: as the list has it (RFC 5280 §5.3.1); None unless it is revoked or suspended.
        at: when this was looked up.
    """

    authority: str
    title: str
    serial: str
    state: PublicState
    at: datetime
    crl: str
    ocsp: str
    since: datetime | None = None
    reason: RevocationReason | None = None


class Shown(msgspec.Struct, frozen=True):
    """A certificate for people.

    Attributes:
        ours: its place in the picture when it is one of the authorities' own certificates.
        issued_by: the authority of this instance whose signature it carries, verified; None for a stranger's.
        chain: titles of the authorities above it, its issuer first, the root last; empty for a stranger's.
        state: its public state now; None for a stranger's.
    """

    view: CertificateView
    ours: Tree | None
    issued_by: Authority | None
    chain: tuple[str, ...] = ()
    state: SerialState | None = None


class Showing:
    """The questions of the pages and commands for people."""

    def __init__(self, *, pki: PKI, workers: WorkerPool) -> None:
        self._pki = pki
        self._workers = workers
        self._drawn: tuple[list[Authority | CrossCertificate], Forest] | None = None

    def authorities(self) -> Forest:
        """The picture of the authorities; drawn again when they changed."""
        hierarchy = self._pki.hierarchy
        present = [*hierarchy, *hierarchy.crosses]
        if self._drawn is None or self._drawn[0] != present:
            drawn = draw(hierarchy, hierarchy.urls, crosses=hierarchy.crosses)
            self._drawn = (present, drawn)
        return self._drawn[1]

    def issuers(self) -> list[Tree]:
        """The authorities that issue certificates, in the order of the picture."""
        return [each for each in self.authorities().all() if each.crl]

    def find_own(self, data: bytes) -> Tree | None:
        """The authority certificate that a file holds, or None: only hashed, never parsed.

        Raises:
            CertificateFileTooLarge, CertificateFileUnreadable: the file holds no certificate.
        """
        return self.authorities().find(read_certificate_file(data).der)

    async def show(self, data: bytes) -> Shown:
        """Take a certificate apart, in a worker.

        Raises:
            CertificateFileTooLarge, CertificateFileUnreadable, CertificateMalformed: the file holds no certificate.
            WorkerTimeout, WorkerCrashed, WorkersBusy: it could not be read now.
        """
        view = await self._workers.read_certificate(data)
        ours = self.authorities().find(view.der)
        issuer = self._find_issuer(view.der)
        if issuer is None:
            return Shown(view, ours, None)
        state = await self.state(issuer.name, view.serial)
        return Shown(view, ours, issuer, self._chain_above(issuer), state)

    def _chain_above(self, issuer: Authority) -> tuple[str, ...]:
        """The titles from the issuer up to its root."""
        titles = {each.name: each.title for each in self.authorities().all()}
        above = [issuer]
        while above[-1].parent != above[-1].name and len(above) <= len(titles):
            above.append(self._pki.hierarchy.get(above[-1].parent))
        return tuple(titles.get(each.name, each.name) for each in above)

    async def state(self, name: str, serial: str) -> SerialState:
        """The state of an authority's serial number (lower-case hexadecimal) now.

        Raises:
            AuthorityUnknown: no authority of that name issues certificates.
        """
        issuer = self._pki.hierarchy.get(name)
        row = await self._pki.find_by_serial(issuer.name, serial)
        now = self._pki.now()
        if row is None:
            return await self._state_of_authority(issuer, serial, now)
        state = _STATES[row.state]
        if state is PublicState.VALID and row.not_after < now:
            return self._answer(issuer, serial, PublicState.EXPIRED, now, since=row.not_after)
        if state in {PublicState.REVOKED, PublicState.SUSPENDED}:
            return self._answer(issuer, serial, state, now, since=row.changed_at, reason=row.reason)
        return self._answer(issuer, serial, state, now)

    async def state_of_file(self, data: bytes) -> SerialState | None:
        """The state of the certificate in a file; None when no authority of this instance signed it.

        A certificate that only names an authority is a stranger's: its serial number says nothing.

        Raises:
            as :meth:`show`.
        """
        view = await self._workers.read_certificate(data)
        issuer = self._find_issuer(view.der)
        return None if issuer is None else await self.state(issuer.name, view.serial)

    def _find_issuer(self, der: bytes) -> Authority | None:
        """The authority that signed these bytes; self-signed ones were signed by nobody above them."""
        try:
            parsed = parse_certificate(der).x509
        except (Malformed, TooLarge):
            return None  # nothing that was issued here fails the strict gate
        for authority in self._pki.hierarchy:
            if authority.certificate != der and _signed(parsed, authority):
                return authority
        return None

    async def _state_of_authority(
        self, issuer: Authority, serial: str, now: datetime
    ) -> SerialState:
        """Authorities stand in no register: their state is what their issuer's list says."""
        wanted = int(serial, 16)
        certified = next(
            (
                parsed
                for parsed in map(_parsed, self._pki.hierarchy)
                if parsed.serial_number == wanted and _signed(parsed, issuer)
            ),
            None,
        )
        if certified is None:
            return self._answer(issuer, serial, PublicState.UNKNOWN, now)
        shards = max(issuer.crl_shards, 1)
        listed = parse_crl(await self._pki.crl(issuer.name, wanted % shards))
        entry = listed.get_revoked_certificate_by_serial_number(wanted)
        if entry is not None:
            since = entry.revocation_date_utc
            return self._answer(issuer, serial, PublicState.REVOKED, now, since=since)
        end = certified.not_valid_after_utc
        if end < now:
            return self._answer(issuer, serial, PublicState.EXPIRED, now, since=end)
        return self._answer(issuer, serial, PublicState.VALID, now)

    def _answer(
        self,
        issuer: Authority,
        serial: str,
        state: PublicState,
        now: datetime,
        *,
        since: datetime | None = None,
        reason: RevocationReason | None = None,
    ) -> SerialState:
        urls = self._pki.hierarchy.urls
        place = next(each for each in self.authorities().all() if each.name == issuer.name)
        shards = issuer.crl_shards
        shard = int(serial, 16) % shards if shards else 0
        return SerialState(
            authority=issuer.name,
            title=place.title,
            serial=serial,
            state=state,
            at=now,
            crl=urls.crl(issuer.name, shard=shard, shards=shards) if shards else "",
            ocsp=place.ocsp,
            since=since,
            reason=reason,
        )


def _parsed(authority: Authority) -> x509.Certificate:
    return x509.load_der_x509_certificate(authority.certificate)


def _signed(parsed: x509.Certificate, authority: Authority) -> bool:
    """Whether the authority's key made the signature, its name as issuer included."""
    try:
        parsed.verify_directly_issued_by(_parsed(authority))
    except (*LIBRARY_REFUSALS, InvalidSignature):
        return False
    return True
