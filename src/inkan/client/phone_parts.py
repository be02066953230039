"""What the use cases of a phone share: its memory, its passkey, its way to the platform."""

from dataclasses import dataclass
from typing import TypeVar

from inkan.client.authenticator import RequestOptions, SignedAssertion, SoftwareAuthenticator
from inkan.client.certificate_keys import PRF_INPUT
from inkan.client.phone_api import PhoneAPI
from inkan.client.phone_file import PhoneFile
from inkan.client.phone_state import Bound, PhoneState
from inkan.crypto import base64url
from inkan.kernel.errors import Conflict, Unavailable
from inkan.kernel.sensitive import Secret
from inkan.wire.evidence import Assertion

T = TypeVar("T")


class PhoneNotBound(Conflict):
    """The phone has no binding, or its binding is not finished."""

    code = "phone_not_bound"
    title = "This phone is not bound yet"


class PRFUnavailable(Unavailable):
    """The passkey gives no PRF value, so certificate keys cannot be wrapped under it."""

    code = "phone_prf_unavailable"
    title = "The passkey of this phone cannot protect certificate keys"


@dataclass(kw_only=True)
class PhoneParts:
    """One opened phone.

    Attributes:
        anchors: roots (DER) that certificates must lead to; empty accepts the chain that the platform gives.
    """

    file: PhoneFile
    state: PhoneState
    api: PhoneAPI
    authenticator: SoftwareAuthenticator
    anchors: tuple[bytes, ...]

    def save(self) -> None:
        """Write the memory down; what happened before survives a crash."""
        self.state.ahead_s = self.api.ahead_s
        self.file.save(self.state)

    @property
    def bound(self) -> Bound:
        """The finished binding.

        Raises:
            PhoneNotBound: there is none.
        """
        if self.state.bound is None:
            raise PhoneNotBound
        return self.state.bound

    def assert_person(self, challenge: bytes) -> Assertion:
        """Verify the person once; return the assertion alone.

        The raised counter is on the disk before the assertion leaves.

        Raises:
            PhoneNotBound, UserNotVerified: see there.
        """
        rp_id, credential_id = self._passkey()
        options = RequestOptions(rp_id=rp_id, challenge=challenge, allow=(credential_id,))
        signed = self.authenticator.get(options, origin=self.state.wallet_origin)
        self.save()
        return wire_assertion(signed)

    def assert_user(self, challenge: bytes) -> tuple[Assertion, Secret[bytes]]:
        """Verify the person once; return the assertion for the platform and the PRF value for the keys.

        The raised counter is on the disk before the assertion leaves.

        Raises:
            PhoneNotBound, UserNotVerified, PRFUnavailable: see there.
        """
        rp_id, credential_id = self._passkey()
        options = RequestOptions(
            rp_id=rp_id, challenge=challenge, allow=(credential_id,), prf_input=PRF_INPUT
        )
        signed = self.authenticator.get(options, origin=self.state.wallet_origin)
        self.save()
        if signed.prf is None:
            raise PRFUnavailable
        return wire_assertion(signed), signed.prf

    def _passkey(self) -> tuple[str, bytes]:
        """RP ID and credential of the binding, or of the one under way."""
        state = self.state
        if state.bound is None and state.enrolment is not None and state.prepared is not None:
            return state.enrolment.rp_id, state.prepared.credential.id
        return self.bound.rp_id, self.bound.credential.id


def wire_assertion(signed: SignedAssertion) -> Assertion:
    """Return an assertion as it stands in bodies and evidence."""
    return Assertion(
        credential_id=base64url.encode(signed.credential_id),
        client_data_json=base64url.encode(signed.client_data_json),
        authenticator_data=base64url.encode(signed.authenticator_data),
        signature=base64url.encode(signed.signature),
    )
