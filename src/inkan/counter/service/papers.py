"""The papers of a case: copy of the certificate, handbook, acceptance notice, application form (JPKI-21, 22, 25, 37).

What a copy says is read from the certificate itself, in a worker, so that paper and card cannot differ. Every paper
is entered into the audit before it leaves. None holds the number of a photo document or a My Number.
"""

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from inkan.audit import Actor, ActorKind
from inkan.counter.model import (
    Case,
    CaseKind,
    CaseOutOfOrder,
    Clerk,
    DocumentKind,
    Office,
    ReportCause,
)
from inkan.counter.rules import FEE, VALID_YEARS
from inkan.counter.rules.paper_words import say
from inkan.counter.service.parts import Parts
from inkan.crypto.certificate_view import CertificateView, Sex
from inkan.crypto.paper import (
    Barcode,
    Block,
    Choices,
    Face,
    Facts,
    Heading,
    Paper,
    Paragraph,
    Thumbprint,
)
from inkan.pki import Place, Showing
from inkan.store.database import Step
from inkan.web.languages import Formats, Language

_FACES: Final = {
    Language.JA: Face.JAPANESE,
    Language.EN: Face.JAPANESE,
    Language.ZH_HANT: Face.TRADITIONAL_CHINESE,
}
SIGNATURE: Final = "signature"
_GROUP: Final = 4
# Whose thumbprints the handbook prints: roots and whoever certifies below them.
_AUTHORITIES: Final = frozenset({Place.ROOT, Place.AUTHORITY})


class Papers:
    """PDF of each paper; the same case, office, language and moment give the same bytes.

    Every method takes the clerk who prints, the case, the clerk's office, the reader's language and the moment that
    the paper names, and raises PaperFontMissing and PaperGlyphMissing (:mod:`inkan.crypto.paper`).
    """

    def __init__(self, parts: Parts, *, zone: tzinfo | None = None) -> None:
        self._parts = parts
        self._zone = zone or ZoneInfo("Asia/Taipei")
        self._showing = Showing(pki=parts.pki, workers=parts.workers)

    async def copy(
        self, clerk: Clerk, case: Case, *, office: Office, language: Language, at: datetime
    ) -> bytes:
        """The signature certificate on paper (JPKI-22): the seven facts of JPKI-14, thumbprint, barcode of its number.

        Raises:
            CaseOutOfOrder: no certificate was issued in this case yet.
        """
        view = await self._signature(case)
        if view is None:
            raise CaseOutOfOrder(state=case.state.value)
        write = _Writing(language, self._zone)
        serial = view.serial.upper()
        blocks = (
            Facts((*_person(write, view), *_terms(write, view), (write("copy.serial"), serial))),
            Paragraph(write("copy.check")),
            Thumbprint(write("copy.thumbprint"), _groups(view.sha256.replace(":", ""))),
            Paragraph(write("copy.use")),
            Barcode(serial),
        )
        return await self._print("copy", clerk, case, write.paper("copy.title", office, at, blocks))

    async def handbook(
        self, clerk: Clerk, case: Case, *, office: Office, language: Language, at: datetime
    ) -> bytes:
        """What a holder is given: PINs, thumbprints of the authorities (JPKI-37), loss, end."""
        write = _Writing(language, self._zone)
        origin = self._parts.issuer
        thumbprints = [
            Thumbprint(each.title, each.groups)
            for each in self._showing.authorities().all()
            if each.place in _AUTHORITIES
        ]
        blocks = (
            *write.part("handbook.card"),
            *write.part("handbook.thumbprint", address=f"{origin}/ca"),
            *thumbprints,
            *write.part("handbook.lost", online=f"{origin}/online", phone=office.phone),
            *write.part("handbook.end", years=VALID_YEARS),
        )
        paper = write.paper("handbook.title", office, at, blocks)
        return await self._print("handbook", clerk, case, paper)

    async def acceptance_notice(
        self, clerk: Clerk, case: Case, *, office: Office, language: Language, at: datetime
    ) -> bytes:
        """That a revocation was accepted, when, why, and which certificates ended (JPKI-25).

        Raises:
            CaseOutOfOrder: nothing was revoked in this case.
        """
        if case.kind is not CaseKind.REVOKE or case.cause is None:
            raise CaseOutOfOrder(state=case.state.value)
        write = _Writing(language, self._zone)
        view = await self._signature(case)
        rows = [
            (write("notice.case"), _code(case)),
            (write("notice.accepted"), write.moment(at)),
            (write("name"), (view.holder.name or "") if view else ""),
            (write("notice.cause"), write(f"causes.{case.cause}")),
        ]
        if case.card is not None:
            rows.append((write("notice.card"), case.card))
        for certificate_id in sorted(case.certificates.values()):
            issued = await self._parts.pki.certificate(certificate_id)
            rows.append((write("notice.certificate"), issued.serial.upper()))
        blocks = (Facts(tuple(rows)), Paragraph(write("notice.text")), Barcode(_code(case)))
        paper = write.paper("notice.title", office, at, blocks)
        return await self._print("acceptance_notice", clerk, case, paper)

    async def application_form(
        self, clerk: Clerk, case: Case, *, office: Office, language: Language, at: datetime
    ) -> bytes:
        """The form of this kind of case, to be filled in by hand; it holds no fact about anybody."""
        write = _Writing(language, self._zone)
        blocks: list[Block] = [
            Paragraph(write(f"form.declaration.{case.kind}", fee=FEE)),
            Heading(write("form.applicant")),
            Facts(tuple((write(each), "") for each in _APPLICANT)),
            Heading(write("form.document")),
            write.choices("form.documents", DocumentKind),
        ]
        if case.kind is CaseKind.REVOKE:
            blocks += [Heading(write("form.cause")), write.choices("causes", ReportCause)]
        blocks += [
            Facts(((write("form.date"), ""), (write("form.signature"), ""))),
            Paragraph(write("form.no_number"), note=True),
            Barcode(_code(case)),
        ]
        paper = write.paper(f"form.titles.{case.kind}", office, at, tuple(blocks))
        return await self._print("application_form", clerk, case, paper)

    async def _signature(self, case: Case) -> CertificateView | None:
        certificate_id = case.certificates.get(SIGNATURE)
        if certificate_id is None:
            return None
        issued = await self._parts.pki.certificate(certificate_id)
        return await self._parts.workers.read_certificate(issued.der)

    async def _print(
        self, name: str, clerk: Clerk, case: Case, compose: Callable[[str], Paper]
    ) -> bytes:
        pdf = await self._parts.workers.write_paper(compose(self._parts.paper_font))
        await self._parts.db.transact(self._record, name, clerk, case)
        return pdf

    def _record(self, name: str, clerk: Clerk, case: Case) -> Step[None]:
        yield from self._parts.audit.record(
            "counter.paper_printed",
            actor=Actor(ActorKind.STAFF, clerk.account),
            subject=case.person,
            object=case.id,
            details={"paper": name},
        )


_APPLICANT: Final = ("name", "birth_date", "sex", "address", "form.phone")


class _Writing:
    """The words and dates of one language."""

    def __init__(self, language: Language, zone: tzinfo) -> None:
        self.language = language
        self.formats = Formats(language, zone)

    def __call__(self, name: str, /, **fields: object) -> str:
        return say(name, self.language.value, **fields)

    def moment(self, at: datetime) -> str:
        return f"{self.formats.era_day(at)} {at.astimezone(self.formats.zone):%H:%M}"

    def part(self, name: str, /, **fields: object) -> tuple[Block, ...]:
        return Heading(self(f"{name}_title")), Paragraph(self(name, **fields))

    def choices(self, name: str, kinds: type[DocumentKind] | type[ReportCause]) -> Choices:
        return Choices(tuple((self(f"{name}.{each}"), False) for each in kinds))

    def paper(
        self, title: str, office: Office, at: datetime, blocks: tuple[Block, ...]
    ) -> Callable[[str], Paper]:
        """A paper that lacks its font only."""
        return lambda font: Paper(
            title=self(title),
            author=self("office", name=office.name, phone=office.phone),
            language=self.language.value,
            face=_FACES[self.language],
            font=font,
            made_at=at,
            footer=self("printed", day=self.formats.era_day(at)),
            blocks=blocks,
        )


def _person(write: _Writing, view: CertificateView) -> tuple[tuple[str, str], ...]:
    holder = view.holder
    born = write.formats.era_day(holder.birth_date) if holder.birth_date else ""
    return (
        (write("name"), holder.name or ""),
        (write("birth_date"), born),
        (write("sex"), write(f"sexes.{holder.sex or Sex.UNSTATED}")),
        (write("address"), holder.address or ""),
    )


def _terms(write: _Writing, view: CertificateView) -> tuple[tuple[str, str], ...]:
    return (
        (write("copy.issued"), write.formats.era_day(view.not_before)),
        (write("copy.last_day"), write.formats.era_day(view.not_after)),
        (write("copy.issuer"), view.issuer_name),
    )


def _groups(text: str) -> tuple[str, ...]:
    return tuple(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def _code(case: Case) -> str:
    """The id as a barcode has it: Code 39 knows neither small letters nor the low line; reading turns both back."""
    return case.id.upper().replace("_", "-")
