"""The certificate policy and the practice statement: every edition stays readable under its own address (TW-18).

An edition is a file of the package that begins with a few lines about itself. A certificate names the CPS's
address without an edition: what held when it was issued is told by the dates of the editions.
"""

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

import msgspec

from inkan.kernel.errors import NotFound

_HEAD: Final = re.compile(r"---\n(.*?)\n---\n", re.DOTALL)


class DocumentName(StrEnum):
    """What is published about an authority."""

    CP = "cp"
    CPS = "cps"


class EditionUnknown(NotFound):
    """There is no such edition."""

    code = "edition_unknown"
    title = "There is no such edition of this document"


class Edition(msgspec.Struct, frozen=True):
    """One edition of a document.

    Attributes:
        approval: who passed it and when, or that nobody has yet.
        text: all of the file, as it is published.
    """

    document: DocumentName
    version: str
    date: date
    approval: str
    text: str


@cache
def editions() -> Mapping[DocumentName, tuple[Edition, ...]]:
    """Every edition of every document, the newest first.

    Raises:
        ValueError: a file whose head does not say what it is, or has another name than its head says.
    """
    found: dict[DocumentName, list[Edition]] = {name: [] for name in DocumentName}
    for path in (files("inkan.pki") / "documents").iterdir():
        edition = read_edition(path.read_text(encoding="utf-8"))
        if path.name != f"{edition.document}-{edition.version}.md":
            raise ValueError(f"{path.name} holds {edition.document} {edition.version}")
        found[edition.document].append(edition)
    return MappingProxyType(
        {
            name: tuple(sorted(each, key=lambda edition: edition.date, reverse=True))
            for name, each in found.items()
        }
    )


def read_edition(text: str) -> Edition:
    """Return the edition that a file holds.

    Raises:
        ValueError: its head lacks a line or says something else.
    """
    head = _HEAD.match(text)
    if head is None:
        raise ValueError("a document begins with lines about itself between two ---")
    facts = dict(line.split(": ", 1) for line in head[1].splitlines())
    facts["version"] = facts.get("version", "").strip('"')
    return msgspec.convert({**facts, "text": text}, Edition, strict=False)


def find_edition(document: DocumentName, version: str | None = None) -> Edition:
    """The edition of that number, or the newest one.

    Raises:
        EditionUnknown: there is none.
    """
    for edition in editions()[document]:
        if version in (None, edition.version):
            return edition
    raise EditionUnknown
