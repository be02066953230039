"""What a phone remembers, as the JSON that lies sealed in its file.

Certificate keys stand here wrapped (``certificate_keys``) and never otherwise. The authenticator's part plays the
phone's secure element; a real phone keeps it in hardware.
"""

from typing import Literal

import msgspec

from inkan.client.authenticator import AuthenticatorState
from inkan.client.certificate_keys import WrappedKey
from inkan.wire.binding import BackEnd
from inkan.wire.enrolment_request import KeyUse
from inkan.wire.session import Kind
from inkan.wire.shown import Language

# Which certificate key answers a question; with a single key there is no choice (design §5.1).
KEY_OF_KIND = {Kind.IDENTIFY: KeyUse.AUTH, Kind.APPROVE: KeyUse.AUTH, Kind.SIGN: KeyUse.SIGN}

Keys = dict[KeyUse, WrappedKey]


class HeldCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate of this phone (DER) and its issuers, root left out."""

    id: str
    der: bytes
    chain: tuple[bytes, ...]


Certificates = dict[KeyUse, HeldCertificate]


class HeldCredential(msgspec.Struct, frozen=True, kw_only=True):
    """The passkey that stands for this phone."""

    id: bytes
    cose_key: bytes
    attestation_sha256: bytes


class Enrolment(msgspec.Struct, frozen=True, kw_only=True):
    """A binding under way, as the platform told it when the phone joined.

    Attributes:
        nonce, challenge: base64url; the challenge is the registration's.
        key_spec: kind of the certificate keys.
        algorithms: COSE numbers that the passkey may use.
    """

    id: str
    nonce: str
    issuer: str
    scheme: str
    rp_id: str
    key_spec: str
    uses: tuple[KeyUse, ...]
    challenge: str
    algorithms: tuple[int, ...] = (-7,)
    terms_version: str
    expires_at: str


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """What the phone made for a binding; ``body`` is sent again byte for byte when an answer was lost."""

    keys: Keys
    credential: HeldCredential
    body: bytes


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """A finished binding."""

    phone: str
    binding_id: str
    scheme: str
    rp_id: str
    credential: HeldCredential
    keys: Keys
    certificates: Certificates

    def use_for(self, kind: Kind) -> KeyUse:
        """Return which key answers a question of this kind."""
        return KeyUse.SINGLE if KeyUse.SINGLE in self.keys else KEY_OF_KIND[kind]


class Renewal(msgspec.Struct, frozen=True, kw_only=True):
    """New keys on their way to certificates; ``body`` as in :class:`Prepared`.

    Attributes:
        is_collected: the new certificates are here, and the platform may not know it yet.
    """

    keys: Keys
    body: bytes
    is_collected: bool = False


class OpenApproval(msgspec.Struct, frozen=True, kw_only=True):
    """A question that this phone has opened and checked.

    Attributes:
        id: the approval.
        draft: canonical bytes.
        text: what the person is shown.
        expires_at: RFC 3339, by the platform's clock.
        body: the decision, once made; sent again byte for byte when an answer was lost.
    """

    id: str
    draft: bytes
    text: str
    expires_at: str
    body: bytes | None = None


class PushKeys(msgspec.Struct, frozen=True, kw_only=True):
    """For whom push messages are encrypted: PKCS #8 DER of a P-256 key, and 16 bytes."""

    key: bytes
    auth: bytes


class PhoneState(msgspec.Struct, kw_only=True):
    """The whole memory of a phone.

    Attributes:
        platform: origin of the platform, its issuer URL.
        wallet_origin: origin of the wallet; its host is the RP ID.
        name: what the person calls the phone.
        back_end: where its certificate keys are kept: here under the passkey (A), or with the platform's signer (B).
        lang: the language of texts.
        channel_key: PKCS #8 DER of the key that authenticates requests and approves nothing.
        authenticator: the passkey's side.
        enrolment, prepared: a binding under way.
        bound: the finished one.
        renewal: new certificates under way.
        approvals: opened and undecided, the last one last.
        push: of the push subscription, if there is one.
        ahead_s: how many seconds the platform was ahead of this machine when it last told its time.
    """

    v: Literal[1] = 1
    platform: str
    wallet_origin: str
    name: str
    lang: Language
    channel_key: bytes
    authenticator: AuthenticatorState
    enrolment: Enrolment | None = None
    prepared: Prepared | None = None
    bound: Bound | None = None
    renewal: Renewal | None = None
    approvals: list[OpenApproval] = msgspec.field(default_factory=list)
    push: PushKeys | None = None
    ahead_s: int = 0
    back_end: BackEnd = BackEnd.A
