"""The wallet's modules as files: they can be served, and hold nothing that the wallet's policy forbids."""

import re

import pytest

from inkan.web.assets import Assets
from support.node import MODULES

FILES = sorted(MODULES.glob("*.js"))
NAMES = [path.name for path in FILES]
# What would make text into code or markup, or fetch a module by a name that is computed.
FORBIDDEN = (
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "eval(",
    "new Function",
)
_DYNAMIC = re.compile(r"(?<![\w.{(])\bimport\s*\((?![\"']\./[\w.]+[\"']\)\.)")


def test_the_facade_leads_to_every_module_of_the_protocol() -> None:
    """Served as they are: hashed names, each import replaced, no circle."""
    served = Assets({"wallet": MODULES})
    assert "phone.js" in NAMES
    body = served.by_path[served.url("wallet/phone.js")].body.decode()
    imports = re.findall(r'from "\./([^"]+)"', body)
    assert imports
    assert all(re.fullmatch(r"\w+\.[0-9a-f]{16}\.js", name) for name in imports)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_module_is_typed_and_short(path) -> None:
    text = path.read_text("utf-8")
    assert text.startswith("// @ts-check\n")
    assert text.count("\n") <= 400
    assert re.search(r"/\*\*", text)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_module_makes_no_code_and_no_markup_of_text(path) -> None:
    text = path.read_text("utf-8")
    assert not [word for word in FORBIDDEN if word in text]
    assert _DYNAMIC.search(text) is None
