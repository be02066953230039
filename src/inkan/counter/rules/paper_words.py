"""The words of the printed papers: one file, three languages, read once."""

import string
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

LANGUAGES: Final = frozenset({"en", "ja", "zh-Hant"})

Words = Mapping[str, Mapping[str, str]]


@cache
def paper_words() -> Words:
    """Every text by its dotted name and its language.

    Raises:
        ValueError: a text is missing in a language, or says other fields there.
    """
    text = resources.files("inkan.counter").joinpath("papers.toml").read_text(encoding="utf-8")
    return dict(_leaves("", tomllib.loads(text)))


def say(name: str, language: str, /, **fields: object) -> str:
    """Return one text with its fields filled in."""
    return paper_words()[name][language].format(**fields)


def _leaves(name: str, tree: dict[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    if "en" not in tree:
        for key, below in tree.items():
            yield from _leaves(f"{name}.{key}" if name else key, below)
        return
    if set(tree) != LANGUAGES or len({_fields(text) for text in tree.values()}) != 1:
        raise ValueError(f"{name} differs between its languages")
    yield name, tree


def _fields(text: str) -> frozenset[str]:
    return frozenset(field for _, field, _, _ in string.Formatter().parse(text) if field)
