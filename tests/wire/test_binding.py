"""The table of door and evidence: total, monotonous, and equal to the design's sentences."""

from itertools import chain, combinations

import pytest

from inkan.wire.binding import (
    REDEEM_EVIDENCE,
    ROWS,
    TO_COME,
    BindingLevel,
    Door,
    Evidence,
    Stage,
    StatementDoor,
    highest_reachable,
    level_of,
    ways_of,
)

NONE, MATCHED, PAIRED, RETURNED, STRONG = BindingLevel
CODE, BROWSER = Evidence.CODE_ENTERED, Evidence.PAIRED_BROWSER
REDEEMED, BOUND = Evidence.REDEEMED, Evidence.BROWSER_BOUND
SUBSETS = list(chain.from_iterable(combinations(Evidence, n) for n in range(len(Evidence) + 1)))


def test_every_table_is_total() -> None:
    assert set(ROWS) == set(REDEEM_EVIDENCE) == set(TO_COME) == set(StatementDoor)
    assert {way.door for way in StatementDoor} == set(Door)
    assert sorted(chain.from_iterable(map(ways_of, Door))) == sorted(StatementDoor)
    named = {evidence for rows in ROWS.values() for row in rows for evidence in row.needs}
    assert named | {BOUND} == set(Evidence)
    assert {row.level for rows in ROWS.values() for row in rows} == set(BindingLevel)


def test_every_row_has_a_source_and_every_door_a_row_without_conditions() -> None:
    for rows in ROWS.values():
        assert all(row.source for row in rows)
        assert [row.level for row in rows if not row.needs] == [NONE]


def test_a_code_comes_by_push_only_and_every_door_may_end_with_a_verifier() -> None:
    assert {door for door in StatementDoor if CODE in TO_COME[door]} == {"push", "redirect/push"}
    for door in StatementDoor:
        assert TO_COME[door][REDEEM_EVIDENCE[door]] == Stage.DECIDED
        assert BROWSER not in TO_COME[door]


def test_the_doors_are_the_five_modes() -> None:
    assert [*Door] == ["qr", "push", "web_link", "redirect", "app_link"]


@pytest.mark.parametrize(
    ("door", "evidence", "level"),
    [
        ("qr", [], NONE),
        ("qr", [BOUND], NONE),
        ("qr", [CODE, BROWSER, REDEEMED], NONE),
        ("push", [], NONE),
        ("push", [BROWSER], NONE),
        ("push", [CODE], MATCHED),
        ("push", [CODE, BOUND], MATCHED),
        ("push", [CODE, BROWSER], PAIRED),
        ("web_link", [], NONE),
        ("web_link", [REDEEMED], RETURNED),
        ("app_link", [REDEEMED], RETURNED),
        ("redirect/open", [], NONE),
        ("redirect/open", [BOUND], NONE),
        ("redirect/open", [REDEEMED], RETURNED),
        ("redirect/qr", [BOUND], NONE),
        ("redirect/qr", [REDEEMED], NONE),
        ("redirect/push", [BOUND], NONE),
        ("redirect/push", [CODE, BOUND], MATCHED),
        ("redirect/push", [CODE, BROWSER, BOUND], PAIRED),
        *((door, [Evidence.SAME_DEVICE_WEBAUTHN], STRONG) for door in StatementDoor),
        *((door, [Evidence.HYBRID], STRONG) for door in StatementDoor),
        *((door, [Evidence.CARD_IN_READER], STRONG) for door in StatementDoor),
    ],
)
def test_levels(door: str, evidence: list[Evidence], level: BindingLevel) -> None:
    assert level_of(StatementDoor(door), evidence) == level


def test_more_evidence_never_lowers_a_level() -> None:
    for door in StatementDoor:
        for subset in SUBSETS:
            for more in Evidence:
                assert level_of(door, {*subset, more}) >= level_of(door, subset)


def test_levels_compare_by_strength_and_not_by_spelling() -> None:
    ordered = [NONE, MATCHED, PAIRED, RETURNED, STRONG]
    for i, first in enumerate(ordered):
        for j, second in enumerate(ordered):
            assert (first < second, first <= second) == (i < j, i <= j)
            assert (first > second, first >= second) == (i > j, i >= j)
    assert MATCHED > "none"


@pytest.mark.parametrize(
    ("door", "made", "decided"),
    [
        (Door.QR, NONE, NONE),
        (Door.PUSH, MATCHED, NONE),
        (Door.WEB_LINK, RETURNED, RETURNED),
        (Door.APP_LINK, RETURNED, RETURNED),
        (Door.REDIRECT, STRONG, STRONG),
        (StatementDoor.REDIRECT_QR, STRONG, STRONG),
        (StatementDoor.REDIRECT_PUSH, STRONG, STRONG),
        (StatementDoor.REDIRECT_OPEN, STRONG, STRONG),
    ],
)
def test_what_can_still_be_reached(
    door: Door | StatementDoor, made: BindingLevel, decided: BindingLevel
) -> None:
    assert highest_reachable(door, stage=Stage.MADE) == made
    assert highest_reachable(door, stage=Stage.DECIDED) == decided
    assert highest_reachable(door, stage=Stage.RELEASED) == NONE


def test_policies_and_pairing_change_what_can_be_reached() -> None:
    push = Door.PUSH
    assert highest_reachable(push, stage=Stage.MADE, evidence=[BROWSER]) == PAIRED
    assert highest_reachable(push, stage=Stage.MADE, excluded=[CODE]) == NONE
    assert highest_reachable(push, stage=Stage.MADE, evidence=[BROWSER], excluded=[CODE]) == NONE
    assert highest_reachable(push, stage=Stage.DECIDED, evidence=[CODE]) == MATCHED
    assert highest_reachable(push, stage=Stage.DECIDED, evidence=[CODE, BROWSER]) == PAIRED
    link = Door.WEB_LINK
    assert highest_reachable(link, stage=Stage.MADE, excluded=[REDEEMED]) == NONE
    assert highest_reachable(link, stage=Stage.RELEASED, evidence=[REDEEMED]) == RETURNED


def test_what_was_reached_could_be_reached_before() -> None:
    for door in StatementDoor:
        for subset in SUBSETS:
            reached = level_of(door, subset)
            at_release = highest_reachable(door, stage=Stage.RELEASED, evidence=subset)
            before = [e for e in subset if e != REDEEM_EVIDENCE[door]]
            at_decide = highest_reachable(door, stage=Stage.DECIDED, evidence=before)
            at_making = highest_reachable(
                door, stage=Stage.MADE, evidence=[e for e in before if e != CODE]
            )
            assert at_release == reached
            assert at_decide >= reached
            assert at_making >= reached or CODE not in TO_COME[door]
