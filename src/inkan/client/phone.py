"""The reference phone: everything that a wallet does, for the command line, the demo and other people's tests.

It speaks the protocol of the design (§5.2, §5.3) as the wallet in a browser does, with a software authenticator in
the place of the phone's own, and one sealed file as its memory. It is complete: there is no back door on the platform
for it.
"""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Self, TypedDict, Unpack

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from inkan.client import (
    phone_approval,
    phone_enrolment,
    phone_kiosk,
    phone_push,
    phone_records,
    phone_renewal,
)
from inkan.client.authenticator import (
    Attestation,
    AuthenticatorState,
    Backup,
    SoftwareAuthenticator,
    VerifyUser,
)
from inkan.client.http import AsyncTransport
from inkan.client.phone_api import Empty, PhoneAPI
from inkan.client.phone_approval import Decision, Waiting
from inkan.client.phone_certificate_view import ViewedCertificate, view_certificate
from inkan.client.phone_file import DEFAULT_COST, PhoneFile
from inkan.client.phone_hints import Hint, hints
from inkan.client.phone_parts import PhoneParts
from inkan.client.phone_presence import get_with_presence, post_with_presence, show_presence
from inkan.client.phone_state import Bound, Enrolment, HeldCertificate, OpenApproval, PhoneState
from inkan.crypto import keys
from inkan.crypto.keys import KeySpec
from inkan.kernel.clock import Clock
from inkan.kernel.sensitive import Secret
from inkan.wire.binding import BackEnd
from inkan.wire.enrolment_request import KeyUse, RevokeCause
from inkan.wire.shown import Language


class PhoneOptions(TypedDict, total=False):
    """How a phone behaves and reaches the platform.

    Attributes:
        anchors: root certificates (DER) that its certificates must lead to.
        transport: shared connections; an own one is made, and closed with the phone, when left out.
        clock: true time.
        attestation, backup, prf_at_creation: of the authenticator.
    """

    anchors: tuple[bytes, ...]
    transport: AsyncTransport
    clock: Clock
    attestation: Attestation
    backup: Backup
    prf_at_creation: bool


class PhoneView(msgspec.Struct, frozen=True):
    """A phone of this person, as the platform lists it."""

    id: str
    name: str
    state: str
    bound_at: str | None = None
    this: bool = False


class _Frozen(msgspec.Struct, frozen=True):
    stopped: int


class _Phones(msgspec.Struct, frozen=True):
    phones: list[PhoneView]


class Phone:
    """One phone. Make it with :meth:`create`, open it again with :meth:`open`, and close it.

    Every method that talks to the platform may raise CallRefused and its subclasses, PlatformUnreachable and
    AnswerMalformed; those that need the person raise UserNotVerified.
    """

    def __init__(
        self, file: PhoneFile, *, verify_user: VerifyUser, **options: Unpack[PhoneOptions]
    ) -> None:
        state = file.load(PhoneState)
        self._own_transport = "transport" not in options
        self._transport = options.get("transport") or AsyncTransport()
        self._parts = PhoneParts(
            file=file,
            state=state,
            api=PhoneAPI(
                state.platform,
                _channel_key(state),
                lang=state.lang,
                ahead_s=state.ahead_s,
                transport=self._transport,
                clock=options.get("clock") or Clock(),
            ),
            authenticator=SoftwareAuthenticator(
                state.authenticator,
                verify_user=verify_user,
                attestation=options.get("attestation", Attestation.SELF),
                backup=options.get("backup", Backup.DEVICE_BOUND),
                prf_at_creation=options.get("prf_at_creation", True),
            ),
            anchors=options.get("anchors", ()),
        )

    @classmethod
    def create(
        cls,
        path: Path,
        passphrase: Secret[str],
        *,
        platform: str,
        wallet_origin: str,
        name: str,
        verify_user: VerifyUser,
        lang: Language = Language.ZH_HANT,
        back_end: BackEnd = BackEnd.A,
        scrypt_n: int = DEFAULT_COST,
        **options: Unpack[PhoneOptions],
    ) -> Self:
        """Make a new phone with a channel key and nothing else.

        Args:
            path: its file; nothing may be there.
            passphrase: what opens it.
            platform: origin of the platform (its issuer URL).
            wallet_origin: origin of the wallet; its host is the RP ID.
            name: what the person calls the phone, shown in the card's dialog.
            verify_user: asked for each use of the passkey; True for "recognised".
            lang: language of the texts that are shown and signed.
            back_end: where its certificate keys are kept; B: with the platform's signer, where the scheme allows it.
            scrypt_n: cost of the passphrase, a power of two up to 2^18.
            options: see :class:`PhoneOptions`.

        Raises:
            FileExists, FileBusy, FileMissing: see ``durable_file``.
        """
        state = PhoneState(
            platform=platform.rstrip("/"),
            wallet_origin=wallet_origin.rstrip("/"),
            name=name,
            lang=lang,
            back_end=back_end,
            channel_key=keys.private_der(keys.generate(KeySpec.P256)).reveal(),
            authenticator=AuthenticatorState(),
        )
        file = PhoneFile.create(path, passphrase, state, n=scrypt_n)
        return cls(file, verify_user=verify_user, **options)

    @classmethod
    def open(
        cls,
        path: Path,
        passphrase: Secret[str],
        *,
        verify_user: VerifyUser,
        **options: Unpack[PhoneOptions],
    ) -> Self:
        """Open an existing phone; arguments as :meth:`create`.

        Raises:
            FileMissing, FileBusy: see ``durable_file``.
            PhoneFileLocked: another passphrase, or changed bytes.
            PhoneFileMalformed: not a phone.
        """
        return cls(PhoneFile.open(path, passphrase), verify_user=verify_user, **options)

    # --- what it holds ----------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """What the person calls it."""
        return self._parts.state.name

    @property
    def binding(self) -> Bound | None:
        """The finished binding, or None."""
        return self._parts.state.bound

    @property
    def certificates(self) -> Mapping[KeyUse, HeldCertificate]:
        """The certificates by use; raises PhoneNotBound."""
        return self._parts.bound.certificates

    @property
    def open_approvals(self) -> list[OpenApproval]:
        """What was opened and not decided, the last one last."""
        return list(self._parts.state.approvals)

    # --- binding ----------------------------------------------------------------------------------

    async def join(self, frame: str) -> Enrolment:
        """Join the enrolment whose code was scanned; see ``phone_enrolment.join``."""
        return await phone_enrolment.join(self._parts, frame)

    async def prepare(self) -> str:
        """Make passkey and keys, send the requests, return the 8 digits; see ``phone_enrolment.prepare``."""
        return await phone_enrolment.prepare(self._parts)

    def digits(self) -> str:
        """Return the 8 digits that the person types into the card's dialog."""
        return phone_enrolment.digits(self._parts)

    async def kiosk_schemes(self) -> list[phone_kiosk.KioskScheme]:
        """Return the rule sets whose phones are bound at a kiosk."""
        return await phone_kiosk.kiosk_schemes(self._parts)

    async def begin_at_kiosk(self, scheme: str, *, terms_version: str) -> Enrolment:
        """Begin a registration that a kiosk finishes; ``prepare`` follows. See ``phone_kiosk.begin``."""
        return await phone_kiosk.begin(self._parts, scheme, terms_version=terms_version)

    def registration_key(self) -> str:
        """Return the 26 characters that a kiosk takes."""
        return phone_kiosk.shown_key(self._parts)

    async def say_number(self, number: str) -> None:
        """Say the six digits that the kiosk shows; see ``phone_kiosk.say_number``."""
        await phone_kiosk.say_number(self._parts, number)

    async def collect(self, *, wait_s: int = phone_enrolment.WAIT_S) -> Bound | None:
        """Fetch and check the certificates; None when the card has not signed yet."""
        return await phone_enrolment.collect(self._parts, wait_s=wait_s)

    async def renew(self) -> Bound:
        """Replace keys and certificates without the card; see ``phone_renewal.renew``."""
        return await phone_renewal.renew(self._parts)

    # --- approvals --------------------------------------------------------------------------------

    async def open_frame(self, frame: str) -> OpenApproval:
        """Open the approval whose code was scanned and return what the person is to read."""
        return await phone_approval.open_frame(self._parts, frame)

    async def open_link(self, address: str) -> OpenApproval:
        """Open the approval behind an address of the wallet, as a browser or app hands it over."""
        return await phone_approval.open_link(self._parts, address)

    async def open_push(self, approval: str, code: str | None = None) -> OpenApproval:
        """Open an approval that was pushed to this phone, with the code that the asking page shows."""
        return await phone_approval.open_push(self._parts, approval, code)

    async def waiting(self, *, wait_s: int = 0) -> list[Waiting]:
        """Return what was pushed to this phone and waits, newest first."""
        return await phone_approval.waiting(self._parts, wait_s=wait_s)

    def events(self) -> AsyncIterator[Hint]:
        """Hear that something waits for this phone, or is announced, while it happens; see ``phone_hints``."""
        return hints(self._parts)

    async def approve(self, approval: str | None = None) -> Decision:
        """Approve an open approval (the last one): one verification of the person, both proofs."""
        return await phone_approval.approve(self._parts, approval)

    async def refuse(self, approval: str | None = None) -> Decision:
        """Refuse an open approval (the last one)."""
        return await phone_approval.refuse(self._parts, approval)

    async def report(self, approval: str | None = None) -> Decision:
        """Say "I did not start this" of an open approval (the last one)."""
        return await phone_approval.report(self._parts, approval)

    async def turn_down(self, approval: str, *, report: bool = False) -> Decision:
        """Refuse what waits here without opening it; with ``report``: "I did not start this"."""
        return await phone_records.turn_down(self._parts, approval, report=report)

    async def give_back(self, approval: str | None = None) -> None:
        """Let go of an open approval (the last one) without deciding; its code may be scanned again."""
        held = phone_approval.find_open(self._parts, approval)
        await phone_approval.give_back(self._parts, held.id)

    async def approvals(self) -> list[dict[str, Any]]:
        """Return the approvals that wait for this phone."""
        return await self._list("/phone/v1/approvals", "approvals")

    # --- being woken ------------------------------------------------------------------------------

    async def push_key(self) -> bytes:
        """Return the platform's push key (65 bytes), which a push service asks for."""
        return await phone_push.fetch_push_key(self._parts)

    async def subscribe(self, endpoint: str, *, carrier: str = phone_push.WEBPUSH) -> None:
        """Be woken at an endpoint that a push service gave out; see ``phone_push.subscribe``."""
        await phone_push.subscribe(self._parts, endpoint, carrier=carrier)

    async def unsubscribe(self) -> None:
        """Be woken no more."""
        await phone_push.unsubscribe(self._parts)

    def read_push(self, body: bytes) -> str:
        """Return the handle in a push message to this phone; see ``phone_push.read_push``."""
        return phone_push.read_push(self._parts, body)

    # --- settings, after the person was verified ------------------------------------------------------

    async def show_presence(self) -> None:
        """Verify the person and tell the platform, which remembers it for ten minutes."""
        await show_presence(self._parts)

    async def phones(self) -> list[PhoneView]:
        """Return all phones of this person."""
        return (await get_with_presence(self._parts, "/phone/v1/phones", _Phones)).phones

    async def records(self) -> list[dict[str, Any]]:
        """Return the records of use, newest first (TW-38)."""
        return await self._list("/phone/v1/records", "records")

    async def use(self, record: str) -> dict[str, Any]:
        """Return one use and its place in the audit log."""
        return await phone_records.fetch_use(self._parts, record)

    async def use_proof(self, record: str) -> bytes:
        """Return the proof of a use, to be checked offline by ``use_checks.verify_use``."""
        return await phone_records.fetch_proof(self._parts, record)

    async def report_use(self, record: str) -> dict[str, Any]:
        """Say "I did not start this" of a use."""
        return await phone_records.report_use(self._parts, record)

    async def consents(self) -> list[dict[str, Any]]:
        """Return what the person gave to whom, newest first."""
        return await phone_records.fetch_consents(self._parts)

    async def withdraw_consent(self, consent: str) -> None:
        """Take a consent back."""
        await phone_records.withdraw_consent(self._parts, consent)

    async def news(self) -> list[dict[str, Any]]:
        """Return the announcements (TW-39)."""
        return await self._list("/phone/v1/news", "news")

    async def browsers(self) -> list[dict[str, Any]]:
        """Return the browsers that relying parties know as this person's."""
        return await self._list("/phone/v1/browsers", "browsers")

    async def forget_browser(self, browser: str) -> None:
        """Forget a browser that a relying party knows as this person's."""
        await phone_records.forget_browser(self._parts, browser)

    async def revoke(self, phone: str, cause: RevokeCause | None = None) -> None:
        """End a phone of this person, perhaps this one: its certificates, passkey and channel key."""
        body = {"phone": phone} | ({} if cause is None else {"reason": cause})
        await post_with_presence(self._parts, "/phone/v1/revoke", body, Empty)

    async def freeze(self) -> int:
        """Stop every phone of this person, this one too, and return how many; the card brings them back."""
        body: dict[str, Any] = {}
        return (await post_with_presence(self._parts, "/phone/v1/freeze", body, _Frozen)).stopped

    async def certificate(self, certificate: str) -> ViewedCertificate:
        """Return a certificate of any of this person's phones, with its fields for people."""
        return await view_certificate(self._parts, certificate)

    async def close(self) -> None:
        """Give the file back, and close the connections if they are the phone's own."""
        self._parts.file.close()
        if self._own_transport:
            await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _list(self, path: str, member: str) -> list[dict[str, Any]]:
        answer = await get_with_presence(self._parts, path, dict[str, Any])
        rows = answer.get(member)
        return rows if isinstance(rows, list) else []


def _channel_key(state: PhoneState) -> EllipticCurvePrivateKey:
    key = keys.load_private(Secret(state.channel_key))
    if not isinstance(key, EllipticCurvePrivateKey):
        raise TypeError("the channel key is a P-256 key")
    return key
