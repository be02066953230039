"""The settings about keys: where they lie, and what they may do (docs/keys.md)."""

from typing import Literal

import msgspec

Place = Literal["file", "pkcs11", "remote"]
PhonePlace = Literal["", "file", "pkcs11", "remote"]


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The key store: a folder of encrypted files (default ``HOME/keys``) and its passphrase.

    ``authorities`` (certificates and CRLs), ``signers`` (OCSP, timestamps, receipts) and ``services`` (tokens,
    webhooks, audit heads, push, exports, reports) say where new keys are made: in the files, in the token of ``[token]``,
    or by the signer process of ``[remote]``. A key is found wherever it is. ``phones`` says who holds keys of phones
    that are released by assertions (back end B); empty offers none, and production takes them from a signer alone.
    """

    folder: str = ""
    passphrase: str = ""
    authorities: Place = "file"
    signers: Place = "file"
    services: Place = "file"
    phones: PhonePlace = ""


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token over PKCS #11 (extra ``pkcs11``); none if ``module`` is empty."""

    module: str = ""
    label: str = ""
    pin: str = ""
    sessions: int = 4
    wait_s: float = 5.0


class Remote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The signer process that this instance asks; none if ``socket`` is empty. ``uid`` -1 is this process's user."""

    socket: str = ""
    uid: int = -1
    deadline_s: float = 10.0
    connections: int = 4


class Signer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``inkan signer`` does: where it listens (default ``HOME/signer.sock``), and which user ids may ask it.

    No ``peers`` means its own user only. Its keys are those of ``[keys]`` and ``[token]`` in its own settings.
    """

    socket: str = ""
    peers: tuple[int, ...] = ()


class Budgets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many signatures each key of a purpose makes in a minute; more are refused until time has passed."""

    cert: int = 6_000
    crl: int = 12_000
    ocsp: int = 1_200_000
    tsa: int = 180_000
    cms: int = 6_000
    receipt: int = 120_000
    token: int = 120_000
    webhook: int = 120_000
    audit_head: int = 600
    registration: int = 60
    conformance: int = 60
    vapid: int = 6_000
    openid: int = 240_000
    counter: int = 6_000
    phone: int = 60


class Activation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From where keys of phones that lie with the platform are made and used: CIDR blocks of the institution's own
    network (HCA-39). Nowhere if empty.
    """

    networks: tuple[str, ...] = ()
