"""One run of the kit: every attack in its order, what came of it, and the signed report."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from inkan.conformance.model import About, EndpointWrong, Fell, Finding, Item, Unproved
from inkan.conformance.rules import KIT_VERSION
from inkan.conformance.service import attacks_answers as answers
from inkan.conformance.service import attacks_browsers as browsers
from inkan.conformance.service import attacks_webhooks as webhooks
from inkan.conformance.service.browser import TestEndpoint
from inkan.conformance.service.platform import HostilePlatform
from inkan.conformance.service.stage import Stage
from inkan.crypto import jose
from inkan.crypto.jose import Algorithm
from inkan.kernel.clock import Clock, rfc3339
from inkan.wire.conformance_report import (
    REPORT_TYP,
    ConformanceItem,
    ConformanceReport,
    report_bytes,
)
from inkan.wire.forms import UNSAFE_CLASS

DETAIL_LIMIT: Final = 400
_UNSAFE: Final = re.compile(f"[{UNSAFE_CLASS}]")
Attack = Callable[[Stage], Awaitable[None]]

ATTACKS: Final[Mapping[Item, Attack]] = MappingProxyType(
    {
        Item.REPLAYED_RETURN_CODE: browsers.replayed_return_code,
        Item.SWAPPED_CALLBACK: browsers.swapped_callback,
        Item.SESSION_FIXATION: browsers.session_fixation,
        Item.FIXED_COOKIE: browsers.fixed_cookie,
        Item.STALE_FRAME: browsers.stale_frame,
        Item.WRONG_PERSON: browsers.wrong_person,
        Item.FORGED_RECEIPT: answers.forged_receipt,
        Item.EXPIRED_SIGNER: answers.expired_signer,
        Item.WRONG_SIGNER: answers.wrong_signer,
        Item.REVOKED_CERTIFICATE: answers.revoked_certificate,
        Item.SWAPPED_RECEIPT: answers.swapped_receipt,
        Item.CONTRADICTING_VIEW: answers.contradicting_view,
        Item.ALG_CONFUSION: answers.alg_confusion,
        Item.LOW_LEVEL: answers.low_level,
        Item.UNKNOWN_ANSWER: answers.unknown_answer,
        Item.CANCELLED_SESSION: answers.cancelled_session,
        Item.WEBHOOK_FORGERY: webhooks.webhook_forgery,
        Item.WEBHOOK_REPLAY: webhooks.webhook_replay,
    }
)


class Run:
    """A run against one test endpoint, on a platform that already serves.

    Args:
        platform: that the relying party is configured for.
        endpoint: of the relying party.
        waits: ``patience_s`` and ``frame_after_s`` of :class:`Stage`, where they are others than the usual.
    """

    def __init__(self, platform: HostilePlatform, endpoint: TestEndpoint, **waits: float) -> None:
        self._platform = platform
        self._endpoint = endpoint
        self._waits = waits

    async def about(self) -> About:
        """Whom the run is about.

        Raises:
            EndpointWrong: nobody answers as the contract says, or it is configured for another platform.
        """
        about = await self._endpoint.about()
        if about.issuer != self._platform.issuer:
            raise EndpointWrong(
                f"it is configured for {about.issuer[:200]}, not {self._platform.issuer}"
            )
        return about

    async def findings(self, items: Sequence[Item] = tuple(Item)) -> AsyncIterator[Finding]:
        """Attack by attack, what came of it.

        Raises:
            EndpointWrong: see :meth:`about`; later silence is a finding.
        """
        about = await self.about()
        stage = Stage(self._platform, self._endpoint, about, **self._waits)
        for item in items:
            yield await _attack(stage, item)

    async def all(self, items: Sequence[Item] = tuple(Item)) -> list[Finding]:
        """What came of these attacks; refusals as :meth:`findings`."""
        return [finding async for finding in self.findings(items)]


async def _attack(stage: Stage, item: Item) -> Finding:
    try:
        await ATTACKS[item](stage)
    except Fell as seen:
        return Finding(item, passed=False, detail=one_line(f"attack succeeded: {seen}"))
    except (Unproved, EndpointWrong) as missing:
        return Finding(item, passed=False, detail=one_line(f"legal run failed: {missing}"))
    return Finding(item, passed=True)


def one_line(text: str) -> str:
    """A line that a report admits, at most 400 characters: details quote what a stranger's server said."""
    return _UNSAFE.sub(" ", text)[:DETAIL_LIMIT].strip() or "?"


def items_of(findings: Sequence[Finding]) -> list[ConformanceItem]:
    """The findings as they stand in a report."""
    return [ConformanceItem(id=f.item, passed=f.passed, detail=f.detail) for f in findings]


def signed_report(
    system: str, findings: Sequence[Finding], key: EllipticCurvePrivateKey, *, clock: Clock
) -> str:
    """The report of one run as a compact JWS.

    Args:
        system: code of the system that was attacked.
        findings: of every attack.
        key: P-256.
        clock: true time.

    Raises:
        ConformanceReportMalformed: no findings, one twice, or a code that is none.
    """
    report = ConformanceReport(
        system=system,
        kit_version=KIT_VERSION,
        passed=all(finding.passed for finding in findings),
        at=rfc3339(clock.wire_now()),
        items=tuple(items_of(findings)),
    )
    return jose.sign_compact(report_bytes(report), key, alg=Algorithm.ES256, typ=REPORT_TYP)
