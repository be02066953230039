"""The two byte strings that an authenticator signs together: authenticator data and collected client data.

Both are read strictly and in full (WebAuthn Level 3 §6.1, §5.8.1): no bytes left over, no duplicate names, no
member with another type than its own. What they mean is decided in :mod:`inkan.crypto.webauthn`.
"""

import json
from typing import Any, Final, TypeVar

import msgspec

from inkan.crypto import cbor, cose
from inkan.kernel.errors import Malformed

MAX_CLIENT_DATA_SIZE: Final = 4096
MAX_AUTHENTICATOR_DATA_SIZE: Final = 4096

_HEAD_SIZE: Final = 37
_AAGUID_SIZE: Final = 16
T = TypeVar("T", str, bool)

_UP, _UV, _BE, _BS, _AT, _ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80


class AuthenticatorDataMalformed(Malformed):
    """The authenticator data or the client data is not in the form that WebAuthn gives it."""

    code = "authenticator_data_malformed"
    title = "The data of the authenticator cannot be read"
    public = ()


class ClientData(msgspec.Struct, frozen=True, gc=False):
    """What the browser says of a ceremony (WebAuthn §5.8.1); unknown members are left out.

    Attributes:
        kind: ``webauthn.create`` or ``webauthn.get``.
        challenge: base64url as received.
        origin: scheme, host and port of the page.
        cross_origin: whether the page stood in a frame of another origin.
        top_origin: the origin of the outermost page, when it is another one.
    """

    kind: str
    challenge: str
    origin: str
    cross_origin: bool
    top_origin: str | None


class AttestedCredential(msgspec.Struct, frozen=True, gc=False):
    """The new credential inside the authenticator data of a registration (WebAuthn §6.5.1).

    Attributes:
        aaguid: 16 bytes, the model of the authenticator; zero when it does not say.
        credential_id: up to 1023 bytes.
        cose_key: canonical COSE_Key, exactly the bytes received.
    """

    aaguid: bytes
    credential_id: bytes
    cose_key: bytes


class AuthenticatorData(msgspec.Struct, frozen=True, gc=False):
    """What the authenticator says of a ceremony (WebAuthn §6.1).

    Attributes:
        rp_id_hash: SHA-256 of the RP ID, 32 bytes.
        user_present: UP.
        user_verified: UV.
        backup_eligible: BE, the credential may be copied to other devices.
        backed_up: BS, it has been.
        sign_count: 0 when the authenticator does not count.
        credential: the new credential; None in an assertion.
        extensions: outputs of the authenticator's extensions, by name.
    """

    rp_id_hash: bytes
    user_present: bool
    user_verified: bool
    backup_eligible: bool
    backed_up: bool
    sign_count: int
    credential: AttestedCredential | None
    extensions: dict[int | str, Any]


def parse_authenticator_data(data: bytes) -> AuthenticatorData:
    """Return the fields of authenticator data; the reserved flags are not looked at.

    Raises:
        AuthenticatorDataMalformed: too short, too long, or bytes left over.
        COSEKeyMalformed: a credential without one of the three kinds of key.
        CBORMalformed: the extensions.
    """
    if not _HEAD_SIZE <= len(data) <= MAX_AUTHENTICATOR_DATA_SIZE:
        raise AuthenticatorDataMalformed("authenticator data of an impossible size")
    flags, position = data[32], _HEAD_SIZE
    credential: AttestedCredential | None = None
    extensions: dict[int | str, Any] = {}
    if flags & _AT:
        credential, position = _parse_credential(data, position)
    if flags & _ED:
        extensions, position = cbor.read_at(data, position)
        if not isinstance(extensions, dict):
            raise AuthenticatorDataMalformed("extensions that are no map")
    if position != len(data):
        raise AuthenticatorDataMalformed("bytes after the authenticator data")
    return AuthenticatorData(
        data[:32],
        bool(flags & _UP),
        bool(flags & _UV),
        bool(flags & _BE),
        bool(flags & _BS),
        int.from_bytes(data[33:37], "big"),
        credential,
        extensions,
    )


def _parse_credential(data: bytes, position: int) -> tuple[AttestedCredential, int]:
    id_start = position + _AAGUID_SIZE + 2
    id_size = int.from_bytes(data[id_start - 2 : id_start], "big")
    key_start = id_start + id_size
    end = key_start + cose.cose_key_size(data[key_start:])
    if end > len(data):
        raise AuthenticatorDataMalformed("a truncated credential")
    aaguid = data[position : position + _AAGUID_SIZE]
    return AttestedCredential(aaguid, data[id_start:key_start], data[key_start:end]), end


def parse_client_data(data: bytes) -> ClientData:
    """Return the members of clientDataJSON that a verifier has to look at.

    Raises:
        AuthenticatorDataMalformed: not one JSON object, a duplicate name, or a member of another type.
    """
    if len(data) > MAX_CLIENT_DATA_SIZE:
        raise AuthenticatorDataMalformed("client data of an impossible size")
    try:
        members = _decode(data.decode())
    except (ValueError, RecursionError) as error:
        raise AuthenticatorDataMalformed(f"client data: {error}") from None
    if type(members) is not dict:
        raise AuthenticatorDataMalformed("client data that is no object")
    top_origin = members.get("topOrigin")
    return ClientData(
        _member(members, "type", str),
        _member(members, "challenge", str),
        _member(members, "origin", str),
        _member(members, "crossOrigin", bool) if "crossOrigin" in members else False,
        top_origin if top_origin is None else _member(members, "topOrigin", str),
    )


def _member(members: dict[str, Any], name: str, kind: type[T]) -> T:
    value = members.get(name)
    if type(value) is not kind:
        raise AuthenticatorDataMalformed(f"client data: {name} is missing or of another type")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a duplicate name")
    return members


_decode: Final = json.JSONDecoder(object_pairs_hook=_unique).decode
