"""Challenges to passkeys: drawn here, answered once, within five minutes.

Nobody is named when a login begins: the passkey itself says whose it is, so that a stranger cannot ask which
accounts exist (ASVS 6.3.8).
"""

from typing import Any

import msgspec

from inkan.accounts import store
from inkan.accounts.model import Account, Ceremony, CeremonyEnded, CeremonyPurpose
from inkan.accounts.rules import CEREMONY_LIFE, CHALLENGE_BYTES
from inkan.accounts.service.parts import Parts
from inkan.crypto import base64url
from inkan.crypto.webauthn import Assertion
from inkan.crypto.webauthn_options import AssertionOptions, RegistrationOptions
from inkan.kernel.errors import Malformed
from inkan.kernel.ids import new_id, random_bytes
from inkan.store.database import MOMENT, Step
from inkan.web.input import decode

ANSWER_LIMIT = 32 * 1024


class _Response(msgspec.Struct, frozen=True, rename="camel"):
    client_data_json: str = msgspec.field(name="clientDataJSON")
    authenticator_data: str
    signature: str
    user_handle: str | None = None


class _Answer(msgspec.Struct, frozen=True):
    """AuthenticationResponseJSON (WebAuthn §5.1.8); what else the browser says is not read."""

    id: str
    type: str
    response: _Response


def begin_login(parts: Parts) -> Step[Ceremony]:
    """Step: ask any passkey of this platform to log its owner in."""
    ceremony_id, challenge = yield from _draw(CeremonyPurpose.LOGIN, invite=None)
    options = AssertionOptions(rp_id=parts.rp_id, challenge=challenge).to_json()
    return Ceremony(id=ceremony_id, options=_without_prf(options))


def begin_registration(parts: Parts, account: Account, *, invite: str) -> Step[Ceremony]:
    """Step: ask for a new passkey for an invited account.

    Its user handle is the account's opaque id; its name is seen by its owner alone.
    """
    assert account.name is not None
    ceremony_id, challenge = yield from _draw(CeremonyPurpose.INVITE, invite=invite)
    options = RegistrationOptions(
        rp_id=parts.rp_id,
        rp_name=parts.rp_name,
        user_id=account.id.encode(),
        user_name=account.name.reveal(),
        challenge=challenge,
    ).to_json()
    return Ceremony(id=ceremony_id, options=_without_prf(options))


def _draw(purpose: CeremonyPurpose, *, invite: str | None) -> Step[tuple[str, bytes]]:
    moment = yield MOMENT
    ceremony_id, challenge = new_id("cer"), random_bytes(CHALLENGE_BYTES)
    yield store.INSERT_CEREMONY.run(
        id=ceremony_id,
        purpose=purpose,
        invite=invite,
        challenge=challenge,
        expires_at=moment + CEREMONY_LIFE,
    )
    return ceremony_id, challenge


def _without_prf(options: dict[str, Any]) -> dict[str, Any]:
    """A staff passkey wraps no keys, so its secret is not asked for."""
    return {name: value for name, value in options.items() if name != "extensions"}


def find_ceremony(ceremony_id: str, purpose: CeremonyPurpose) -> Step[Any]:
    """Step: the row of a challenge that waits for its answer.

    Raises:
        CeremonyEnded: unknown, for another purpose, answered, or too old.
    """
    row = yield store.CEREMONY.one(key=ceremony_id, wanted=purpose)
    if row is None:
        raise CeremonyEnded()
    return row


def take_ceremony(ceremony_id: str, purpose: CeremonyPurpose) -> Step[None]:
    """Step: use a challenge up; of two answers one gets it.

    Raises:
        CeremonyEnded: as :func:`find_ceremony`.
    """
    taken = yield store.TAKE_CEREMONY.run(key=ceremony_id, wanted=purpose)
    if not taken:
        raise CeremonyEnded()


def parse_answer(answer: bytes) -> Assertion:
    """The assertion in a browser's answer; nothing of it is verified.

    Raises:
        TooLarge, Malformed, NameRepeated, Base64URLMalformed: it cannot be read.
    """
    received = decode(answer, _Answer, limit=ANSWER_LIMIT)
    if received.type != "public-key":
        raise Malformed("no public-key credential", where="/type", expected="public-key")
    handle = received.response.user_handle
    return Assertion(
        credential_id=base64url.decode(received.id),
        client_data_json=base64url.decode(received.response.client_data_json),
        authenticator_data=base64url.decode(received.response.authenticator_data),
        signature=base64url.decode(received.response.signature),
        user_handle=base64url.decode(handle) if handle else None,
    )
