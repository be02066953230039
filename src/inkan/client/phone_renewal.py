"""Renewal, the phone's side (design §5.2 step 7): new keys, signed for by the old key and the passkey, no card.

The old `auth` key stands in for the card, so this is the one CMS that a phone key signs; the assertion over the same
content shows that the owner was there (TW-32).
"""

import contextlib
from hashlib import sha256

import msgspec

from inkan.client import certificate_keys
from inkan.client.exchange import FINAL_REFUSALS, CallConflict
from inkan.client.phone_api import Empty
from inkan.client.phone_certificates import fetch_certificates
from inkan.client.phone_enrolment import remote_keys
from inkan.client.phone_parts import PhoneParts
from inkan.client.phone_state import Bound, Renewal
from inkan.crypto import base64url, cms, keys
from inkan.crypto.keys import KeySpec
from inkan.kernel.clock import rfc3339
from inkan.kernel.errors import Forbidden
from inkan.kernel.sensitive import Secret
from inkan.wire import enrolment_request as requests
from inkan.wire.binding import BackEnd
from inkan.wire.enrolment_request import KeyUse, Purpose, RenewContent, RequestedKey
from inkan.wire.session import Kind
from inkan.wire.statement import certificate_sha256


class RenewalSubstituted(Forbidden):
    """The platform begins a renewal of something else than this phone's binding; ``member`` says what."""

    code = "phone_renewal_substituted"
    title = "The renewal does not belong to this phone"
    public = ("member",)


class _Begun(msgspec.Struct, frozen=True):
    nonce: str
    aud: str
    scheme: str
    key_spec: str
    uses: tuple[KeyUse, ...]
    binding_id: str
    old_certificate_sha256: str
    csrs: dict[KeyUse, str] = {}


class _Renewed(msgspec.Struct, frozen=True):
    certificates: dict[KeyUse, str]


async def renew(parts: PhoneParts) -> Bound:
    """Replace keys and certificates; the binding, its slot and the passkey stay.

    Plan:
        1. Begin; what the platform names is this phone's own binding and certificate.
        2. New keys in memory, their requests, and the content that names them.
        3. One verification of the person: assertion over the content, and the PRF value.
        4. The old key signs the content; the new keys are wrapped; everything is on the disk before it is sent.
        5. The new certificates fit the new keys, the same passkey and the same binding; then they replace the old
           ones here, and only then the platform is told to end these.

    A renewal that broke off is taken up where it was: calling again sends the same bytes.

    Raises:
        PhoneNotBound, UserNotVerified: see there.
        RenewalSubstituted: step 1.
        CertificateNotOurs: step 5; the old certificates stay in use.
        CallRefused: too early, too late, or the card behind the binding has ended (TW-33), among others.
    """
    bound, renewal = parts.bound, parts.state.renewal
    if renewal is None:
        begun = await parts.api.post("/phone/v1/renew/begin", {}, _Begun)  # 1
        old_use = _verify_begun(begun, bound, parts.state.platform)
        renewal = parts.state.renewal = _prepare(parts, begun, old_use)  # 2, 3, 4
        parts.save()
    if not renewal.is_collected:
        await _collect(parts, renewal)  # 5
    await _confirm(parts)
    return parts.bound


async def _collect(parts: PhoneParts, renewal: Renewal) -> None:
    try:
        answer = await parts.api.post("/phone/v1/renew", renewal.body, _Renewed, again=True)
    except FINAL_REFUSALS:
        _forget(parts)
        raise
    bound = parts.bound
    binding_id, certificates = await fetch_certificates(
        parts, answer.certificates, keys=renewal.keys, credential=bound.credential
    )
    _compare("binding_id", binding_id, bound.binding_id)
    parts.state.bound = msgspec.structs.replace(bound, keys=renewal.keys, certificates=certificates)
    parts.state.renewal = msgspec.structs.replace(renewal, is_collected=True)
    parts.save()


async def _confirm(parts: PhoneParts) -> None:
    # A conflict says that nothing waits for a confirmation: an earlier one arrived, and its answer did not.
    with contextlib.suppress(CallConflict):
        await parts.api.post("/phone/v1/renew/confirm", {}, Empty, again=True)
    _forget(parts)


def _forget(parts: PhoneParts) -> None:
    parts.state.renewal = None
    parts.save()


def _verify_begun(begun: _Begun, bound: Bound, platform: str) -> KeyUse:
    """Return which old key signs, if the platform begins the renewal of this very binding."""
    old_use = bound.use_for(Kind.IDENTIFY)
    own = certificate_sha256(bound.certificates[old_use].der)
    _compare("aud", begun.aud, platform)
    _compare("scheme", begun.scheme, bound.scheme)
    _compare("binding_id", begun.binding_id, bound.binding_id)
    _compare("uses", begun.uses, tuple(bound.keys))
    _compare("old_certificate_sha256", begun.old_certificate_sha256, own)
    return old_use


def _prepare(parts: PhoneParts, begun: _Begun, old_use: KeyUse) -> Renewal:
    if parts.state.back_end is BackEnd.B:
        return _prepare_remote(parts, begun)
    fresh = {use: keys.generate(KeySpec(begun.key_spec)) for use in begun.uses}  # 2
    hashes = {use: keys.spki_sha256(key.public_key()) for use, key in fresh.items()}
    content = requests.content_bytes(_content(parts, begun, hashes))
    assertion, prf = parts.assert_user(requests.renew_challenge(content))  # 3
    body = {
        "cms": base64url.encode(_signed(parts, content, old_use, prf)),  # 4
        "csrs": {
            use: base64url.encode(certificate_keys.certificate_request(key))
            for use, key in fresh.items()
        },
        "assertion": assertion,
    }
    wrapped = {use: certificate_keys.wrap(key, prf) for use, key in fresh.items()}
    return Renewal(keys=wrapped, body=msgspec.json.encode(body))


def _prepare_remote(parts: PhoneParts, begun: _Begun) -> Renewal:
    """The same with back end B: the new keys were made for this passkey, and the old one signs for the assertion."""
    fresh = remote_keys(begun.uses, begun.key_spec, begun.csrs)
    hashes = {use: key.spki_sha256 for use, key in fresh.items()}
    content = requests.content_bytes(_content(parts, begun, hashes))
    assertion = parts.assert_person(requests.renew_challenge(content))
    body = {"content": base64url.encode(content), "assertion": assertion}
    return Renewal(keys=fresh, body=msgspec.json.encode(body))


def _content(parts: PhoneParts, begun: _Begun, hashes: dict[KeyUse, bytes]) -> RenewContent:
    credential = base64url.encode(sha256(parts.bound.credential.id).digest())
    return RenewContent(
        v=1,
        purpose="renew",
        aud=begun.aud,
        scheme=begun.scheme,
        nonce=begun.nonce,
        binding_id=begun.binding_id,
        old_certificate_sha256=begun.old_certificate_sha256,
        keys=tuple(_requested(use, digest) for use, digest in hashes.items()),
        credential_id_sha256=credential,
        back_end=parts.state.back_end,
        at=rfc3339(parts.api.now()),
    )


def _requested(use: KeyUse, digest: bytes) -> RequestedKey:
    return RequestedKey(use=use, spki_sha256=base64url.encode(digest))


def _signed(parts: PhoneParts, content: bytes, old_use: KeyUse, prf: Secret[bytes]) -> bytes:
    held = parts.bound.certificates[old_use]
    old_key = certificate_keys.unwrap(parts.bound.keys[old_use], prf)
    return cms.build_signed_data(
        content,
        content_type=requests.CONTENT_TYPES[Purpose.RENEW],
        chain=[held.der, *held.chain],
        algorithm=cms.algorithm_of(old_key),
        sign=cms.key_signer(old_key),
    )


def _compare(member: str, theirs: object, ours: object) -> None:
    if theirs != ours:
        raise RenewalSubstituted(f"{member} is not what this phone knows", member=member)
