"""What the routes of enrolment take and give."""

import msgspec

from inkan.crypto import base64url, webauthn
from inkan.enrolment.service import (
    Registration,
)
from inkan.wire.binding import BackEnd
from inkan.wire.enrolment_request import RevokeCause

CMS_LIMIT = 96 * 1024


class StartBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which rule set, and the version of the terms that the person accepted."""

    scheme: str
    terms_version: str


class CMSBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The card's signature: base64url of a DER SignedData."""

    cms: str


class CodeView(msgspec.Struct, frozen=True):
    """The rotating code of this second."""

    frame: str


class JoinBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The scanned code, what the person calls the phone, and where it keeps its keys."""

    frame: str
    name: str
    back_end: BackEnd


class KeysBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """CSRs (base64url DER) by use, and the passkey's registration; no CSRs for back end B, which makes the keys."""

    registration: Registration
    csrs: dict[str, str] = {}


class EnrolmentView(msgspec.Struct, frozen=True):
    """Where the phone's enrolment stands."""

    state: str
    phone: str | None
    certificates: dict[str, str]
    refusal: str | None


class ChallengeView(msgspec.Struct, frozen=True):
    """A challenge to assert."""

    challenge: str


class AssertionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A WebAuthn assertion, each part base64url."""

    credential_id: str
    client_data_json: str
    authenticator_data: str
    signature: str

    def decoded(self) -> webauthn.Assertion:
        """The parts as bytes.

        Raises:
            Base64URLMalformed: a part is not base64url.
        """
        return webauthn.Assertion(
            credential_id=base64url.decode(self.credential_id),
            client_data_json=base64url.decode(self.client_data_json),
            authenticator_data=base64url.decode(self.authenticator_data),
            signature=base64url.decode(self.signature),
        )


class AssertedView(msgspec.Struct, frozen=True):
    """Until when the phone counts as asserted."""

    until: str


class PhoneView(msgspec.Struct, frozen=True):
    """A phone as its person sees it."""

    id: str
    name: str
    state: str
    bound_at: str
    young_until: str
    not_after: str | None
    this: bool


class PhonesView(msgspec.Struct, frozen=True):
    """The person's phones."""

    phones: list[PhoneView]


class FrozenView(msgspec.Struct, frozen=True):
    """How many phones were stopped."""

    stopped: int


class RevokeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which phone to revoke, and why (JPKI-23)."""

    phone: str
    reason: RevokeCause | None = None


class RenewBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A renewal: the old key's CMS, the new CSRs, an assertion; for back end B the content instead of CMS and CSRs."""

    assertion: AssertionBody
    cms: str | None = None
    content: str | None = None
    csrs: dict[str, str] = {}
