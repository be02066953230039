"""What a phone demands of a draft before it shows it: that it is about this phone, and that the text tells the truth.

The platform fixes nearly every member of the statement; the phone is the person's last guard, so it takes nothing
that it can check itself. In particular it renders the text again from the draft's own members: what stands on the
screen names the asker, the door and the documents that will be signed, or nothing is shown at all (threat 22).
"""

from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from inkan.client.phone_state import Bound
from inkan.crypto.certificates import parse_certificate
from inkan.kernel.errors import Forbidden, Malformed, TooLarge
from inkan.wire.forms import parse_moment
from inkan.wire.shown import LABELS, Language, render, text_sha256
from inkan.wire.statement import (
    Draft,
    certificate_sha256,
    credential_sha256,
    draft_bytes,
)

# A session lives ten minutes at most, and the same phone may open it again.
AGE_LIMIT: Final = timedelta(minutes=15)


class DraftRefused(Forbidden):
    """The platform's draft does not fit this phone; ``member`` says where. Nothing was shown or signed."""

    code = "phone_draft_refused"
    title = "The request does not fit this phone and is not shown"
    public = ("member",)


def read_draft(members: dict[str, Any]) -> Draft:
    """Return the draft that an answer holds.

    Raises:
        DraftRefused: a member is missing, unknown or has a wrong value.
    """
    try:
        draft = msgspec.convert(members, Draft)
        draft_bytes(draft)
    except (msgspec.ValidationError, Malformed, TooLarge) as error:
        raise DraftRefused(str(error), member="draft") from None
    return draft


def verify_draft(
    draft: Draft, text: str, *, bound: Bound, platform: str, lang: Language, now: datetime
) -> Draft:
    """Return the draft if this phone may show and sign it.

    Plan:
        1. ``iss`` is the platform that this phone is bound at.
        2. ``cert_sha256`` is its own certificate for this kind of question, in its term; ``cred_sha256`` its own
           passkey.
        3. ``return_origin``, if any, lies in the relying party's registered domain, or is the origin of ``iss``: the
           platform takes the browser back itself where it is the OpenID provider of the relying party (ADR 0020).
        4. ``at`` is no more than a quarter of an hour from now.
        5. The text is in the person's language, is exactly what the draft's members render to, and has the hash
           that the draft names.

    Args:
        draft: of :func:`read_draft`.
        text: what the platform wants shown.
        bound: the phone's binding.
        platform: the issuer.
        lang: the person's language.
        now: by the platform's clock.

    Raises:
        DraftRefused: at the first member that does not fit.
    """
    _compare("iss", draft.iss, platform)  # 1
    held = bound.certificates[bound.use_for(draft.kind)]
    _compare("cert_sha256", draft.cert_sha256, certificate_sha256(held.der))  # 2
    certificate = parse_certificate(held.der)
    if not certificate.not_before <= now <= certificate.not_after:
        raise DraftRefused("the certificate has ended", member="cert_sha256")
    own = credential_sha256(bound.credential.id, bound.credential.cose_key)
    _compare("cred_sha256", draft.cred_sha256, own)
    if not _is_admitted(draft.return_origin, draft):  # 3
        raise DraftRefused("the return leads elsewhere", member="return_origin")
    if abs(parse_moment(draft.at) - now) > AGE_LIMIT:  # 4
        raise DraftRefused("made at another time", member="at")
    _compare("shown", draft.shown.lang, lang)  # 5
    _compare("shown", text, _rendered(draft, text))
    _compare("shown", draft.shown.text_sha256, text_sha256(text))
    return draft


def _rendered(draft: Draft, text: str) -> str:
    """What the draft's own members render to; from ``text`` come only the lines that no member holds.

    These are the words for the purpose, and which of the two sentences says what is given. Taken into the
    rendering, they cannot stand for anything else. The attributes are named by the draft's codes.
    """
    labels = LABELS[draft.shown.lang]
    facts = dict(line.split(labels.colon, 1) for line in text.split("\n") if labels.colon in line)
    try:
        return render(
            draft.shown.template,
            draft.shown.lang,
            relying_party=draft.relying_party.name,
            domain=draft.relying_party.domain,
            purpose_text=facts.get(labels.purpose, ""),
            door=draft.door,
            contents=draft.contents,
            claims=draft.claims,
            full_evidence=facts.get(labels.given) == labels.name_and_certificate,
        )
    except Malformed as error:
        raise DraftRefused(str(error), member="shown") from None


def _is_admitted(origin: str | None, draft: Draft) -> bool:
    if origin is None or origin == _origin_of(draft.iss):
        return True
    return _is_in_domain(origin, draft.relying_party.domain)


def _is_in_domain(origin: str, domain: str) -> bool:
    host, registered = urlsplit(origin).hostname or "", domain.partition(":")[0]
    return host == registered or host.endswith(f".{registered}")


def _origin_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _compare(member: str, theirs: object, ours: object) -> None:
    if theirs != ours:
        raise DraftRefused(f"{member} is not what this phone knows", member=member)
