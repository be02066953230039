"""docs/doors.md says what the tables of the code say: lives, levels, evidence, words."""

import re

import pytest

from docs.blocks import DOCS
from inkan.approvals.rules import OPEN_LIFE, REDEEM_LIFE
from inkan.identification.rules import BINDING_MIN, DOORS, MUTES, QUOTAS, RESEND_AFTER
from inkan.identification.service.page import TRY_LIFE
from inkan.wire.binding import BindingLevel, Door, Evidence, Stage, highest_reachable
from inkan.wire.qr import MAX_AGE_SECONDS

TEXT = (DOCS / "doors.md").read_text(encoding="utf-8")
ROWS = {
    cells[1].strip().strip("`"): [cell.strip() for cell in cells[1:-1]]
    for line in TEXT.splitlines()
    if len(cells := line.split("|")) == 9
}
LEVELS = {level.value for level in BindingLevel}


@pytest.mark.parametrize("door", Door)
def test_a_row_has_the_life_and_the_rules_of_its_door(door: Door) -> None:
    _, _, _, _, life, _, rules = ROWS[door]
    assert f"{DOORS[door].life.total_seconds():.0f} s" in life
    assert set(re.findall(r"TW-\d+", rules)) & set(re.findall(r"TW-\d+", DOORS[door].source))


@pytest.mark.parametrize("door", [Door.QR, Door.PUSH, Door.WEB_LINK, Door.APP_LINK])
def test_a_row_has_the_highest_level_of_its_door(door: Door) -> None:
    said = [word for word in re.findall(r"`(\w+)`", ROWS[door][5]) if word in LEVELS]
    known = {Evidence.PAIRED_BROWSER}
    highest = highest_reachable(door, stage=Stage.MADE, evidence=known)
    assert max(map(BindingLevel, said), key=lambda level: level.rank) == highest


def test_every_level_is_explained() -> None:
    for level in BindingLevel:
        assert f"| `{level}` |" in TEXT


def test_the_figures_are_those_of_the_code() -> None:
    seconds = {"60": (OPEN_LIFE, REDEEM_LIFE), "180": (TRY_LIFE,), "30": (RESEND_AFTER,)}
    for figure, lives in seconds.items():
        assert f"{figure} s" in TEXT
        assert {f"{life.total_seconds():.0f}" for life in lives} == {figure}
    assert f"a frame {MAX_AGE_SECONDS} s" in TEXT
    assert [(quota.limit, quota.within.total_seconds()) for quota in QUOTAS] == [(3, 600), (5, 600)]
    assert [mute.limit for mute in MUTES] == [2, 1, 5]
    assert {str(kind): str(level) for kind, level in BINDING_MIN.items()} == {
        "identify": "none",
        "approve": "matched",
        "sign": "matched",
    }
