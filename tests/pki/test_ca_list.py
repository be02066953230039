"""``inkan ca list``: the authorities as a tree, for people and for programs."""

import json
import re
from types import SimpleNamespace
from typing import Any

from click.testing import CliRunner

from inkan.pki import thumbprint
from inkan.pki.commands import command
from inkan.pki.service.hierarchy import PublicURLs
from pki.hierarchies import across


class Register:
    """The world of a call whose authorities are given."""

    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def run(self, read: Any) -> Any:
        hierarchy = _Hierarchy(self._rows)
        reading = read(SimpleNamespace(pki=SimpleNamespace(hierarchy=hierarchy)))
        try:
            reading.send(None)
        except StopIteration as end:
            return end.value
        raise AssertionError("listing waits for nothing")


class _Hierarchy(list[Any]):
    crosses = ()
    urls = PublicURLs(origin="https://id.example")


def listed(*arguments: str, rows: list[Any] | None = None) -> str:
    world = Register(across() if rows is None else rows)
    result = CliRunner().invoke(command, ["list", *arguments], obj=world)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_tree_shows_who_certifies_whom() -> None:
    names = re.findall(r"^([ │├└─]*[\w-]+)  \S", listed(), re.MULTILINE)
    assert names == [
        "bridge",
        "├─ bridge-to-a",
        "└─ bridge-to-b",
        "root-a",
        "├─ a-to-bridge",
        "└─ cards",
        "   └─ cards-ocsp",
        "root-a-old",
        "└─ link",
        "root-b",
        "└─ phones",
    ]


def test_every_thumbprint_is_written_as_in_the_transcript_of_the_ceremony() -> None:
    rows = across()
    text = listed(rows=rows)
    assert [
        each.name for each in rows if f"SHA-256 {thumbprint(each.certificate)}" not in text
    ] == []


def test_json_holds_the_same_tree() -> None:
    rows = across()
    told = json.loads(listed("--json", rows=rows))["authorities"]
    root = next(each for each in told if each["name"] == "root-a")
    assert (root["place"], [each["name"] for each in root["below"]]) == (
        "root",
        ["a-to-bridge", "cards"],
    )
    cards = root["below"][1]
    assert cards["crl"] == "https://id.example/crl/cards/0.crl"
    assert cards["ocsp"] == "https://id.example/ocsp/cards"


def test_before_the_ceremony_it_says_so() -> None:
    assert "inkan ca init" in listed(rows=[])
