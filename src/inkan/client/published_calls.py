"""The open part of the RP API as conversations: nobody proves anything, and every request may arrive twice."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from inkan.client.exchange import (
    Answer,
    Conversation,
    Request,
    ask,
    joined,
    segment,
    verify_success,
)
from inkan.client.published_view import ErrorCodes, ErrorEntry, PlatformStatus, RemoteReport
from inkan.client.repeating import Patience, repeated
from inkan.kernel.clock import rfc3339
from inkan.wire.evidence import EvidenceBundle, evidence_bytes

_JSON: Final = {"content-type": "application/json"}
_VERIFY_TIMEOUT_S: Final = 30.0


class PublishedCalls:
    """What the platform at ``issuer`` tells everybody.

    Each method is a conversation; it raises CallRefused and its subclasses, PlatformUnreachable,
    AnswerMalformed and AnswerTooLarge.
    """

    def __init__(self, issuer: str, patience: Patience) -> None:
        self._issuer = issuer
        self._patience = patience

    def errors(self, code: str) -> Conversation[ErrorEntry]:
        """Return all that is known of one code; CallNotFound when there is no such code."""
        return (yield from self._ask("GET", f"/v1/errors/{segment(code)}")).read(ErrorEntry)

    def error_codes(self) -> Conversation[ErrorCodes]:
        """Return every code."""
        return (yield from self._ask("GET", "/v1/errors")).read(ErrorCodes)

    def status(self) -> Conversation[PlatformStatus]:
        """Return how sessions fared in the last 5 and 60 minutes."""
        return (yield from self._ask("GET", "/v1/status")).read(PlatformStatus)

    def key_set(self) -> Conversation[bytes]:
        """Return the key set (RFC 7517) of those who sign webhooks."""
        return (yield from self._ask("GET", "/v1/jwks.json")).body

    def verify(
        self, receipt: str, *, evidence: EvidenceBundle | None, at: datetime | None
    ) -> Conversation[RemoteReport]:
        """Return the platform's verdict over a receipt."""
        members: dict[str, Any] = {"receipt": receipt}
        if evidence is not None:
            members["evidence"] = msgspec.Raw(evidence_bytes(evidence))
        if at is not None:
            members["at"] = rfc3339(at)
        answer = yield from self._ask(
            "POST",
            "/v1/receipts/verify",
            body=msgspec.json.encode(members),
            headers=_JSON,
            timeout_s=_VERIFY_TIMEOUT_S,
        )
        return answer.read(RemoteReport)

    def _ask(
        self, method: str, path: str, *, headers: Mapping[str, str] = {}, **parts: Any
    ) -> Conversation[Answer]:
        url = joined(self._issuer, path)
        request = Request(method=method, url=url, headers=headers, **parts)
        return (yield from repeated(lambda: _answered(request), patience=self._patience))


def _answered(request: Request) -> Conversation[Answer]:
    return verify_success((yield from ask(request)))
