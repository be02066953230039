"""``/verify``: anybody shows a receipt, its evidence, the proof of a use, or a certificate, and reads what it is worth.

What is sent is judged by the verifier that relying parties run offline, read in memory and forgotten. It comes by
POST only, so that no address, history or log holds it. A certificate goes to the viewer of ``pki``, where a worker
process reads it.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final

import msgspec

from inkan.client.receipt_report import SENTENCES, Check, Report, Result, Verdict
from inkan.identification import ReceiptDesk
from inkan.kernel.errors import Category, InkanError, TooLarge
from inkan.portal.model import NothingToVerify
from inkan.portal.pages.judged_words import (
    BACK_ENDS,
    CHECKS,
    KINDS,
    LEVELS,
    NO_EVIDENCE,
    NOT_REACHED,
    OUTCOMES,
    RESULTS,
    VERDICTS,
    WITHOUT_EVIDENCE,
)
from inkan.portal.pages.places import VERIFY_PATH
from inkan.portal.pages.words import DOORS
from inkan.web.catalogue import entries, entry
from inkan.web.exchange import Exchange
from inkan.web.limits import RateLimit
from inkan.web.principal import open_to_all
from inkan.web.problems import status_of
from inkan.web.response import Response
from inkan.web.routes import Bare, Group, Surface
from inkan.web.uploads import Upload, read_upload
from inkan.wire.claims import Claim, claim_names
from inkan.wire.forms import parse_moment
from inkan.wire.reasons import text as reason_text
from inkan.wire.receipt import Receipt
from inkan.wire.shown import Language as WireLanguage

SENT_LIMIT: Final = 512 * 1024
"""As much as ``POST /v1/receipts/verify`` takes."""
FORM_LIMIT: Final = SENT_LIMIT + 64 * 1024
_LIMIT: Final = RateLimit(name="verify", requests=30, window=timedelta(minutes=1))
_OPEN: Final = open_to_all("whoever holds a receipt or a certificate may have it checked")
_TOLD: Final = frozenset({Category.MALFORMED, Category.TOO_LARGE, Category.FORBIDDEN})
_PEM: Final = b"-----BEGIN"
_DER_SEQUENCE: Final = b"\x30"

ShowCertificate = Callable[[Exchange, bytes], Awaitable[Response]]


class Sent(StrEnum):
    """What somebody sent."""

    CERTIFICATE = "certificate"
    RECEIPT = "receipt"
    EVIDENCE = "evidence"
    USE = "use"


def recognise(data: bytes) -> Sent:
    """What these bytes are meant to be; whether they are it is found out later.

    Raises:
        NothingToVerify: nothing that is known here.
    """
    if data.startswith(_DER_SEQUENCE) and not data[:2].isascii():
        return (
            Sent.CERTIFICATE
        )  # a DER certificate is longer than 127 bytes, so its length is not ASCII
    stripped = data.strip()
    if stripped.startswith(_PEM):
        return Sent.CERTIFICATE
    if stripped.startswith(b"{"):
        return _recognise_json(stripped)
    if stripped.count(b".") == 2 and stripped.isascii():
        return Sent.RECEIPT
    raise NothingToVerify()


def _recognise_json(data: bytes) -> Sent:
    try:
        members = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise NothingToVerify() from None
    if "receipt" in members:
        return Sent.EVIDENCE
    if "record" in members:
        return Sent.USE
    raise NothingToVerify()


def verify_routes(desk: ReceiptDesk, show_certificate: ShowCertificate) -> Group:
    """The form and its answer."""

    async def form(exchange: Exchange) -> Response:
        return _form(exchange)

    async def judge(exchange: Exchange) -> Response:
        try:
            data = _sent(await read_upload(exchange))
            kind = recognise(data)
            if kind is Sent.CERTIFICATE:
                return await show_certificate(exchange, data)
            if kind is Sent.USE:
                return await _use_page(desk, exchange, data.strip())
            if kind is Sent.EVIDENCE:
                return _report_page(exchange, await desk.verify_bundle(data), kind)
            return _report_page(exchange, await desk.verify(data.strip().decode("ascii")), kind)
        except InkanError as refusal:
            if refusal.category not in _TOLD:
                raise
            return _form(exchange, refusal)

    return Group(
        surface=Surface.PAGES,
        limit=_LIMIT,
        bare={
            ("GET", VERIFY_PATH): Bare(endpoint=form, access=_OPEN),
            ("POST", VERIFY_PATH): Bare(endpoint=judge, access=_OPEN, body_limit=FORM_LIMIT),
        },
    )


def _sent(upload: Upload) -> bytes:
    """The file that was chosen, else the text that was pasted.

    Raises:
        NothingToVerify: neither.
        TooLarge: more than 512 KiB.
    """
    found = upload.files.get("file") or upload.fields.get("text", "").encode()
    if not found.strip():
        raise NothingToVerify()
    if len(found) > SENT_LIMIT:
        raise TooLarge("the file exceeds its limit", limit_bytes=SENT_LIMIT)
    return found


def _form(exchange: Exchange, refusal: InkanError | None = None) -> Response:
    facts: dict[str, Any] = {"path": VERIFY_PATH, "limit_kib": SENT_LIMIT // 1024}
    if refusal is None:
        return exchange.page("portal/verify.html", fault="", **facts)
    fault = entry(refusal.code).text(exchange.language)
    status = HTTPStatus(status_of(refusal))
    return exchange.page("portal/verify.html", status=status, fault=fault, **facts)


def _report_page(exchange: Exchange, report: Report, kind: Sent) -> Response:
    receipt = report.receipt
    return exchange.page(
        "portal/verified.html",
        verdict=VERDICTS[report.verdict],
        is_valid=report.verdict is Verdict.VALID,
        at=report.at,
        checks=_checks(exchange, report, has_evidence=kind is Sent.EVIDENCE),
        words=[SENTENCES[word] for word in report.rests_on_platform],
        receipt=receipt,
        facts_of=_facts(exchange, receipt) if receipt is not None else {},
        path=VERIFY_PATH,
    )


def _checks(exchange: Exchange, report: Report, *, has_evidence: bool) -> list[dict[str, Any]]:
    """Every step of the plan as a line: its number, what it asks, how it ended, and the cause for people."""
    taken = {check.number: check for check in report.checks}
    lines = []
    for number, asked in CHECKS.items():
        line = {"number": number, "asked": asked, "code": "", "cause": ""}
        check = taken.get(number)
        if check is None:
            skipped = number > WITHOUT_EVIDENCE and not has_evidence
            line |= {"ended": NO_EVIDENCE if skipped else NOT_REACHED, "mark": "open"}
        else:
            line |= {"ended": RESULTS[check.result], "mark": check.result.value}
            line |= _cause(exchange, check)
        lines.append(line)
    return lines


def _cause(exchange: Exchange, check: Check) -> dict[str, str]:
    """Why a step did not pass, where the catalogue knows."""
    code = check.detail.partition(":")[0]
    if check.result is Result.PASSED or code not in entries():
        return {}
    return {"code": code, "cause": entry(code).text(exchange.language)}


def _facts(exchange: Exchange, receipt: Receipt) -> dict[str, Any]:
    names, language = claim_names(), exchange.language.value
    level, meaning = LEVELS[receipt.binding.level]
    reason = receipt.reason
    return {
        "kind": KINDS[receipt.kind],
        "outcome": OUTCOMES[receipt.outcome],
        "reason": reason_text(reason, WireLanguage(language)) if reason is not None else "",
        "decided_at": parse_moment(receipt.decided_at),
        "released_at": parse_moment(receipt.released_at),
        "status_at": parse_moment(receipt.status_at) if receipt.status_at else None,
        "door": DOORS[receipt.door] if receipt.door is not None else "",
        "level": level,
        "level_meaning": meaning,
        "back_end": BACK_ENDS[receipt.back_end.kind] if receipt.back_end is not None else "",
        "claims": [
            (_claim(names, code, language), value) for code, value in receipt.claims.items()
        ],
    }


def _claim(names: Any, code: str, language: str) -> str:
    try:
        return str(names[Claim(code)][language])
    except ValueError:
        return code  # a code of a later version


async def _use_page(desk: ReceiptDesk, exchange: Exchange, data: bytes) -> Response:
    """The proof that a use stands in the log; what fails is told as a verdict, as for a receipt."""
    try:
        used = await desk.verify_use(data)
    except InkanError as refusal:
        if refusal.category is Category.UNAVAILABLE:
            raise
        cause = entry(refusal.code).text(exchange.language)
        return exchange.page(
            "portal/verified_use.html",
            verdict=VERDICTS[Verdict.INVALID],
            cause=cause,
            code=refusal.code,
            used=None,
            path=VERIFY_PATH,
        )
    return exchange.page(
        "portal/verified_use.html",
        verdict=VERDICTS[Verdict.VALID],
        cause="",
        code="",
        used=used,
        used_at=parse_moment(used.record.at),
        outcome=OUTCOMES[used.record.outcome],
        path=VERIFY_PATH,
    )


__all__ = ["Sent", "ShowCertificate", "recognise", "verify_routes"]
