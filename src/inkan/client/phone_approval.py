"""One approval on the phone (design §5.3): open, decide, refuse, report.

One verification of the person yields both proofs: the passkey's assertion over the statement, and its PRF value that
brings back the certificate key for the one signature.
"""

import contextlib
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from inkan.client import certificate_keys, draft_check
from inkan.client.exchange import FINAL_REFUSALS, CallRefused, PlatformUnreachable
from inkan.client.phone_api import Empty
from inkan.client.phone_parts import PhoneParts
from inkan.client.phone_state import Bound, OpenApproval
from inkan.crypto import base64url, jose
from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import PrivateKey
from inkan.kernel.clock import rfc3339
from inkan.kernel.errors import NotFound
from inkan.kernel.ids import random_bytes
from inkan.wire import statement as statements
from inkan.wire.binding import BackEnd
from inkan.wire.link import parse_address
from inkan.wire.qr import parse_frame
from inkan.wire.session import Outcome, SessionState
from inkan.wire.shown import text_sha256
from inkan.wire.statement import NONCE_SIZE, STATEMENT_TYP, Draft

ASSERTION_USED: Final = "activation_used"


class ApprovalNotOpen(NotFound):
    """This phone has no such approval open."""

    code = "phone_approval_not_open"
    title = "No such request is open on this phone"


class Decision(msgspec.Struct, frozen=True):
    """What the platform made of an answer.

    Attributes:
        return_url: the address that the phone's browser opens now, for doors that come back from the phone.
    """

    state: SessionState
    outcome: Outcome | None = None
    return_url: str | None = None


class Waiting(msgspec.Struct, frozen=True):
    """A question that was pushed to this phone: who asks, what for, and whether a code must be typed."""

    approval: str
    kind: str
    relying_party: str
    domain: str
    purpose_text: str
    at: str
    expires_at: str
    code_required: bool


class _Waitings(msgspec.Struct, frozen=True):
    waiting: list[Waiting] = []


class _Opened(msgspec.Struct, frozen=True):
    approval: str
    draft: dict[str, Any]
    text: str
    expires_at: str
    now: str


async def open_frame(parts: PhoneParts, frame: str) -> OpenApproval:
    """Open the approval whose code was scanned, check its draft, and remember it.

    Raises:
        PhoneNotBound: there is no binding.
        QRFrameMalformed: not a code of this wallet.
        DraftRefused: the draft does not fit this phone.
        CallRefused: stale, forged, or opened on another phone, among others.
    """
    parse_frame(frame, origin=parts.state.wallet_origin)
    return await _open(parts, {"frame": frame})


async def open_link(parts: PhoneParts, address: str) -> OpenApproval:
    """Open the approval whose address a browser or app handed over; refusals as :func:`open_frame`.

    Raises:
        LinkMalformed: not an address of this wallet.
    """
    parse_address(address, origin=parts.state.wallet_origin)
    return await _open(parts, {"link": address})


async def open_push(parts: PhoneParts, approval: str, code: str | None) -> OpenApproval:
    """Open a pushed approval by the code that the asking page shows; refusals as :func:`open_frame`.

    A wrong code counts, so this call is never repeated by itself.
    """
    body = {"approval": approval} | ({} if code is None else {"code": code})
    return await _open(parts, body, again=code is None)


async def waiting(parts: PhoneParts, *, wait_s: int = 0) -> list[Waiting]:
    """What was pushed to this phone and waits; with ``wait_s`` the platform may hold the answer back so long."""
    return (await parts.api.get("/phone/v1/approvals", _Waitings, wait_s=wait_s)).waiting


async def _open(parts: PhoneParts, brought: dict[str, str], *, again: bool = True) -> OpenApproval:
    bound = parts.bound
    body = {**brought, "lang": parts.state.lang}
    opened = await parts.api.post("/phone/v1/approvals/open", body, _Opened, again=again)
    try:
        draft = _checked(parts, bound, opened)
    except draft_check.DraftRefused:
        await give_back(parts, opened.approval)
        raise
    approval = OpenApproval(
        id=opened.approval,
        draft=statements.draft_bytes(draft),
        text=opened.text,
        expires_at=opened.expires_at,
    )
    _forget(parts, approval.id)
    _forget_expired(parts)
    parts.state.approvals.append(approval)
    parts.save()
    return approval


def _checked(parts: PhoneParts, bound: Bound, opened: _Opened) -> Draft:
    return draft_check.verify_draft(
        draft_check.read_draft(opened.draft),
        opened.text,
        bound=bound,
        platform=parts.state.platform,
        lang=parts.state.lang,
        now=parts.api.now(),
    )


def find_open(parts: PhoneParts, approval: str | None) -> OpenApproval:
    """Return an open approval by its id, or the one opened last.

    Raises:
        ApprovalNotOpen: there is none.
    """
    for held in reversed(parts.state.approvals):
        if approval in {None, held.id}:
            return held
    raise ApprovalNotOpen(approval or "")


async def approve(parts: PhoneParts, approval: str | None = None) -> Decision:
    """Sign the statement of an open approval and send both proofs.

    The proofs are on the disk before they leave; calling again after a lost answer sends the same bytes, which the
    platform answers as before.

    Raises:
        ApprovalNotOpen: there is none.
        UserNotVerified: the person was not recognised; nothing was signed.
        CallRefused: expired, cancelled or decided otherwise meanwhile.
    """
    held = find_open(parts, approval)
    if held.body is None:
        held = msgspec.structs.replace(held, body=_decide(parts, held))
        _forget(parts, held.id)
        parts.state.approvals.append(held)
        parts.save()
    try:
        return await _send(parts, held, "decide", held.body or b"{}", again=True)
    except CallRefused as refused:
        if refused.problem.code == ASSERTION_USED:
            # The answer got lost behind the signature: the person confirms once more.
            parts.state.approvals.append(msgspec.structs.replace(held, body=None))
            parts.save()
        raise


async def refuse(parts: PhoneParts, approval: str | None = None) -> Decision:
    """Say no; the channel key suffices. Refusals as :meth:`approve`, without the person's verification."""
    return await _send(parts, find_open(parts, approval), "refuse", b"{}")


async def report(parts: PhoneParts, approval: str | None = None) -> Decision:
    """Say "I did not start this"; the channel key suffices."""
    return await _send(parts, find_open(parts, approval), "report", b"{}")


async def give_back(parts: PhoneParts, approval: str) -> None:
    """Let go of an open approval without deciding; another scan may open it (three times at most).

    What cannot be given back falls back by itself after a minute.
    """
    with contextlib.suppress(CallRefused, PlatformUnreachable):
        await parts.api.post(f"/phone/v1/approvals/{approval}/release", {}, Empty)
    _forget(parts, approval)
    parts.save()


async def _send(
    parts: PhoneParts, held: OpenApproval, verb: str, body: bytes, *, again: bool = False
) -> Decision:
    path = f"/phone/v1/approvals/{held.id}/{verb}"
    try:
        decision = await parts.api.post(path, body, Decision, again=again)
    except FINAL_REFUSALS:
        _forget(parts, held.id)
        parts.save()
        raise
    _forget(parts, held.id)
    parts.save()
    return decision


def _decide(parts: PhoneParts, held: OpenApproval) -> bytes:
    """The body of a decision: both proofs over the bytes of one statement, or what lets the platform's signer make one."""
    draft = statements.parse_draft(held.draft)
    data = statements.statement_bytes(
        draft, phone_nonce=random_bytes(NONCE_SIZE), text_sha256=text_sha256(held.text)
    )
    challenge = statements.statement_challenge(data)
    if parts.state.back_end is BackEnd.B:
        assertion = parts.assert_person(challenge)
        return msgspec.json.encode({"statement": base64url.encode(data), "assertion": assertion})
    assertion, prf = parts.assert_user(challenge)
    key = certificate_keys.unwrap(parts.bound.keys[parts.bound.use_for(draft.kind)], prf)
    return msgspec.json.encode({"jws": _sign(data, draft, key), "assertion": assertion})


def _sign(data: bytes, draft: Draft, key: PrivateKey) -> str:
    return jose.sign_compact(
        data,
        key,
        alg=Algorithm.PS256 if isinstance(key, RSAPrivateKey) else Algorithm.ES256,
        typ=STATEMENT_TYP,
        header={"x5t#S256": draft.cert_sha256},
    )


def _forget(parts: PhoneParts, approval: str) -> None:
    parts.state.approvals = [held for held in parts.state.approvals if held.id != approval]


def _forget_expired(parts: PhoneParts) -> None:
    now = rfc3339(parts.api.now())  # one spelling per moment: text order is time order
    parts.state.approvals = [held for held in parts.state.approvals if held.expires_at > now]
