"""What follows from the figures of tw-citizen: terms, slots, young and recent bindings."""

from datetime import UTC, date, datetime, timedelta

import pytest

from inkan.schemes import Effect, LevelOfAssurance, ParentEnd, Texts, get_scheme

TAIWAN = get_scheme("tw-citizen")


@pytest.mark.req("TW-31")
@pytest.mark.parametrize(
    ("start", "end"),
    [
        # 16:30 UTC is already the next day in Taipei.
        (
            datetime(2026, 11, 21, 16, 30, tzinfo=UTC),
            datetime(2027, 11, 21, 15, 59, 59, tzinfo=UTC),
        ),
        (
            datetime(2026, 11, 21, 15, 59, tzinfo=UTC),
            datetime(2027, 11, 20, 15, 59, 59, tzinfo=UTC),
        ),
        (datetime(2028, 2, 29, 4, 0, tzinfo=UTC), datetime(2029, 2, 28, 15, 59, 59, tzinfo=UTC)),
    ],
)
def test_term_is_one_year_with_an_inclusive_last_day(start: datetime, end: datetime) -> None:
    assert TAIWAN.term_end(start) == end


def test_local_day_turns_at_midnight_in_taipei() -> None:
    assert TAIWAN.local_day(datetime(2026, 11, 21, 15, 59, 59, tzinfo=UTC)) == date(2026, 11, 21)
    assert TAIWAN.local_day(datetime(2026, 11, 21, 16, 0, tzinfo=UTC)) == date(2026, 11, 22)


def test_renewal_opens_sixty_days_before_the_end() -> None:
    end = datetime(2027, 11, 20, 15, 59, 59, tzinfo=UTC)
    assert end - TAIWAN.renewal_opens(end) == timedelta(days=60)


def test_a_binding_is_young_for_a_day() -> None:
    bound = datetime(2026, 11, 21, tzinfo=UTC)
    assert TAIWAN.young_until(bound) == datetime(2026, 11, 22, tzinfo=UTC)


def test_phones_of_the_last_72_hours_are_recent() -> None:
    loss = datetime(2026, 11, 21, tzinfo=UTC)
    assert TAIWAN.recent_since(loss) == datetime(2026, 11, 18, tzinfo=UTC)


@pytest.mark.req("TW-29")
def test_two_slots() -> None:
    assert list(TAIWAN.slots) == [1, 2]


@pytest.mark.parametrize("cause", ParentEnd)
def test_every_parent_end_has_an_effect(cause: ParentEnd) -> None:
    assert isinstance(TAIWAN.on_parent_end.of(cause), Effect)


def test_no_effect_row_without_a_cause() -> None:
    rows = set(TAIWAN.on_parent_end.__struct_fields__) - {"recent_hours"}
    assert rows == set(ParentEnd)


def test_effects_are_ordered_from_mild_to_hard() -> None:
    assert sorted(Effect, key=lambda effect: effect.severity) == [
        Effect.KEEP,
        Effect.SUSPEND_RECENT,
        Effect.SUSPEND,
        Effect.REVOKE,
    ]


def test_texts_answer_in_english_for_unknown_languages() -> None:
    texts = Texts(en="seal", ja="印鑑", zh_hant="印章")
    assert [texts.in_language(tag) for tag in ("zh-Hant", "ja", "en", "tlh")] == [
        "印章",
        "印鑑",
        "seal",
        "seal",
    ]


@pytest.mark.req("TW-16")
def test_scale_of_assurance() -> None:
    assert [(level.value, level.name) for level in LevelOfAssurance] == [
        (1, "LOW"),
        (2, "MEDIUM"),
        (3, "HIGH"),
        (4, "VERY_HIGH"),
    ]
