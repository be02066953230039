"""The code of a page of the documents: its fenced blocks by heading, and how a block of Python is run."""

import ast
import inspect
import re
from pathlib import Path
from typing import Any, NamedTuple

from support.repository import ROOT

DOCS = ROOT / "docs"
_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


class Block(NamedTuple):
    """One fenced block."""

    language: str
    code: str


class Section(NamedTuple):
    """What stands under one heading."""

    title: str
    text: str

    @property
    def blocks(self) -> list[Block]:
        return [Block(found["language"], found["code"]) for found in _FENCE.finditer(self.text)]

    def in_(self, language: str) -> list[str]:
        return [block.code for block in self.blocks if block.language == language]


def sections(page: Path) -> list[Section]:
    """The sections of a page in order; a heading inside a block is none."""
    text = page.read_text(encoding="utf-8")
    fences = [found.span() for found in _FENCE.finditer(text)]
    heads = [
        found
        for found in _HEADING.finditer(text)
        if not any(start < found.start() < end for start, end in fences)
    ]
    ends = [*(head.start() for head in heads[1:]), len(text)]
    return [Section(head[1], text[head.end() : end]) for head, end in zip(heads, ends, strict=True)]


async def run(code: str, names: dict[str, Any], *, page: Path) -> None:
    """Run a block that may await at its top level; its names stay in ``names``."""
    compiled = compile(
        code, page.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
    )
    made = eval(compiled, names)
    if inspect.isawaitable(made):
        await made
