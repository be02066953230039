"""A certificate of a person's phone, as bytes and as fields that a wallet shows (JPKI-14)."""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from inkan.crypto import base64url, cms
from inkan.crypto.certificate_view import CertificateView as View
from inkan.crypto.certificate_view import Line, NamePart
from inkan.crypto.serial_numbers import show_serial
from inkan.crypto.workers.pool import WorkerCrashed, WorkersBusy, WorkerTimeout
from inkan.kernel.clock import rfc3339
from inkan.pki import IssuedCertificate, SerialState, Showing
from inkan.wire.binding import BackEnd

_KEY_USAGE: Final = "2.5.29.15"
_POLICIES: Final = "2.5.29.32"
# The viewer is a convenience: a phone that collects its certificates gets them without it.
_UNREADABLE_NOW: Final = (WorkerCrashed, WorkersBusy, WorkerTimeout)

Translate = Callable[[str], str]


class ShownLine(msgspec.Struct, frozen=True):
    """One value under its name, in the reader's language; ``words`` say it in words."""

    term: str
    value: str
    words: list[str]


class ShownExtension(msgspec.Struct, frozen=True):
    """One extension; ``name`` is empty for an unknown one."""

    oid: str
    name: str
    critical: bool
    lines: list[ShownLine]


class ShownStatus(msgspec.Struct, frozen=True):
    """The certificate's state now: ``valid``, ``suspended``, ``revoked``, ``expired`` or ``unknown``, since when, why."""

    state: str
    since: str | None
    reason: str | None
    at: str


class ShownCertificate(msgspec.Struct, frozen=True):
    """What a viewer shows of a certificate, so that a wallet needs no parser (JPKI-14, WAT-75).

    Attributes:
        serial, thumbprint_sha256: upper-case hexadecimal in pairs.
        key_usage: in words.
        policies: the certificate policies.
        back_end: where the phone keeps the key, as it declared.
    """

    subject: list[ShownLine]
    issuer: list[ShownLine]
    issuer_name: str
    serial: str
    version: str
    signature_algorithm: str
    key: list[ShownLine]
    key_usage: list[str]
    policies: list[ShownLine]
    extensions: list[ShownExtension]
    back_end: str
    thumbprint_sha256: str
    status: ShownStatus


class CertificateView(msgspec.Struct, frozen=True):
    """A certificate of the phone and its issuers, each base64url DER, without the root.

    ``issuer_and_serial`` is how a renewal names it (RFC 5652 §10.2.4): a wallet in a browser reads no DER.
    ``shown`` is null while nothing can be read out of certificates; the bytes are given out all the same.
    """

    id: str
    profile: str
    der: str
    chain: list[str]
    not_before: str
    not_after: str
    issuer_and_serial: str
    shown: ShownCertificate | None


async def certificate_view(
    issued: IssuedCertificate, *, back_end: BackEnd, showing: Showing, translate: Translate
) -> CertificateView:
    """The certificate as it is given out.

    Args:
        issued: the certificate.
        back_end: of the phone that holds it.
        showing: reads the fields out of it, in a worker.
        translate: from the English words of the fields to the reader's language.
    """
    return CertificateView(
        id=issued.id,
        profile=issued.profile,
        der=base64url.encode(issued.der),
        chain=[base64url.encode(der) for der in issued.chain],
        not_before=rfc3339(issued.not_before),
        not_after=rfc3339(issued.not_after),
        issuer_and_serial=base64url.encode(cms.issuer_and_serial(issued.der)),
        shown=await _shown(issued.der, back_end, showing, translate),
    )


async def _shown(
    der: bytes, back_end: BackEnd, showing: Showing, translate: Translate
) -> ShownCertificate | None:
    try:
        view = (await showing.show(der)).view
        state = await showing.state_of_file(der)
    except _UNREADABLE_NOW:
        return None
    return ShownCertificate(
        subject=_names(view.subject, translate),
        issuer=_names(view.issuer, translate),
        issuer_name=view.issuer_name,
        serial=show_serial(view.serial),
        version=view.version,
        signature_algorithm=view.signature_algorithm,
        key=_lines(view.key, translate),
        key_usage=[translate(word) for line in _extension(view, _KEY_USAGE) for word in line.words],
        policies=_lines(_extension(view, _POLICIES), translate),
        extensions=[
            ShownExtension(
                oid=each.oid,
                name=_told(each.name, translate),
                critical=each.critical,
                lines=_lines(each.lines, translate),
            )
            for each in view.extensions
        ],
        back_end=str(back_end),
        thumbprint_sha256=view.sha256,
        status=_status(state),
    )


def _status(state: SerialState | None) -> ShownStatus:
    assert state is not None, "a certificate of a phone was issued here"
    return ShownStatus(
        state=str(state.state),
        since=rfc3339(state.since) if state.since else None,
        reason=state.reason.value if state.reason else None,
        at=rfc3339(state.at),
    )


def _extension(view: View, oid: str) -> tuple[Line, ...]:
    return next((each.lines for each in view.extensions if each.oid == oid), ())


def _names(parts: Iterable[NamePart], translate: Translate) -> list[ShownLine]:
    return [ShownLine(_told(part.term, translate) or part.oid, part.value, []) for part in parts]


def _lines(lines: Iterable[Line], translate: Translate) -> list[ShownLine]:
    return [
        ShownLine(_told(line.term, translate), line.value, [translate(word) for word in line.words])
        for line in lines
    ]


def _told(term: str, translate: Translate) -> str:
    """A term in the reader's language; the empty one stays empty (gettext would tell of its catalogue)."""
    return translate(term) if term else ""
