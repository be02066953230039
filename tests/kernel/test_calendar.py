"""Terms with an inclusive last day, ages, eras."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.kernel import calendar

JAPAN = timedelta(hours=9)
TAIWAN = timedelta(hours=8)
days = st.dates(date(1900, 1, 1), date(2200, 12, 31))
starts = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
offsets = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timedelta(minutes=minutes))


@pytest.mark.req("JPKI-11", "JPKI-16")
def test_three_years_from_the_first_of_april_end_on_the_last_of_march() -> None:
    start = datetime(2004, 4, 1, 10, 30, tzinfo=timezone(JAPAN))
    end = calendar.last_instant(start, years=3, utc_offset=JAPAN)
    assert end == datetime(2007, 3, 31, 23, 59, 59, tzinfo=timezone(JAPAN))
    assert end.tzinfo is UTC
    assert calendar.japanese_date(end.astimezone(timezone(JAPAN)).date()) == "平成19年3月31日"


@pytest.mark.req("TW-31")
def test_a_year_counts_in_local_days() -> None:
    # 20:00 UTC is the next day in Taiwan: the term runs from there.
    start = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
    end = calendar.last_instant(start, years=1, utc_offset=TAIWAN)
    assert end == datetime(2027, 11, 21, 23, 59, 59, tzinfo=timezone(TAIWAN))


def test_a_term_from_a_leap_day_includes_the_last_of_february() -> None:
    start = datetime(2024, 2, 29, 0, 0, tzinfo=UTC)
    end = calendar.last_instant(start, years=1, utc_offset=timedelta(0))
    assert end == datetime(2025, 2, 28, 23, 59, 59, tzinfo=UTC)


@given(starts, st.integers(1, 10), offsets)
def test_the_second_after_a_term_begins_its_anniversary(
    start: datetime, years: int, offset: timedelta
) -> None:
    zone = timezone(offset)
    after = calendar.last_instant(start, years=years, utc_offset=offset) + timedelta(seconds=1)
    local = after.astimezone(zone)
    assert (local.hour, local.minute, local.second) == (0, 0, 0)
    assert local.date() == calendar.anniversary(start.astimezone(zone).date(), years)


@given(days, st.integers(0, 50))
def test_an_anniversary_keeps_day_and_month_but_for_leap_days(day: date, years: int) -> None:
    found = calendar.anniversary(day, years)
    assert found.year == day.year + years
    if (day.month, day.day) == (2, 29) and found.month == 3:
        assert found.day == 1
    else:
        assert (found.month, found.day) == (day.month, day.day)


@pytest.mark.req("TW-08")
@pytest.mark.parametrize(
    ("birth", "day", "age"),
    [
        (date(2008, 11, 22), date(2026, 11, 21), 17),
        (date(2008, 11, 21), date(2026, 11, 21), 18),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2008, 2, 29), date(2028, 2, 29), 20),
        (date(2026, 11, 21), date(2026, 11, 21), 0),
    ],
)
def test_age_in_completed_years(birth: date, day: date, age: int) -> None:
    assert calendar.age_on(birth, day) == age


@given(days, days)
def test_age_grows_by_one_on_each_birthday(birth: date, day: date) -> None:
    age = calendar.age_on(birth, day)
    assert calendar.anniversary(birth, age) <= day < calendar.anniversary(birth, age + 1)


@pytest.mark.parametrize(
    ("day", "shown"),
    [
        (date(2026, 11, 21), "民國 115 年 11 月 21 日"),
        (date(1913, 1, 1), "民國 2 年 1 月 1 日"),
        (date(1912, 12, 31), "民國元年 12 月 31 日"),
        (date(1912, 1, 1), "民國元年 1 月 1 日"),
        (date(1911, 12, 31), "民國前 1 年 12 月 31 日"),
        (date(1900, 6, 1), "民國前 12 年 6 月 1 日"),
    ],
)
def test_roc_years(day: date, shown: str) -> None:
    assert calendar.roc_date(day) == shown


@pytest.mark.req("JPKI-16")
@pytest.mark.parametrize(
    ("day", "shown"),
    [
        (date(2026, 11, 21), "令和8年11月21日"),
        (date(2019, 5, 1), "令和元年5月1日"),
        (date(2019, 4, 30), "平成31年4月30日"),
        (date(2019, 12, 31), "令和元年12月31日"),
        (date(2020, 1, 1), "令和2年1月1日"),
        (date(1989, 1, 8), "平成元年1月8日"),
        (date(1989, 1, 7), "昭和64年1月7日"),
        (date(1927, 1, 1), "昭和2年1月1日"),
        (date(1926, 12, 25), "昭和元年12月25日"),
        (date(1926, 12, 24), "大正15年12月24日"),
        (date(1912, 7, 30), "大正元年7月30日"),
        (date(1912, 7, 29), "明治45年7月29日"),
        (date(1868, 10, 22), "1868年10月22日"),
    ],
)
def test_japanese_eras(day: date, shown: str) -> None:
    assert calendar.japanese_date(day) == shown


@pytest.mark.parametrize(
    ("day", "era"),
    [
        (date(2019, 4, 30), ("Heisei", 31)),
        (date(2019, 5, 1), ("Reiwa", 1)),
        (date(1979, 5, 6), ("Showa", 54)),
        (date(1868, 10, 22), None),
    ],
)
def test_years_of_eras_as_numbers(day: date, era: tuple[str, int] | None) -> None:
    assert calendar.japanese_year(day) == era
    assert calendar.roc_year(day) == day.year - 1911


@given(days)
def test_the_number_of_a_year_is_the_one_that_is_written(day: date) -> None:
    found = calendar.japanese_year(day)
    assert found is not None
    written = "元" if found.year == 1 else str(found.year)
    assert f"{written}年" in calendar.japanese_date(day)
