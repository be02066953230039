"""The agent's configuration: which origins may ask, and what asks the person.

A file of the person or of the computer's administrator. A file that others may write would let them add an origin, so
it is refused; there is no default list.
"""

import os
import stat
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from inkan.client.card_agent.origins import is_origin
from inkan.client.card_agent.refusals import AgentConfigurationUnsafe
from inkan.wire.forms import Origin
from inkan.wire.shown import Language

FILE_NAME: Final = "card-agent.toml"
_SIZE_LIMIT: Final = 64 * 1024
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the file holds.

    Attributes:
        origins: whose pages may ask; exact, no patterns.
        kiosks: those of them that are also told the SHA-256 of the photo in a card, because this computer is their
            kiosk (WAT-50).
        pinentry: the command of the dialog.
        language: of its texts.
    """

    origins: Annotated[tuple[Origin, ...], Meta(min_length=1, max_length=64)]
    kiosks: Annotated[tuple[Origin, ...], Meta(max_length=64)] = ()
    pinentry: Annotated[tuple[str, ...], Meta(min_length=1)] = ("pinentry",)
    language: Language = Language.EN


def load(path: Path) -> Configuration:
    """Return the configuration in a file.

    Raises:
        AgentConfigurationUnsafe: there is none, others may write it, or it is not of this form.
    """
    try:
        with path.open("rb") as file:
            facts = os.fstat(file.fileno())
            verify_owned(facts, path)
            data = file.read(_SIZE_LIMIT)
        return msgspec.convert(tomllib.loads(data.decode()), Configuration)
    except (OSError, ValueError) as error:
        raise AgentConfigurationUnsafe(f"{path}: {error}") from None


def verify_owned(facts: os.stat_result, path: Path) -> None:
    """Nobody else may write the file of these facts: what it pins would be theirs to choose.

    Raises:
        AgentConfigurationUnsafe: others may.
    """
    if facts.st_uid not in {0, os.geteuid()} or facts.st_mode & _OTHERS_WRITE:
        raise AgentConfigurationUnsafe(f"{path}: others than its owner may write it")


def text(configuration: Configuration) -> str:
    """The file of a configuration.

    Raises:
        AgentConfigurationUnsafe: an origin is none, or a kiosk no listed origin.
    """
    wrong = [each for each in configuration.origins if not is_origin(each)]
    wrong += sorted(set(configuration.kiosks) - set(configuration.origins))
    if wrong or not configuration.origins:
        raise AgentConfigurationUnsafe(f"no web origins: {', '.join(wrong)}")
    return (
        "# Whose pages may use the card through the card agent, and what asks for the PIN.\n"
        f"origins = {_array(configuration.origins)}\n"
        f"kiosks = {_array(configuration.kiosks)}\n"
        f"pinentry = {_array(configuration.pinentry)}\n"
        f'language = "{configuration.language.value}"\n'
    )


def _array(values: Sequence[str]) -> str:
    # A JSON text without characters beyond ASCII is a basic string of TOML.
    return "[" + ", ".join(msgspec.json.encode(each).decode() for each in values) + "]"
