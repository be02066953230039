"""The names of attributes: total, in three languages, and none of them looks like two."""

import pytest

from inkan.wire.claims import Claim, claim_names
from inkan.wire.forms import CLAIMS_LIMIT, verify_line
from inkan.wire.shown import LABELS, Language


def test_every_claim_has_a_name_in_every_language() -> None:
    assert list(claim_names()) == list(Claim)
    assert all(set(names) == set(Language) for names in claim_names().values())
    assert len(Claim) <= CLAIMS_LIMIT


@pytest.mark.parametrize("lang", Language)
def test_names_are_distinct_lines_and_hold_no_separator(lang: Language) -> None:
    names = [names[lang] for names in claim_names().values()]
    assert len(set(names)) == len(names)
    for name in names:
        assert verify_line(name) == name.strip()
        assert LABELS[lang].separator not in name
        assert LABELS[lang].colon not in name


@pytest.mark.req("TW-68")
@pytest.mark.parametrize("lang", Language)
def test_the_name_of_an_age_says_that_no_date_is_given(lang: Language) -> None:
    words = {
        "en": "without the date of birth",
        "ja": "生年月日は伝わりません",
        "zh-Hant": "不含出生日期",
    }
    assert words[lang] in claim_names()[Claim.AGE_OVER_18][lang]
    assert words[lang] in claim_names()[Claim.AGE_OVER_20][lang]
