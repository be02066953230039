"""docs/validation.md and the texts name every reason and every setting, with the figures of the code."""

import re

import pytest

from inkan.crypto.validation.reason_texts import reason_text, texts
from inkan.crypto.validation.settings import (
    MAX_ANCHORS,
    MAX_CRLS,
    MAX_KNOWN,
    MAX_OCSPS,
    MAX_SUPPLIED,
    Bounds,
    Require,
    Settings,
)
from inkan.crypto.validation.verdict import STATUS, Reason
from support.repository import ROOT

PAGE = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
WORDS = " ".join(PAGE.split())


def test_every_reason_stands_in_the_page_with_its_status() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (valid|invalid|indeterminate) \|", PAGE, re.MULTILINE)
    assert dict(rows) == {reason.value: STATUS[reason].value for reason in Reason}


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence_in_every_language(reason: Reason) -> None:
    assert set(texts()[reason]) == {"en", "ja", "zh-Hant"}
    assert reason_text(reason, "en").isascii()
    assert re.search(r"[\u3040-\u309f]", reason_text(reason, "ja"))
    assert re.search(r"[\u4e00-\u9fff]", reason_text(reason, "zh-Hant"))
    assert not re.search(r"[\u3040-\u30ff]", reason_text(reason, "zh-Hant"))


def test_the_texts_have_no_other_keys() -> None:
    assert set(texts()) == set(Reason)


def test_every_setting_stands_in_the_page() -> None:
    names = [
        *Settings.__struct_fields__,
        *(f"require.{name}" for name in Require.__struct_fields__),
    ]
    assert [name for name in names if f"`{name}`" not in PAGE and name != "require"] == []


def test_the_figures_are_those_of_the_code() -> None:
    bounds = Bounds()
    assert (
        f"{bounds.signatures} signatures, {bounds.candidates} paths, {bounds.steps:,} steps, "
        f"{bounds.comparisons:,} comparisons, {bounds.path} certificates in a path, {bounds.deadline_s} s"
    ) in WORDS
    assert (
        f"At most {MAX_SUPPLIED} certificates that somebody supplied, {MAX_KNOWN} of one's own store"
        in WORDS
    )
    assert f"{MAX_ANCHORS} anchors, {MAX_CRLS} lists" in WORDS
    assert f"{MAX_OCSPS} OCSP answers" in WORDS
