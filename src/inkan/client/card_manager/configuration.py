"""What a terminal knows of its platform, and the two keys that are the terminal.

The configuration comes from the platform (``inkan counter terminal add``) and is pinned: origin, terminal id and the
keys that sign commands. The keys are made here and never leave; their file opens for its owner alone.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from msgspec import Meta

from inkan.client import durable_file
from inkan.client.durable_file import FileExists
from inkan.crypto import jwk, keys
from inkan.crypto.keys import KeySpec, PublicKey
from inkan.kernel.errors import InkanError, Malformed
from inkan.kernel.sensitive import Secret
from inkan.wire.forms import Identifier, Issuer, Origin

PUBLIC_KEYS_LIMIT = 4


class ManagerConfigurationMalformed(Malformed):
    """Not the configuration of a counter's card program, or not the file of its keys."""

    code = "card_manager_configuration_malformed"
    title = "The configuration of the counter's card program cannot be read"


class ManagerConfiguration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is pinned at a terminal.

    Attributes:
        iss: issuer URL of the platform.
        origin: the one origin whose pages may hand commands over.
        terminal: id of this terminal.
        keys: JWKs that sign commands, found by their thumbprints.
    """

    v: Literal[1] = 1
    iss: Issuer
    origin: Origin
    terminal: Identifier
    keys: Annotated[tuple[dict[str, Any], ...], Meta(min_length=1, max_length=PUBLIC_KEYS_LIMIT)]

    def key_of(self, kid: str) -> PublicKey | None:
        """The pinned key of this thumbprint (RFC 7638), if there is one."""
        pinned = (jwk.load_with_thumbprint(each) for each in self.keys)
        return next((key for key, name in pinned if name == kid), None)


class _KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: Literal["inkan-terminal-keys"]
    v: Literal[1]
    sign: bytes
    agree: bytes


class TerminalKeys(msgspec.Struct, frozen=True):
    """The two P-256 keys of a terminal: one signs answers, to the other secrets of cards are encrypted."""

    sign: EllipticCurvePrivateKey
    agree: EllipticCurvePrivateKey

    @classmethod
    def generate(cls) -> Self:
        """Draw both."""
        return cls(_drawn(), _drawn())

    def write(self, path: Path) -> None:
        """Write both to a new file for its owner alone.

        Raises:
            FileExists: there is one; a terminal's keys are never overwritten.
        """
        if path.exists():
            raise FileExists(str(path))
        sign, agree = (keys.private_der(key).reveal() for key in (self.sign, self.agree))
        durable_file.replace_file(
            path, msgspec.json.encode(_KeyFile("inkan-terminal-keys", 1, sign, agree))
        )

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read both.

        Raises:
            FileMissing: there is no file.
            ManagerConfigurationMalformed: it is another one.
        """
        data = durable_file.read_file(path)
        try:
            held = msgspec.json.decode(data, type=_KeyFile)
            return cls(_private(held.sign), _private(held.agree))
        except (msgspec.DecodeError, UnicodeDecodeError, InkanError) as error:
            raise ManagerConfigurationMalformed(f"{path.name}: {type(error).__name__}") from None

    def public(self) -> dict[str, list[dict[str, str]]]:
        """The JWK set that is registered at the platform (RFC 7517 §5, §4.2)."""
        pairs = (("sig", self.sign), ("enc", self.agree))
        return {"keys": [{**jwk.to_jwk(key.public_key()), "use": use} for use, key in pairs]}


def read_configuration(path: Path) -> ManagerConfiguration:
    """Read what the platform gave for this terminal.

    Raises:
        FileMissing: there is no file.
        ManagerConfigurationMalformed: it is no such configuration.
    """
    data = durable_file.read_file(path)
    try:
        configuration = msgspec.json.decode(data, type=ManagerConfiguration)
        for each in configuration.keys:
            jwk.load_jwk(each)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InkanError) as error:
        raise ManagerConfigurationMalformed(f"{path.name}: {error}") from None
    return configuration


def _drawn() -> EllipticCurvePrivateKey:
    return _private(keys.private_der(keys.generate(KeySpec.P256)).reveal())


def _private(der: bytes) -> EllipticCurvePrivateKey:
    key = keys.load_private(Secret(der))
    if not isinstance(key, EllipticCurvePrivateKey):
        raise ManagerConfigurationMalformed("a terminal has keys of P-256")
    return key
