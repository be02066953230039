"""Terms with an inclusive last day, and the eras of Taiwan and Japan.

A term counts in whole local days: its last valid instant is 23:59:59 local time of the day before the
anniversary (JPKI-16: 2004-04-01 for three years ends 2007-03-31).
"""

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import NamedTuple

# First day of each era, newest first. Sources: Cabinet Order 143 of 2019 (Reiwa), Cabinet Order 1 of 1989
# (Heisei), the imperial rescripts of 25 December 1926 (Showa) and 30 July 1912 (Taisho), and that of
# 23 October 1868 (Meiji; before 1873 its dates followed the lunar calendar, which nobody's certificate does).
_JAPANESE_ERAS = (
    (date(2019, 5, 1), "令和", "Reiwa"),
    (date(1989, 1, 8), "平成", "Heisei"),
    (date(1926, 12, 25), "昭和", "Showa"),
    (date(1912, 7, 30), "大正", "Taisho"),
    (date(1868, 10, 23), "明治", "Meiji"),
)
# Year 1 of the Republic of China began on 1912-01-01 (proclamation of the provisional president).
_ROC_EPOCH = 1911


def anniversary(day: date, years: int) -> date:
    """The same day ``years`` later; for 29 February in a common year, 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def last_instant(start: datetime, *, years: int, utc_offset: timedelta) -> datetime:
    """Return the last valid second of a term that starts at ``start`` (aware), as aware UTC.

    The second is 23:59:59 local time of the day before the ``years``-th anniversary of the local start
    day (JPKI-16, TW-31).
    """
    zone = timezone(utc_offset)
    last_day = anniversary(start.astimezone(zone).date(), years) - timedelta(days=1)
    return datetime.combine(last_day, time(23, 59, 59), zone).astimezone(UTC)


def age_on(birth: date, day: date) -> int:
    """Completed years of life on ``day``; who was born on 29 February completes a year on 1 March."""
    years = day.year - birth.year
    return years if anniversary(birth, years) <= day else years - 1


class EraYear(NamedTuple):
    """A year of a Japanese era: ``Showa``, 54."""

    name: str
    year: int


def roc_year(day: date) -> int:
    """The year of the Republic of China; 0 and less are years before it."""
    return day.year - _ROC_EPOCH


def japanese_year(day: date) -> EraYear | None:
    """The year of the Japanese era that began last, None before Meiji."""
    for start, _, name in _JAPANESE_ERAS:
        if day >= start:
            return EraYear(name, day.year - start.year + 1)
    return None


def roc_date(day: date) -> str:
    """Taiwan's calendar: ``民國 115 年 11 月 21 日``; year 1 is ``民國元年``, years before it are ``民國前``."""
    year = day.year - _ROC_EPOCH
    if year == 1:
        return f"民國元年 {day.month} 月 {day.day} 日"
    era = f"民國 {year}" if year > 0 else f"民國前 {1 - year}"
    return f"{era} 年 {day.month} 月 {day.day} 日"


def japanese_date(day: date) -> str:
    """Japan's calendar: ``令和8年11月21日``; the first year of an era is ``元年``."""
    for start, era, _ in _JAPANESE_ERAS:
        if day >= start:
            year = day.year - start.year + 1
            return f"{era}{'元' if year == 1 else year}年{day.month}月{day.day}日"
    return f"{day.year}年{day.month}月{day.day}日"
