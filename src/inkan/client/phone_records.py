"""What the platform has written down of a person, from the phone: uses, reports, consents, known browsers."""

from typing import Any, Final

from inkan.client.phone_api import Empty
from inkan.client.phone_approval import Decision
from inkan.client.phone_parts import PhoneParts
from inkan.client.phone_presence import get_with_presence, post_with_presence, show_presence
from inkan.wire.use_proof import UseProof, use_proof_bytes

RECORDS: Final = "/phone/v1/records"
CONSENTS: Final = "/phone/v1/consents"
BROWSERS: Final = "/phone/v1/browsers"


async def fetch_use(parts: PhoneParts, record: str) -> dict[str, Any]:
    """One use and its place in the audit log."""
    return await get_with_presence(parts, f"{RECORDS}/{record}", dict[str, Any])


async def fetch_proof(parts: PhoneParts, record: str) -> bytes:
    """The proof of a use, canonical JSON; :func:`inkan.client.use_checks.verify_use` checks it.

    Raises:
        CallUnavailable: no head that others can check stands over it yet (``event_not_covered``).
    """
    return use_proof_bytes(await get_with_presence(parts, f"{RECORDS}/{record}/proof", UseProof))


async def report_use(parts: PhoneParts, record: str) -> dict[str, Any]:
    """Say that the person did not start a use; a second time changes nothing."""
    return await parts.api.post(f"{RECORDS}/{record}/report", {}, dict[str, Any], again=True)


async def turn_down(parts: PhoneParts, approval: str, *, report: bool) -> Decision:
    """Refuse what was pushed to this phone without opening it, or say that somebody else started it."""
    act = "report" if report else "refuse"
    return await parts.api.post(f"/phone/v1/approvals/{approval}/{act}", {}, Decision, again=True)


async def fetch_consents(parts: PhoneParts) -> list[dict[str, Any]]:
    """What the person gave to whom, newest first."""
    answer = await get_with_presence(parts, CONSENTS, dict[str, Any])
    rows = answer.get("consents")
    return rows if isinstance(rows, list) else []


async def withdraw_consent(parts: PhoneParts, consent: str) -> None:
    """Take a consent back; a second time changes nothing."""
    await post_with_presence(parts, f"{CONSENTS}/{consent}/withdraw", {}, Empty)


async def forget_browser(parts: PhoneParts, browser: str) -> None:
    """End a pairing; the person is verified first."""
    await show_presence(parts)
    await parts.api.delete(f"{BROWSERS}/{browser}")
